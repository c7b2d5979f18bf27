"""Mounting and unmounting: the command's forms, its refusals, and that nothing is left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from memcgfs.fuse.mountpoint import MountError, await_end, find_daemon, mount_at, unmount

from .conftest import MEMCGFS, SMALL, SOMEBODY, Mounted, in_front, memcgfs

EXAMPLES = Path(__file__).parents[2] / "examples"

AS_SOMEBODY = f"""
import os, sys
import memcgfs.cli.mount, memcgfs.options  # now: the user may have no right to read where they are installed
from memcgfs.cli import main

os.setgroups([])
os.setresgid({SOMEBODY}, {SOMEBODY}, {SOMEBODY})
os.setresuid({SOMEBODY}, {SOMEBODY}, {SOMEBODY})
sys.exit(main(["mount", sys.argv[1]]))
"""


def mount_in_directory(directory: Path, options: str = SMALL) -> None:
    ended = memcgfs("mount", "-o", options, directory)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def refused(*words: str | Path, status: int = 1) -> str:
    """The one line in which `memcgfs WORDS` says no."""
    ended = memcgfs(*words)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (status, "", 1), ended
    return ended.stderr.strip()


def test_usable_when_mount_returns_and_gone_when_umount_does(directory: Path) -> None:
    mount_in_directory(directory)
    found = mount_at(directory)
    assert found is not None
    assert (found.fstype, found.source) == ("fuse.memcgfs", "memcgfs")
    daemon = find_daemon(found)
    assert daemon is not None
    assert (directory / "memory.usage").read_text() == "0\n"
    ended = memcgfs("umount", directory)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert mount_at(directory) is None
    assert select.select([daemon], [], [], 0)[0]  # the process has ended
    os.close(daemon)


def test_who_keeps_an_unmounted_tree_is_told(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mount namespace that was made meanwhile has the tree, too, and its daemon serves it there."""
    mount_in_directory(directory)
    found = mount_at(directory)
    assert found is not None
    daemon = find_daemon(found)
    assert daemon is not None
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo; exec sleep 60"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        if not other.stdout.readline():
            pytest.skip("no right to a namespace of mounts")
        unmount(found)
        monkeypatch.setattr("memcgfs.fuse.mountpoint.END_TIMEOUT_S", 0.1)
        with pytest.raises(MountError, match=rf"process {other.pid} \((sh|sleep)\) has it in a mount namespace of its own"):
            await_end(found, daemon)
        other.kill()
    assert select.select([daemon], [], [], 10)[0]
    os.close(daemon)


@pytest.mark.parametrize("command", ["proc-of", "cgroups-of"])
def test_the_tools_for_one_tree_keep_no_other_one(mount: Callable[..., Mounted], directory: Path, command: str) -> None:
    one = mount(SMALL)
    mount_in_directory(directory)
    script = [str(EXAMPLES / command), str(one.path), "sh", "-c", "echo; exec cat"]
    with subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
        assert tool.stdout is not None
        if not tool.stdout.readline():
            pytest.skip("no right to namespaces")
        ended = memcgfs("umount", directory)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert tool.stdin is not None
        tool.stdin.close()


def test_the_form_of_mount_8(directory: Path) -> None:
    """SOURCE may be any text, and comes first; what mount(8) adds to the options is taken."""
    ended = memcgfs("any, thing", directory, "-o", f"rw,dev,suid,{SMALL}")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = mount_at(directory)
    assert found is not None
    assert found.source == "any, thing"


def test_a_commands_name_wins_over_a_source(directory: Path) -> None:
    assert refused("umount", directory) == f"memcgfs: {directory}: memcgfs is not mounted there"


def test_a_word_that_is_no_command() -> None:
    """A source comes with a directory."""
    assert refused("memory", status=2) == "memcgfs: memory: no such command; memcgfs --help lists them"


@pytest.mark.parametrize(
    ("slip", "meant"),
    [("unmount", "umount"), ("Umount", "umount"), ("umnt", "umount"), ("mout", "mount"), ("repaly", "replay"), ("explian", "explain")],
)
def test_a_slip_of_a_command_is_no_source(directory: Path, slip: str, meant: str) -> None:
    told = f"memcgfs: {slip}: no such command; did you mean {meant}?"
    assert refused(slip, status=2) == told
    assert refused(slip, directory, status=2) == told
    assert refused(slip, directory, "-o", SMALL, status=2) == told
    assert mount_at(directory) is None


@pytest.mark.parametrize("source", ["none", "memcgfs", "memory", "mem", "cgroup", "machine", "mnt", "/dev/fuse"])
def test_what_fstab_calls_a_source(directory: Path, source: str) -> None:
    assert memcgfs(source, directory, "-o", SMALL).returncode == 0
    found = mount_at(directory)
    assert found is not None
    assert found.source == source


def test_options_several_times(directory: Path) -> None:
    ended = memcgfs("mount", "-o", "ram=64M", "-o", "swap=0,ro", directory)
    assert (ended.returncode, ended.stderr) == (0, "")
    with pytest.raises(OSError, match="Read-only file system"):
        (directory / "a").mkdir()


@pytest.mark.parametrize(
    ("options", "named"),
    [("colour=red", "colour"), ("ram=0", "ram"), ("swap=-1", "swap"), ("ram=16E", "ram"), ("ram=64X", "ram"),
     ("ram=", "ram"), ("ram", "ram"), ("dialect=v3", "dialect"), ("nodes=17", "nodes"), ("timescale=-1", "timescale")],
)  # fmt: skip
def test_options_refused_by_name(directory: Path, options: str, named: str) -> None:
    assert named in refused("mount", "-o", options, directory, status=2)
    assert mount_at(directory) is None


def test_places_refused(directory: Path) -> None:
    file, absent = directory / "file", directory / "absent"
    file.touch()
    assert refused("mount", file) == f"memcgfs: {file}: Not a directory"
    assert refused("mount", absent) == f"memcgfs: {absent}: No such file or directory"


def test_an_empty_word_is_no_place(directory: Path) -> None:
    """An unset variable is not the directory that we are in."""
    for command in (("mount", ""), ("umount", ""), ("explain", "", "1", "1"), ("memory", "")):
        ended = memcgfs(*command, cwd=directory, env={**os.environ, "PYTHONPATH": str(Path.cwd())})
        assert (ended.returncode, ended.stderr) == (1, "memcgfs: '': No such file or directory\n")
    assert mount_at(directory) is None


def test_a_link_to_itself_is_no_place(directory: Path) -> None:
    loop = directory / "loop"
    loop.symlink_to(loop)
    assert refused("mount", loop) == f"memcgfs: {loop}: Too many levels of symbolic links"
    assert refused("umount", loop) == f"memcgfs: {loop}: memcgfs is not mounted there"
    assert refused("explain", loop, "1", "1") == f"memcgfs: {loop}: not in a tree of memcgfs"


def test_a_second_mount_is_refused(directory: Path) -> None:
    mount_in_directory(directory)
    assert refused("mount", directory) == f"memcgfs: {directory}: memcgfs is mounted there already"


def test_a_directory_need_not_be_empty(directory: Path) -> None:
    """As for mount(2); what was there is back when the mount is gone."""
    (directory / "file").touch()
    mount_in_directory(directory)
    assert "file" not in os.listdir(directory)
    assert memcgfs("umount", directory).returncode == 0
    assert os.listdir(directory) == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_no_right_to_dev_fuse(directory: Path) -> None:
    if os.stat("/dev/fuse").st_mode & 0o006:
        pytest.skip("everybody may open /dev/fuse here")
    ended = subprocess.run([sys.executable, "-c", AS_SOMEBODY, directory], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, "memcgfs: no right to /dev/fuse (as root: chmod 666 /dev/fuse): Permission denied\n")


def test_umount_refused(directory: Path) -> None:
    assert refused("umount", directory) == f"memcgfs: {directory}: memcgfs is not mounted there"
    assert refused("umount", "/proc") == "memcgfs: /proc: memcgfs is not mounted there"


def test_umount_of_a_tree_in_use(directory: Path) -> None:
    mount_in_directory(directory)
    with open(directory / "tasks"):
        told = refused("umount", directory)
    advice = f"{'umount -l' if os.geteuid() == 0 else 'fusermount3 -uz'} {directory}"
    assert told == f"memcgfs: {directory}: in use; end whoever reads or works in it, or detach it from them: {advice}"
    assert (directory / "memory.usage").read_text() == "0\n"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_unmounts(directory: Path, sent: signal.Signals) -> None:
    with in_front(directory) as daemon:
        daemon.send_signal(sent)
        assert daemon.wait(10) == 0
        assert daemon.stderr is not None
        assert daemon.stderr.read() == ""
    assert mount_at(directory) is None


def test_a_signal_unmounts_what_is_in_use(directory: Path) -> None:
    with in_front(directory) as daemon, subprocess.Popen(["sleep", "60"], cwd=directory) as user:
        daemon.terminate()
        assert daemon.wait(10) == 0
        user.kill()
    assert mount_at(directory) is None


def test_fusermount_ends_the_daemon(directory: Path) -> None:
    with in_front(directory) as daemon:
        subprocess.run(["fusermount3", "-u", directory], check=True)
        assert daemon.wait(10) == 0


@pytest.mark.parametrize("again", ["mount", "umount"])
def test_what_a_killed_daemon_left_is_cleared(directory: Path, again: str) -> None:
    with in_front(directory) as daemon:
        daemon.kill()
        daemon.wait()
    with pytest.raises(OSError, match="Transport endpoint"):
        os.listdir(directory)
    assert refused("explain", directory, "1", "1") == f"memcgfs: {directory}: Transport endpoint is not connected"
    ended = memcgfs(again, directory)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ("tasks" in os.listdir(directory)) == (again == "mount")


def test_what_a_killed_daemon_left_in_use_is_mounted_over(directory: Path) -> None:
    """Its attributes are still cached where somebody sits in it, so only what must ask the daemon tells that it is dead."""
    with in_front(directory) as daemon, subprocess.Popen(["sleep", "60"], cwd=directory) as user:
        daemon.kill()
        daemon.wait()
        ended = memcgfs("mount", directory)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "tasks" in os.listdir(directory)
        user.kill()


def test_mounts_are_apart(directory: Path) -> None:
    one, two = directory / "one", directory / "two"
    for each in (one, two):
        each.mkdir()
        mount_in_directory(each)
    (one / "a").mkdir()
    assert "a" not in os.listdir(two)
    assert memcgfs("umount", one).returncode == 0
    assert (two / "memory.usage").read_text() == "0\n"
    assert memcgfs("umount", two).returncode == 0


def test_help_and_version() -> None:
    ended = memcgfs("--version")
    assert (ended.returncode, ended.stdout.split()[0]) == (0, "memcgfs")
    ended = memcgfs("--help")
    assert ended.returncode == 0
    assert all(f"\n  {command} " in ended.stdout for command in ("mount", "umount", "replay"))
    assert memcgfs().returncode == 2
    assert memcgfs("mount").returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="mount.fuse mounts for root only")
def test_mount_t_fuse_memcgfs(directory: Path) -> None:
    """What `mount -t fuse.memcgfs` and fstab run; it finds the program on the PATH, where `make install` links it."""
    programs, tree = directory / "programs", directory / "tree"
    for each in (programs, tree):
        each.mkdir()
    (programs / "memcgfs").write_text(f'#!/bin/sh\nPYTHONPATH={Path.cwd()} exec {" ".join(MEMCGFS)} "$@"\n')
    (programs / "memcgfs").chmod(0o755)
    ended = subprocess.run(
        ["mount.fuse", "any", tree, "-t", "fuse.memcgfs", "-o", f"rw,dev,suid,{SMALL},colour=red"],
        env={"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stderr == "memcgfs: colour: no such option\n"
    subprocess.run(
        ["mount.fuse", "any", tree, "-t", "fuse.memcgfs", "-o", f"rw,dev,suid,noatime,{SMALL}"],
        env={"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"}, check=True,
    )  # fmt: skip
    found = mount_at(tree)
    assert found is not None
    assert (found.fstype, found.source) == ("fuse.memcgfs", "any")
    assert memcgfs("umount", tree).returncode == 0
