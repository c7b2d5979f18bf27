"""trace_pipe on a real mount: readers wait, others go on, and what ends the wait."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from memcgfs.fuse.mountpoint import mount_at, unmount

from .conftest import Mounted, in_front, memcgfs

PIPE = ".machine/trace/trace_pipe"
CHARGE = "echo memcg:charge >.machine/trace/set_event; mkdir -p .machine/tasks/101; echo touch 0 1 >.machine/tasks/101/ctl"


@contextmanager
def reader(path: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits in a read of trace_pipe, killed at the end if it still does. Signals end it, also where ours are ignored (as
    those of a job in the background are)."""
    words = ("env", "--default-signal", *(command or ("cat", str(path / PIPE))))
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/") as waiting:
        time.sleep(0.3)
        assert waiting.poll() is None
        try:
            yield waiting
        finally:
            waiting.kill()


def test_a_line_arrives_when_it_happens(tree: Mounted) -> None:
    with reader(tree.path) as waiting:
        assert tree.tell("cat memory.usage; mkdir a; rmdir a") == "0\n"
        started = time.monotonic()
        tree.tell(CHARGE)
        assert waiting.stdout is not None
        assert b"task-101 " in waiting.stdout.readline()
        assert time.monotonic() - started < 5
        tree.tell("echo touch 1 1 >.machine/tasks/101/ctl")
        assert b": charge: pfn=" in waiting.stdout.readline()


def test_several_readers_share_what_comes(tree: Mounted) -> None:
    with reader(tree.path) as one, reader(tree.path) as two, reader(tree.path) as three:
        for _ in range(3):
            tree.tell(CHARGE + "; echo munmap 0 1 >.machine/tasks/101/ctl")
        time.sleep(0.3)
        text = b""
        for waiting in (one, two, three):
            waiting.terminate()
            text += waiting.communicate(timeout=5)[0]
        assert text.count(b": charge:") == 3
    assert tree.tell("cat .machine/check") == "ok\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_the_wait(tree: Mounted, number: signal.Signals) -> None:
    with reader(tree.path) as waiting:
        waiting.send_signal(number)
        assert waiting.wait(timeout=5) == -number


def test_a_reader_that_was_handed_the_file_can_be_killed(tree: Mounted) -> None:
    """The opener is the shell, who reads is its child."""
    script = f"exec 3<{tree.path / PIPE}; cat <&3 & echo $!; wait; exec 3<&-"
    with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        pid = int(shell.stdout.readline())
        time.sleep(0.3)
        os.kill(pid, signal.SIGTERM)
        assert shell.wait(timeout=10) == 0


def test_a_handled_signal_is_eintr(tree: Mounted) -> None:
    script = (
        "import os, signal, sys\n"
        "class Stop(Exception): pass\n"
        "def stop(*_): raise Stop\n"
        "signal.signal(signal.SIGALRM, stop); signal.setitimer(signal.ITIMER_REAL, 0.6)\n"
        "try: os.read(os.open(sys.argv[1], os.O_RDONLY), 100)\n"
        "except Stop: print('stopped')\n"
    )
    with reader(tree.path, "python3", "-c", script, str(tree.path / PIPE)) as waiting:
        assert waiting.communicate(timeout=10)[0] == b"stopped\n"


def test_whoever_must_not_wait_is_told(tree: Mounted) -> None:
    pipe = os.open(tree.path / PIPE, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="temporarily") as refusal:
        os.read(pipe, 100)
    os.close(pipe)
    assert refusal.value.errno == errno.EAGAIN


def test_truncation_clears(tree: Mounted) -> None:
    tree.tell(CHARGE)
    assert tree.tell("grep -c charge: .machine/trace/trace") == "1\n"
    tree.tell(": >.machine/trace/trace")
    assert tree.refusal("grep charge: .machine/trace/trace") == ""
    tree.tell(": >.machine/trace/set_event")
    assert tree.tell("cat .machine/trace/set_event") == ""
    tree.tell("echo oom:oom_kill >.machine/trace/set_event; echo memcg:charge >>.machine/trace/set_event")
    assert tree.tell("cat .machine/trace/set_event") == "memcg:charge\noom:oom_kill\n"


def test_waits_feel_no_timescale(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=64M,swap=0,timescale=1")
    with reader(tree.path) as waiting:
        tree.tell(CHARGE)
        assert waiting.stdout is not None
        assert b"charge" in waiting.stdout.readline()


def test_the_end_of_the_mount_ends_the_wait(directory: Path) -> None:
    with in_front(directory), reader(directory) as waiting:
        mount = mount_at(directory)
        assert mount is not None
        unmount(mount, lazily=True)
        assert waiting.wait(timeout=10) == 0


def test_umount_while_somebody_waits_says_what_to_do(directory: Path) -> None:
    """And that works: the mount goes, the reader is at the end of the file, and the daemon ends."""
    with in_front(directory) as daemon, reader(directory) as waiting:
        ended = memcgfs("umount", directory)
        assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
        advice = ended.stderr.strip().rpartition(" or detach it from them: ")[2]
        assert str(directory) in advice
        subprocess.run(advice, shell=True, check=True)
        assert waiting.wait(timeout=10) == 0
        assert daemon.wait(timeout=10) == 0


def test_the_end_of_the_daemon_ends_the_wait(directory: Path) -> None:
    with in_front(directory) as daemon, reader(directory) as waiting:
        daemon.send_signal(signal.SIGTERM)
        waiting.wait(timeout=10)
        assert daemon.wait(timeout=10) == 0
