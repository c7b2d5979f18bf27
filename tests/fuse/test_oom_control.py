"""memory.oom_control on a real mount: whose task finds no memory waits, everybody else goes on, and nobody waits for ever."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memcgfs.fuse.mountpoint import mount_at, unmount

from .conftest import MEMCGFS, Mounted, in_front, memcgfs

PAGE = 4096
OPTIONS = "dialect=v1,ram=64M,swap=0,kmem=off"
LIMIT = 100
SOON_S = 5.0


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    tree = mount(OPTIONS)
    make_group(tree.path)
    return tree


def make_group(path: Path, *pids: int) -> None:
    """`a`, which may use LIMIT pages and whose tasks wait for more."""
    (path / "a").mkdir()
    (path / "a/memory.limit_in_bytes").write_text(str(LIMIT * PAGE))
    (path / "a/memory.oom_control").write_text("1")
    for pid in pids or (101, 102):
        (path / f".machine/tasks/{pid}").mkdir()
        (path / "a/tasks").write_text(str(pid))


@contextmanager
def writer(path: Path, command: str, pid: int = 101, *, waits: bool = True) -> Iterator[subprocess.Popen[str]]:
    """A process that writes `command` to the task's ctl, and tells what came of it; killed at the end if it still waits."""
    script = (
        "import os, sys\n"
        "fd = os.open(sys.argv[1], os.O_WRONLY)\n"
        "try: print(os.write(fd, sys.argv[2].encode()))\n"
        "except OSError as error: print(os.strerror(error.errno))\n"
    )
    words = ["python3", "-c", script, str(path / f".machine/tasks/{pid}/ctl"), command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd="/") as waiting:
        try:
            if waits:
                await_state(path, pid, "D")
                assert waiting.poll() is None
            yield waiting
        finally:
            waiting.kill()


def told(waiting: subprocess.Popen[str]) -> str:
    return waiting.communicate(timeout=10)[0].strip()


def status(path: Path, pid: int = 101) -> dict[str, str]:
    lines = (path / f".machine/tasks/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def await_state(path: Path, pid: int, letter: str) -> None:
    until = time.monotonic() + SOON_S
    while not status(path, pid)["State"].startswith(letter):
        assert time.monotonic() < until, status(path, pid)
        time.sleep(0.02)


def oom_control(path: Path) -> dict[str, int]:
    text = (path / "a/memory.oom_control").read_text()
    return {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", text)}


def set_limit(tree: Mounted, pages: int) -> None:
    (tree / "a/memory.limit_in_bytes").write_text(str(pages * PAGE))


def test_raising_the_limit_lets_it_go_on(tree: Mounted) -> None:
    command = f"touch 0 {LIMIT + 50}"
    with writer(tree.path, command) as waiting:
        assert status(tree.path)["State"] == "D (disk sleep)"
        assert status(tree.path)["Touched"] == f"{LIMIT} of {LIMIT + 50}"
        assert (tree / ".machine/tasks/101/wchan").read_text() == "mem_cgroup_oom_synchronize"
        assert oom_control(tree.path) == {"oom_kill_disable": 1, "under_oom": 1, "oom_kill": 0}
        set_limit(tree, LIMIT)
        set_limit(tree, LIMIT + 20)
        assert status(tree.path)["Touched"] == f"{LIMIT + 20} of {LIMIT + 50}"
        assert waiting.poll() is None
        set_limit(tree, LIMIT + 60)
        assert told(waiting) == str(len(command))
    assert oom_control(tree.path)["under_oom"] == 0
    assert status(tree.path)["State"] == "R (running)"


def test_everybody_else_goes_on(tree: Mounted) -> None:
    with writer(tree.path, f"touch 0 {LIMIT + 1}"):
        (tree / "b").mkdir()
        (tree / ".machine/tasks/103").mkdir()
        (tree / "b/tasks").write_text("103")
        (tree / ".machine/tasks/103/ctl").write_text("touch 0 1000")
        assert (tree / "b/memory.usage_in_bytes").read_text() == f"{1000 * PAGE}\n"
        assert (tree / "a/tasks").read_text() == "101\n102\n"
        assert tree.tell("cat .machine/check") == "ok\n"


def test_memory_that_another_gives_back(tree: Mounted) -> None:
    (tree / ".machine/tasks/102/ctl").write_text("touch 0 40")
    with writer(tree.path, "touch 0 90") as waiting:
        (tree / ".machine/tasks/102/ctl").write_text("munmap 0 10")
        assert status(tree.path)["Touched"] == "70 of 90"
        (tree / ".machine/tasks/102").rmdir()
        assert told(waiting) == str(len("touch 0 90"))


def test_letting_the_killer_in_again(tree: Mounted) -> None:
    with writer(tree.path, f"touch 0 {LIMIT + 1}") as waiting:
        (tree / "a/memory.oom_control").write_text("0")
        assert told(waiting) == os.strerror(errno.ENOMEM)
    assert oom_control(tree.path) == {"oom_kill_disable": 0, "under_oom": 0, "oom_kill": 1}
    assert status(tree.path)["State"] == "Z (zombie)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_wait_of_who_wrote(tree: Mounted, number: signal.Signals) -> None:
    with writer(tree.path, f"touch 0 {LIMIT + 1}") as waiting:
        waiting.send_signal(number)
        assert waiting.wait(timeout=10) == -number
        await_state(tree.path, 101, "R")
    assert oom_control(tree.path)["under_oom"] == 0
    assert status(tree.path)["Touched"] == f"{LIMIT} of {LIMIT + 1}"
    (tree / ".machine/tasks/101/ctl").write_text("munmap 0 50")
    assert (tree / "a/memory.usage_in_bytes").read_text() == f"{(LIMIT - 50) * PAGE}\n"


def test_the_death_of_the_task(tree: Mounted) -> None:
    with writer(tree.path, f"touch 0 {LIMIT + 1}") as waiting:
        (tree / ".machine/tasks/101").rmdir()
        assert told(waiting) == os.strerror(errno.ENOMEM)
    assert (tree / "a/memory.usage_in_bytes").read_text() == "0\n"


def test_the_death_of_the_process_that_it_stands_for(tree: Mounted) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        (tree / f".machine/tasks/{process.pid}").mkdir()
        (tree / "a/tasks").write_text(str(process.pid))
        with writer(tree.path, f"touch 0 {LIMIT + 1}", process.pid) as waiting:
            process.kill()
            assert told(waiting) == os.strerror(errno.ENOMEM)
    assert (tree / "a/memory.usage_in_bytes").read_text() == "0\n"


def test_being_moved_does_not_help_and_the_group_may_go(tree: Mounted) -> None:
    with writer(tree.path, f"touch 0 {LIMIT + 1}") as waiting:
        (tree / "tasks").write_text("101")
        (tree / "tasks").write_text("102")
        assert status(tree.path)["State"] == "D (disk sleep)"
        (tree / "a").rmdir()
        assert status(tree.path)["State"] == "D (disk sleep)"
        assert tree.tell("cat .machine/check") == "ok\n"
        (tree / ".machine/tasks/101").rmdir()
        assert told(waiting) == os.strerror(errno.ENOMEM)


def test_whoever_must_not_wait_is_told_and_the_task_waits_by_itself(tree: Mounted) -> None:
    ctl = os.open(tree / ".machine/tasks/101/ctl", os.O_WRONLY | os.O_NONBLOCK)
    for command in (f"touch 0 {LIMIT + 10}", "touch 0 1", "setuid 7"):
        with pytest.raises(BlockingIOError):
            os.write(ctl, command.encode())
    assert status(tree.path)["State"] == "D (disk sleep)"
    set_limit(tree, LIMIT + 10)
    assert status(tree.path)["Touched"] == f"{LIMIT + 10} of {LIMIT + 10}"
    assert os.write(ctl, b"setuid 7") == 8
    os.close(ctl)


def test_a_second_command_waits_for_the_first(tree: Mounted) -> None:
    """Of which nobody waits for the outcome."""
    ctl = os.open(tree / ".machine/tasks/101/ctl", os.O_WRONLY | os.O_NONBLOCK)
    with pytest.raises(BlockingIOError):
        os.write(ctl, f"touch 0 {LIMIT + 10}".encode())
    os.close(ctl)
    with writer(tree.path, "setuid 7") as waiting:
        time.sleep(0.3)
        assert waiting.poll() is None
        set_limit(tree, LIMIT + 10)
        assert told(waiting) == "8"
    assert status(tree.path)["Uid"].split() == ["7"] * 4


def test_who_writes_to_its_memory_waits_too(tree: Mounted) -> None:
    text = bytes(range(256)) * ((LIMIT + 10) * PAGE // 256)
    done: list[int] = []

    def write() -> None:
        fd = os.open(tree / ".machine/tasks/101/mem", os.O_WRONLY)
        done.append(os.write(fd, text))
        os.close(fd)

    writing = threading.Thread(target=write)
    writing.start()
    await_state(tree.path, 101, "D")
    set_limit(tree, LIMIT + 10)
    writing.join(10)
    assert done == [len(text)]
    with open(tree / ".machine/tasks/101/mem", "rb", buffering=0) as memory:
        assert memory.read(PAGE) == text[:PAGE]


def test_a_system_call_does_not_wait(tree: Mounted) -> None:
    (tree / ".machine/tasks/101/ctl").write_text(f"touch 0 {LIMIT}")
    with writer(tree.path, "mmap 1000 50 anon locked", waits=False) as waiting:
        assert told(waiting) == os.strerror(errno.ENOMEM)
    assert oom_control(tree.path)["under_oom"] == 0
    assert status(tree.path)["State"] == "R (running)"


def test_those_that_wait_go_on_in_their_order(mount: Callable[..., Mounted]) -> None:
    """Each gets what there is, and waits again."""
    tree = mount(OPTIONS)
    pids = list(range(101, 121))
    make_group(tree.path, *pids)
    (tree / ".machine/tasks/101/ctl").write_text(f"touch 0 {LIMIT}")
    files = [os.open(tree / f".machine/tasks/{pid}/ctl", os.O_WRONLY | os.O_NONBLOCK) for pid in pids[1:]]
    for fd in files:
        with pytest.raises(BlockingIOError):
            os.write(fd, b"touch 0 2")
        os.close(fd)
    set_limit(tree, LIMIT + 5)
    done = [status(tree.path, pid)["Touched"] for pid in pids[1:]]
    assert done == ["2 of 2"] * 2 + ["1 of 2"] + ["0 of 2"] * 16
    set_limit(tree, LIMIT + 38)
    assert {status(tree.path, pid)["Touched"] for pid in pids[1:]} == {"2 of 2"}


def test_many_writers_wait_at_once(mount: Callable[..., Mounted]) -> None:
    tree = mount(OPTIONS)
    pids = list(range(101, 151))
    make_group(tree.path, *pids)
    (tree / ".machine/tasks/101/ctl").write_text(f"touch 0 {LIMIT}")
    answers: list[int] = []

    def write(pid: int) -> None:
        fd = os.open(tree / f".machine/tasks/{pid}/ctl", os.O_WRONLY)
        answers.append(os.write(fd, b"touch 0 2"))
        os.close(fd)

    writers = [threading.Thread(target=write, args=(pid,)) for pid in pids[1:]]
    for each in writers:
        each.start()
    for pid in pids[1:]:
        await_state(tree.path, pid, "D")
    set_limit(tree, LIMIT + 98)
    for each in writers:
        each.join(20)
    assert answers == [9] * 49


def test_each_wait_is_told(tree: Mounted) -> None:
    eventfd = os.eventfd(0, os.EFD_NONBLOCK)
    with open(tree / "a/memory.oom_control") as told_of, open(tree / "a/cgroup.event_control", "wb", buffering=0) as control:
        control.write(b"%d %d" % (eventfd, told_of.fileno()))
        with writer(tree.path, f"touch 0 {LIMIT + 50}"):
            assert os.eventfd_read(eventfd) == 1
            set_limit(tree, LIMIT + 20)
            assert os.eventfd_read(eventfd) == 1
            control.write(b"%d %d" % (eventfd, told_of.fileno()))
            assert os.eventfd_read(eventfd) == 1
    os.close(eventfd)


def test_the_end_of_the_mount_ends_the_wait(directory: Path) -> None:
    with in_front(directory, *MEMCGFS, "mount", "-f", "-o", OPTIONS):
        make_group(directory)
        with writer(directory, f"touch 0 {LIMIT + 1}") as waiting:
            mount = mount_at(directory)
            assert mount is not None
            unmount(mount, lazily=True)
            assert told(waiting) == os.strerror(errno.ENODEV)


def test_the_end_of_the_daemon_ends_the_wait(directory: Path) -> None:
    with in_front(directory, *MEMCGFS, "mount", "-f", "-o", OPTIONS) as daemon:
        make_group(directory)
        with writer(directory, f"touch 0 {LIMIT + 1}") as waiting:
            assert memcgfs("umount", directory).returncode == 1
            daemon.send_signal(signal.SIGTERM)
            waiting.wait(timeout=10)
            assert daemon.wait(timeout=10) == 0
