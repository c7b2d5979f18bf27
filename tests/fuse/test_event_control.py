"""cgroup.event_control on a real mount: real eventfds of real processes."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from .conftest import SOMEBODY, Mounted, in_front

PAGE = 4096
FILES = {
    "u": "memory.usage_in_bytes", "ms": "memory.memsw.usage_in_bytes", "o": "memory.oom_control", "p": "memory.pressure_level",
    "s": "memory.stat", "l": "memory.limit_in_bytes",
}  # fmt: skip


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    return mount("dialect=v1,ram=64M,swap=0,kmem=off")


@contextmanager
def opened(path: Path | str, flags: int = os.O_RDONLY) -> Iterator[int]:
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


class Client:
    """A group and its task, with an eventfd and the group's files open."""

    def __init__(self, tree: Mounted, name: str = "a", pid: int = 101) -> None:
        self.tree = tree
        self.group = tree / name
        self.group.mkdir()
        self.pid = pid
        (tree / f".machine/tasks/{pid}").mkdir()
        (self.group / "tasks").write_text(str(pid))
        self.fds = {"e": os.eventfd(0, os.EFD_NONBLOCK), "x": os.open("/dev/null", os.O_RDONLY)}
        self.fds |= {short: os.open(self.group / name, os.O_RDONLY) for short, name in FILES.items()}
        self.fds["d"] = os.open(self.group, os.O_RDONLY | os.O_DIRECTORY)

    def register(self, text: str) -> None:
        """With {e} for the number of the eventfd, and so on."""
        with opened(self.group / "cgroup.event_control", os.O_WRONLY) as control:
            command = text.format(**self.fds).encode()
            assert os.write(control, command) == len(command)

    def refusal(self, text: str) -> int | None:
        with pytest.raises(OSError, match=r"\[Errno") as refusal:
            self.register(text)
        return refusal.value.errno

    def fired(self) -> int:
        """How often it was signalled since."""
        try:
            return os.eventfd_read(self.fds["e"])
        except BlockingIOError:
            return 0

    def touch(self, start: int, npages: int) -> None:
        self.ctl(f"touch {start} {npages}")

    def ctl(self, command: str) -> None:
        with opened(self.tree / f".machine/tasks/{self.pid}/ctl", os.O_WRONLY) as fd:
            os.write(fd, command.encode())

    def close(self) -> None:
        for fd in self.fds.values():
            os.close(fd)


@pytest.fixture
def client(tree: Mounted) -> Iterator[Client]:
    client = Client(tree)
    yield client
    client.close()


TAKEN = (
    "{e} {u} 4096", "{e} {u} 1M\n", " {e} {u} 1M ", "{e} {u}", "{e} {u} ", "{e} {u} -1", "{e} {ms} 0x1000", "{e} {o}", "{e} {o} junk",
    "{e} {p} low", "{e} {p} medium,default", "{e} {p} critical,hierarchy", "{e} {p} low,local", "0{e} {u} 1",
)  # fmt: skip
REFUSED = {
    errno.EINVAL: (
        "\n", "{e}", "{e} ", "{e}\t{u}\t1M", "{e} {u},1M", "0x{e} {u} 1M", "-1 {u} 1M", "{e} {u}  1M", "{e} {u} abc", "{e} {p}",
        "{e} {p} bogus", "{e} {p} low,", "{e} {p} Low", "{e} {s} 1M", "{e} {l} 1M", "{e} {x} 1M", "{e} {d} 1M", "{e} {e} 1M",
        "{x} {u} 1M", "{u} {u} 1M",
    ),
    errno.EBADF: ("999 {u} 1M", "{e} 999 1M", "999 {x} bogus"),
    errno.E2BIG: ("1" * 4097,),
}  # fmt: skip


def test_what_is_taken(client: Client) -> None:
    for text in TAKEN:
        client.register(text)
    assert client.fired() == 0


def test_what_is_refused(client: Client) -> None:
    texts = [(number, text) for number, of_number in REFUSED.items() for text in of_number]
    assert [(client.refusal(text), text) for _, text in texts] == texts


def test_a_file_of_another_group_is_none_of_ours(tree: Mounted, client: Client) -> None:
    (tree / "b").mkdir()
    with opened(tree / "b/memory.usage_in_bytes") as fd:
        assert client.refusal(f"{{e}} {fd} 1M") == errno.EINVAL


def test_a_file_of_another_mount_is_none_of_ours(client: Client, mount: Callable[..., Mounted]) -> None:
    """Though it has the same inode number."""
    other = mount("dialect=v1,ram=64M,swap=0,kmem=off")
    (other / "a").mkdir()
    with opened(other / "a/memory.usage_in_bytes") as fd:
        assert client.refusal(f"{{e}} {fd} 1M") == errno.EINVAL


def test_a_threshold_is_crossed_upwards_and_downwards(client: Client) -> None:
    client.register("{e} {u} 4M")
    client.touch(0, 512)
    assert client.fired() == 0
    client.touch(512, 1024)
    assert client.fired() == 1
    client.touch(1536, 256)
    assert client.fired() == 0
    client.ctl("madvise 0 2048 dontneed")
    assert client.fired() == 1
    client.touch(0, 2048)
    assert client.fired() == 1


def test_a_threshold_that_was_passed_before_is_told_downwards_only(client: Client) -> None:
    client.touch(0, 1024)
    client.register("{e} {u} 1M")
    client.touch(1024, 512)
    assert client.fired() == 0
    client.ctl("madvise 0 2048 dontneed")
    assert client.fired() == 1


def test_who_sleeps_in_poll_is_woken(tree: Mounted, client: Client) -> None:
    client.register("{e} {u} 1M")
    script = f"sleep 0.3; echo touch 0 600 >{tree.path}/.machine/tasks/101/ctl"
    with subprocess.Popen(["bash", "-c", script]):
        assert select.select([client.fds["e"]], [], [], 10)[0]
    assert client.fired() == 1


def test_an_oom_kill_is_told_once(client: Client) -> None:
    (client.group / "memory.limit_in_bytes").write_text(str(100 * PAGE))
    client.register("{e} {o}")
    with pytest.raises(OSError, match="allocate"):
        client.touch(0, 200)
    assert client.fired() == 1
    assert "oom_kill 1\n" in (client.group / "memory.oom_control").read_text()


def test_the_end_of_the_group_is_told_to_all(tree: Mounted, client: Client) -> None:
    for text in ("{e} {u} 4M", "{e} {ms} 4M", "{e} {o}", "{e} {p} low"):
        client.register(text)
    (tree / ".machine/tasks/101").rmdir()
    client.group.rmdir()
    assert client.fired() == 4


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_a_file_that_the_writer_may_not_read(tree: Mounted, client: Client) -> None:
    """The right to write cgroup.event_control is not enough."""
    control, usage = client.group / "cgroup.event_control", client.group / "memory.usage_in_bytes"
    control.chmod(0o666)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setresuid(SOMEBODY, SOMEBODY, SOMEBODY)
            with opened(usage) as fd, opened(control, os.O_WRONLY) as to:
                os.read(reading, 1)
                os.write(to, b"%d %d 1M" % (client.fds["e"], fd))
            os._exit(0)
        except OSError as refusal:
            os._exit(refusal.errno or 255)
    time.sleep(0.3)
    usage.chmod(0o400)
    os.write(writing, b"x")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EACCES
    os.close(reading)
    os.close(writing)


def daemon_of(path: Path) -> int:
    for pid in map(int, filter(str.isdecimal, os.listdir("/proc"))):
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(path).encode() in words and b"memcgfs" in words:
            return pid
    raise AssertionError("no daemon")


def eventfds_of(pid: int) -> int:
    """It may close one meanwhile."""
    found = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):
            found += os.readlink(f"/proc/{pid}/fd/{name}") == "anon_inode:[eventfd]"
    return found


def test_who_exits_is_forgotten(tree: Mounted, client: Client) -> None:
    daemon = daemon_of(tree.path)
    before = eventfds_of(daemon)
    script = (
        "import os, sys, time\n"
        "f = os.open(sys.argv[2], os.O_RDONLY); c = os.open(sys.argv[1], os.O_WRONLY)\n"
        "for _ in range(10): os.write(c, b'%d %d 1M' % (os.eventfd(0), f))\n"
        "print(flush=True); time.sleep(60)\n"
    )
    paths = [str(client.group / name) for name in ("cgroup.event_control", "memory.usage_in_bytes")]
    with subprocess.Popen([sys.executable, "-c", script, *paths], stdout=subprocess.PIPE) as dying:
        assert dying.stdout is not None
        dying.stdout.readline()
        assert eventfds_of(daemon) == before + 10
        dying.send_signal(signal.SIGKILL)
    until = time.monotonic() + 5
    while eventfds_of(daemon) != before and time.monotonic() < until:
        time.sleep(0.05)
    assert eventfds_of(daemon) == before
    client.touch(0, 1000)
    assert client.tree.tell("cat .machine/check") == "ok\n"


def test_closed_eventfds_are_forgotten_in_time(tree: Mounted, client: Client) -> None:
    """As many as are open, and some; not as many as there ever were."""
    daemon = daemon_of(tree.path)
    before = eventfds_of(daemon)
    for _ in range(500):
        fd = os.eventfd(0)
        client.register(f"{fd} {{u}} 1M")
        os.close(fd)
    assert eventfds_of(daemon) - before <= 64
    client.register("{e} {u} 1M")
    for _ in range(100):
        fd = os.eventfd(0)
        client.register(f"{fd} {{u}} 1M")
        os.close(fd)
    client.touch(0, 1000)
    assert client.fired() == 1


def test_an_eventfd_that_was_handed_on_lives(tree: Mounted, client: Client) -> None:
    """Who registered it is gone, who got it is told."""
    with ExitStack() as stack:
        fd = stack.enter_context(opened_eventfd())
        script = "import os, sys\nos.write(os.open(sys.argv[1], 1), b'%s %d 1M' % (sys.argv[3].encode(), os.open(sys.argv[2], 0)))"
        paths = [str(client.group / name) for name in ("cgroup.event_control", "memory.usage_in_bytes")]
        subprocess.run([sys.executable, "-c", script, *paths, str(fd)], check=True, pass_fds=(fd,))
        assert tree.tell("cat .machine/check") == "ok\n"
        client.touch(0, 1000)
        assert os.eventfd_read(fd) == 1


@contextmanager
def opened_eventfd() -> Iterator[int]:
    fd = os.eventfd(0, os.EFD_NONBLOCK)
    try:
        yield fd
    finally:
        os.close(fd)


def test_a_full_eventfd_holds_up_nobody(client: Client) -> None:
    """Blocking, and with a count that goes no further."""
    fd = os.eventfd(0)
    client.fds["full"] = fd
    os.eventfd_write(fd, 2**64 - 2)
    client.register("{full} {u} 1M")
    client.touch(0, 1000)
    assert (client.group / "memory.usage_in_bytes").read_text() == f"{1000 * PAGE}\n"
    assert os.eventfd_read(fd) == 2**64 - 2


def test_many_eventfds(client: Client) -> None:
    fds = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(300)]
    for number, fd in enumerate(fds):
        client.register(f"{fd} {{u}} {number * 3 * PAGE}")
    client.touch(0, 2000)
    assert [os.eventfd_read(fd) for fd in fds[1:]] == [1] * 299  # the first, of nothing, was reached before
    for fd in fds:
        os.close(fd)




WITHOUT_PTRACE = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_SYS_PTRACE = 24, 19
assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has what is taken from the daemon here")
def test_a_daemon_that_may_not_take_descriptors_says_so(directory: Path) -> None:
    """It is refused, and the machine's log has the reason."""
    command = [sys.executable, "-c", WITHOUT_PTRACE, "-m", "memcgfs", "mount", "-f", "-o", "dialect=v1,ram=64M,swap=0"]
    with in_front(directory, *command):
        client = Client(Mounted(directory))
        try:
            assert client.refusal("{e} {u} 1M") == errno.EPERM
            log = (directory / ".machine/log").read_text()
        finally:
            client.close()
    assert f"cgroup.event_control: descriptor {client.fds['e']} of process {os.getpid()} may not be taken" in log
    assert "CAP_SYS_PTRACE" in log
