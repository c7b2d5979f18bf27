"""Bad and plentiful input, on a real mount: what is deep, wide, named anyhow, left half done, or written twice at once."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.refusal import refused

from .conftest import Mounted

DIALECTS = ("2007", "v1")
LIMIT = {"2007": "memory.limit", "v1": "memory.limit_in_bytes"}
DEEP = 256
MANY = 20_000
NR_WRITERS = 4
NR_WRITES = 300


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tree(mount: Callable[..., Mounted], dialect: str) -> Mounted:
    return mount(f"dialect={dialect},ram=64M,swap=0")


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def best_s(asked: Callable[[], object], times: int = 20) -> float:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        asked()
        found.append(time.perf_counter() - started)
    return min(found)


def test_deep(tree: Mounted, dialect: str) -> None:
    """Longer than a path may be, so step by step; from the bottom it goes away again."""
    os.chdir("/")
    bottom = [os.open(tree.path, os.O_PATH)]
    for _ in range(DEEP):
        os.mkdir("directory-of-a-name", dir_fd=bottom[-1])
        bottom.append(os.open("directory-of-a-name", os.O_PATH, dir_fd=bottom[-1]))
    limit = os.open(LIMIT[dialect], os.O_RDWR, dir_fd=bottom[-1])
    os.write(limit, b"8192")
    assert os.pread(limit, 99, 0) == b"8192\n"
    os.close(limit)
    with refused(errno.EBUSY):
        os.rmdir("directory-of-a-name", dir_fd=bottom[0])
    for above in reversed(bottom[:-1]):
        os.rmdir("directory-of-a-name", dir_fd=above)
    for fd in bottom:
        os.close(fd)
    assert [entry.name for entry in os.scandir(tree.path) if entry.is_dir()] == []


def test_a_task_at_the_bottom(tree: Mounted, dialect: str) -> None:
    """What it touches is charged on every level, where levels know of each other; and no path is too long to be told."""
    path = "/".join(["d"] * DEEP)
    (tree / path).mkdir(parents=True)
    (tree / ".machine/tasks/9").mkdir()
    (tree / f"{path}/tasks").write_text("9")
    (tree / ".machine/tasks/9/ctl").write_text("touch 0 3")
    assert (tree / ".machine/tasks/9/cgroup").read_text() == f"1:memory:/{path}\n"
    if dialect == "v1":
        usages = {int((tree / "/".join(["d"] * depth) / "memory.usage_in_bytes").read_text()) for depth in range(1, DEEP)}
        assert min(usages) >= 3 * 4096
    (tree / ".machine/tasks/9").rmdir()


def test_wide(mount: Callable[..., Mounted]) -> None:
    """One more directory, one more name, costs what the first did; a listing has them all, once."""
    tree = mount("dialect=v1,ram=64M,swap=0")
    few, many = tree / "few", tree / "many"
    few.mkdir()
    many.mkdir()

    def add_and_remove(parent: Path) -> float:
        def both() -> None:
            (parent / "one-more").mkdir()
            (parent / "one-more").rmdir()

        return best_s(both)

    def look_up(parent: Path) -> float:
        def miss() -> None:
            assert not (parent / "nobody").exists()

        return best_s(miss)

    alone_s, missed_s = add_and_remove(few), look_up(few)
    for number in range(MANY):
        os.mkdir(f"{many}/{number}")
    assert add_and_remove(many) < 5 * alone_s + 0.002
    assert look_up(many) < 5 * missed_s + 0.001
    names = os.listdir(many)
    assert len(names) == len(set(names))
    assert {int(name) for name in names if name.isdecimal()} == set(range(MANY))
    assert os.stat(many).st_nlink == 2 + MANY
    (many / str(MANY // 2) / LIMIT["v1"]).write_text("4096")
    with refused(errno.EBUSY):
        many.rmdir()
    for number in range(MANY):
        os.rmdir(f"{many}/{number}")
    many.rmdir()


NAMES = (b"\xff\xfe", b" ", b"a\tb", b"\\", b"-rf", b"*", b"memory.foo", b"\x01\x7f", "日本".encode(), b"x" * 255, b"...", b",", b'"')


def test_names_of_any_bytes(tree: Mounted, dialect: str) -> None:
    top = os.fsencode(tree.path)
    for name in NAMES:
        os.mkdir(top + b"/" + name)
        with open(os.path.join(top, name, LIMIT[dialect].encode()), "wb", buffering=0) as limit:
            limit.write(b"4096")
        with refused(errno.EEXIST):
            os.mkdir(top + b"/" + name)
    listed = {entry.name for entry in os.scandir(top) if entry.is_dir()}
    assert listed == set(NAMES)
    for number, name in enumerate(NAMES):
        os.rename(top + b"/" + name, b"%b/%d%b" % (top, number, name[:200]))
        os.rmdir(b"%b/%d%b" % (top, number, name[:200]))


def test_every_byte(tree: Mounted, dialect: str) -> None:
    top = os.fsencode(tree.path)
    for byte in set(range(1, 256)) - {ord("/"), ord("."), ord("\n")}:
        os.mkdir(b"%b/%c" % (top, byte))
    assert len([entry for entry in os.scandir(top) if entry.is_dir()]) == 252
    for newline in (b"\n", b"a\nb"):
        if dialect == "v1":
            with refused(errno.EINVAL):
                os.mkdir(top + b"/" + newline)
        else:
            os.mkdir(top + b"/" + newline)


CLIENT = """
import os, sys
fds = [os.open(path, os.O_RDWR) for path in sys.argv[1:]]
print(len(fds), flush=True)
os.read(0, 1)
"""


def test_a_client_that_dies_between_open_and_write(tree: Mounted, dialect: str) -> None:
    """Its descriptors go with it; the next one finds all as it was."""
    (tree / "a").mkdir()
    files = [tree / "a" / LIMIT[dialect], tree / "a/tasks", tree / "a/notify_on_release"]
    before = [file.read_bytes() for file in files]
    for _ in range(20):
        with subprocess.Popen([sys.executable, "-c", CLIENT, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            assert client.stdout is not None
            assert client.stdout.readline() == b"3\n"
            client.kill()
    assert [file.read_bytes() for file in files] == before
    (tree / "a").rmdir()


def test_a_client_that_is_killed_while_it_writes(tree: Mounted, dialect: str) -> None:
    """Each write is one command: the limit is one of those that were written, whenever the writer was killed."""
    (tree / "a").mkdir()
    limit = tree / "a" / LIMIT[dialect]
    script = f"while :; do echo 8192; echo 4096; done >{limit}"
    for _ in range(10):
        with subprocess.Popen(["bash", "-c", script], stderr=subprocess.DEVNULL) as client:
            time.sleep(0.03)
            client.send_signal(signal.SIGKILL)
        assert limit.read_text() in ("8192\n", "4096\n")
    (tree / "a").rmdir()


WRITER = """
import os, sys
path, text, times = sys.argv[1:]
for _ in range(int(times)):
    fd = os.open(path, os.O_WRONLY)
    assert os.write(fd, text.encode()) == len(text)
    os.close(fd)
"""


def test_writers_of_one_limit_at_once(tree: Mounted, dialect: str) -> None:
    """Processes, with descriptors of their own: nobody waits for ever, each reader sees what somebody wrote."""
    (tree / "a").mkdir()
    limit = tree / "a" / LIMIT[dialect]
    limit.write_text("4096")
    texts = [str(4096 << number) for number in range(NR_WRITERS)]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, limit, text, str(NR_WRITES)]) for text in texts]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(limit.read_text().strip())
    assert [writer.wait(timeout=30) for writer in writers] == [0] * NR_WRITERS
    assert seen <= set(texts)
    assert limit.read_text().strip() in texts


def test_threads_that_share_one_descriptor(tree: Mounted, dialect: str) -> None:
    (tree / "a").mkdir()
    fd = os.open(tree / "a" / LIMIT[dialect], os.O_RDWR)
    texts = [str(4096 << number).encode() for number in range(NR_WRITERS)]
    seen: set[bytes] = set()

    def write(text: bytes) -> None:
        for _ in range(NR_WRITES):
            assert os.pwrite(fd, text, 0) == len(text)
            seen.add(os.pread(fd, 99, 0).strip())

    threads = [threading.Thread(target=write, args=(text,), daemon=True) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert seen <= set(texts)
    os.close(fd)


@pytest.mark.usefixtures("many_descriptors")
def test_a_thousand_descriptors_of_what_was_removed(tree: Mounted, dialect: str) -> None:
    """They answer ENODEV, as does a new directory of the same name for none of them; and they cost nobody anything."""
    fds = []
    for number in range(1000):
        group = tree / f"g{number}"
        group.mkdir()
        fds.append(os.open(group / LIMIT[dialect], os.O_RDWR))
        group.rmdir()
    (tree / "g0").mkdir()
    for fd in fds:
        with refused(errno.ENODEV):
            os.pread(fd, 99, 0)
        with refused(errno.ENODEV):
            os.write(fd, b"4096")
    assert (tree / "g0" / LIMIT[dialect]).read_text().strip().isdecimal()
    for fd in fds:
        os.close(fd)


def test_a_thousand_members(mount: Callable[..., Mounted]) -> None:
    """Children of one shell, all met at one look; each has a descriptor in the daemon, which takes as many as the system lets it have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        tree = mount("dialect=v1,ram=64M,swap=0")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    a = tree / "a"
    a.mkdir()
    script = "echo $$ >a/tasks; for i in {1..1100}; do sleep 60 & done; echo done; read -r line; kill $(jobs -p); wait"
    with subprocess.Popen(["bash", "-c", script], cwd=tree.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL) as shell:  # fmt: skip
        assert shell.stdout is not None
        assert shell.stdout.readline() == "done\n"
        assert len((a / "tasks").read_text().splitlines()) == 1101
        assert best_s((a / "tasks").read_text, 3) < 1
        shell.communicate("\n", timeout=60)
    assert (a / "tasks").read_text() == ""
    a.rmdir()
