"""The recordings' helper as a simulated task: what its commands come to that no recorded case here shows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from memcgfs.fidelity.k618.charging import Numbers, Stage

DISK = "oracle_files/f"
SHM = "/dev/shm/f"


class Scene:
    """One helper in one group."""

    def __init__(self) -> None:
        self.stage = Stage(["A"], [(DISK, 512)])
        self.stage.do(["new", "h"])
        self.stage.do(["move", "h", "A"])

    def __call__(self, *commands: str) -> list[str]:
        return [self.stage.do(["h", command])["result"] for command in commands]

    def numbers(self) -> Numbers:
        found: Numbers = self.stage.do(["snap", ""])["snap"]["A"]
        return found


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.stage.end()


def test_pages_with_gaps_between_are_each_another_of_the_file(scene: Scene) -> None:
    assert scene(f"map X fsharedsep 512 {DISK}", "touch X 0 512 r")[1] == "ok minflt 0 majflt 512 inblk 4096"
    assert scene.numbers()["cache"] == 512


@pytest.mark.fact("K4")
def test_each_mapping_is_charged_and_so_are_the_gaps(scene: Scene) -> None:
    scene("map X anon 1")
    before = scene.numbers()["kmem"]
    scene(f"map Y fsharedsep 512 {DISK}")
    assert scene.numbers()["kmem"] - before == 1024 * 200 // 4096


def test_a_file_that_was_mapped_stays_open(scene: Scene) -> None:
    scene(f"open 0 {SHM} wt", "ftruncate 0 512", f"map X fshared 512 {SHM}", "touch X 0 512 r", "munmap X")
    scene.stage.do(["unlink", SHM])
    scene("close 0")
    assert scene.numbers()["shmem"] == 512


def test_past_the_cache(scene: Scene) -> None:
    scene(f"open 1 {DISK} r", "fadv 1 0 0 random", "read 1 0 512", f"open 0 {DISK} wd")
    assert scene("write 0 0 256 65536", "read 0 0 512 65536") == ["ok minflt 0 majflt 0 inblk 0", "ok minflt 0 majflt 0 inblk 4096"]
    assert scene.numbers()["cache"] == 256
    scene("write 0 512 64 65536")
    assert scene("read 0 512 128 65536") == ["err 0 at 576"]
    assert scene.numbers()["cache"] == 256


def test_parts_of_a_page_in_a_row_count_once(scene: Scene) -> None:
    scene(f"open 0 {DISK} r", "fadv 0 0 0 random", "read 0 0 4 512")
    assert scene.numbers()["inactive_file"] == 4
    scene("read 0 0 4 512")
    assert scene.numbers()["active_file"] == 4


def test_children_that_wait_have_pages_of_their_own(scene: Scene) -> None:
    scene("nforks 10")
    numbers = scene.numbers()
    assert numbers["rss"] == 10 * 7 + 10 + 4
    assert 10 * 22 <= numbers["kmem"] <= 10 * 26


@pytest.mark.fact("K4")
@pytest.mark.parametrize(("command", "pages"), [("files 1000", 51), ("socks 16", 293), ("pipes 16", 266)])
def test_what_the_kernel_keeps_for_it(scene: Scene, command: str, pages: int) -> None:
    scene(command)
    assert scene.numbers()["kmem"] == pages


def test_mlockall_brings_in_what_it_never_touched(scene: Scene) -> None:
    scene("map X anon 512", "touch X 0 256 w", "mlockall")
    numbers = scene.numbers()
    assert numbers["rss"] == numbers["unevictable"] == 512 + 2 + 3 + 307


def test_what_is_not_there(scene: Scene) -> None:
    assert scene("close 7", "fsync 7", "read 7 3 1", "fadv 7 0 0 random", "ftruncate 7 1") == ["ok", "ok", "err 9 at 3", "err 9", "err 9"]
    assert scene(f"map X fshared 1 {DISK}x", f"open 0 {DISK}x r") == ["err 2", "err 2"]


def test_flags_of_a_map_stand_behind_the_file(scene: Scene) -> None:
    scene("map X anon 512 populate", "map Y anon 512 - populate")
    assert scene.numbers()["rss"] == 512 + 2
