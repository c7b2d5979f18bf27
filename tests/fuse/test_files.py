"""`.machine/files` in a mount: ordinary programs find an ordinary directory."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.refusal import refused

from .conftest import SOMEBODY, Mounted

FILES = ".machine/files"
PAGE = 4096
RENAME_NOREPLACE, RENAME_EXCHANGE = 1, 2
AT_FDCWD = -100


@pytest.fixture
def files(tree: Mounted) -> Mounted:
    """The directory, and a shell in it."""
    return Mounted(tree / FILES)


@pytest.fixture
def outside() -> Iterator[Path]:
    """A directory of this computer with some files to copy."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        (path / "d/e").mkdir(parents=True)
        (path / "empty").touch()
        (path / "d/text").write_text("some\ntext\n")
        (path / "d/e/random").write_bytes(os.urandom(3_000_001))
        (path / "program").write_bytes(Path(sys.executable).resolve().read_bytes()[:100_000])
        (path / "program").chmod(0o750)
        yield path


def test_the_shell(files: Mounted) -> None:
    assert files.tell("echo hello >a; cat a; echo more >>a; cat a; wc -c <a; : >a; cat a; ls") == ("hello\nhello\nmore\n11\na\n")
    assert files.tell("echo abc >a; exec 3<>a; read x <&3; echo $x; echo def >&3; cat a") == "abc\nabc\ndef\n"
    assert files.refusal("set -C; echo x >a") == "cannot overwrite existing file"
    assert files.tell("sort a a | uniq -c | awk '{print $1}'; sed -i s/abc/xyz/ a; cat a") == "2\n2\nxyz\ndef\n"


def test_copies_are_the_same_bytes(files: Mounted, outside: Path) -> None:
    for copy in (
        "cp -r {out}/. c",
        "mkdir c; (cd {out}; tar cf - .) | tar xf - -C c",
        "cp -a {out} c",
        "mkdir c; for f in $(cd {out}; find . -type f); do mkdir -p c/$(dirname $f); "
        "dd if={out}/$f of=c/$f bs=7001 status=none; done; chmod 750 c/program",
        "cp -r {out} x; mv x c",
        "cp -r {out} x; mkdir c; mv x/* c; rmdir x",
        "mkdir c; tar cf c.tar -C {out} .; tar xf c.tar -C c; rm c.tar",
    ):
        script = copy.format(out=outside)
        assert files.tell(f"{script}; diff -r {outside} c && stat -c %a c/program; rm -r c; ls -A") == "750\n", script


def test_python_copies_too(files: Mounted, outside: Path) -> None:
    """shutil asks for the size first, and may use sendfile."""
    script = (
        "import shutil, filecmp, sys; shutil.copytree(sys.argv[1], 'c'); "
        "same = filecmp.dircmp(sys.argv[1], 'c'); print(same.left_only, same.right_only, same.diff_files); "
        "shutil.copytree('c', 'd'); print(open('c/d/e/random', 'rb').read() == open('d/d/e/random', 'rb').read()); "
        "shutil.rmtree('c')"
    )
    ran = subprocess.run([sys.executable, "-c", script, outside], cwd=files.path, capture_output=True, text=True,
                         check=True)  # fmt: skip
    assert ran.stdout == "[] [] []\nTrue\n"
    assert files.tell("ls") == "d\n"


def test_a_program_runs_from_it(files: Mounted) -> None:
    assert files.tell("cp /bin/echo .; ./echo works; printf '#!/bin/sh\necho too\n' >s; chmod +x s; ./s") == ("works\ntoo\n")


REFUSALS = (
    ("mkdir d", "File exists"),
    ("mkdir a", "File exists"),
    ("mkdir none/x", "No such file or directory"),
    ("rmdir d", "Directory not empty"),
    ("rmdir a", "Not a directory"),
    ("rm d", "Is a directory"),
    ("unlink none", "No such file or directory"),
    ("cat d", "Is a directory"),
    ("echo x >d", "Is a directory"),
    ("cat a/x", "Not a directory"),
    ("echo x >a/x", "Not a directory"),
    ("echo x >" + "n" * 256, "File name too long"),
    ("mv a " + "n" * 256, "File name too long"),
    ("mv -T a d", "cannot overwrite directory 'd' with non-directory"),
    ("mv -T d a", "cannot overwrite non-directory 'a' with directory 'd'"),
    ("mv -T empty d", "Directory not empty"),
    ("ln a b", "Operation not permitted"),
    ("ln -s a b", "Operation not permitted"),
    ("mkfifo p", "Operation not permitted"),
    ("mknod c c 1 3", "Operation not permitted"),
    ("mv a ../../web", "Permission denied"),
    ("cp a ../../web", "Permission denied"),
    ("mv ../../web .", "Input/output error"),
    ("rmdir ../files", "Device or resource busy"),
    ("mv ../files ../data", "Device or resource busy"),
)


def test_refusals(tree: Mounted, files: Mounted) -> None:
    tree.tell("mkdir web")
    files.tell("mkdir -p d/e empty; echo abc >a")
    for command, complaint in REFUSALS:
        assert files.refusal(command) == complaint, command
    assert files.tell("find . | sort; cat a").split() == [".", "./a", "./d", "./d/e", "./empty", "abc"]


RENAMES: tuple[tuple[str, str, int, int], ...] = (
    ("a", "b", 0, 0),
    ("a", "c", RENAME_NOREPLACE, 0),
    ("a", "b", RENAME_NOREPLACE, errno.EEXIST),
    ("a", "b", RENAME_EXCHANGE, errno.EINVAL),
    ("a", "a", 0, 0),
    ("a", "a", RENAME_NOREPLACE, errno.EEXIST),
    ("a", "d", 0, errno.EISDIR),
    ("d", "a", 0, errno.ENOTDIR),
    ("d", "d/e/x", 0, errno.EINVAL),
    ("d/e", "d", 0, errno.ENOTEMPTY),
    ("d", "full", 0, errno.ENOTEMPTY),
    ("full", "d/e", 0, 0),
    ("d/.", "x", 0, errno.EBUSY),
    ("none", "x", 0, errno.ENOENT),
    ("a", "none/x", 0, errno.ENOENT),
    ("a", "b/x", 0, errno.ENOTDIR),
    ("a", "n" * 256, 0, errno.ENAMETOOLONG),
)


@pytest.mark.parametrize("where", ["files", "outside"])
def test_renameat2(where: str, request: pytest.FixtureRequest) -> None:
    """The errnos of the kernel's; `outside` shows that this table has them, but for an exchange, which real disks do."""
    place: Mounted | Path = request.getfixturevalue(where)
    libc = ctypes.CDLL(None, use_errno=True)
    for number, (old, new, flags, expected) in enumerate(RENAMES):
        if flags == RENAME_EXCHANGE and where == "outside":
            continue
        root = place / f"case{number}"
        (root / "d/e").mkdir(parents=True)
        (root / "full/x").mkdir(parents=True)
        (root / "a").write_text("a")
        (root / "b").write_text("b")
        ctypes.set_errno(0)
        failed = libc.renameat2(AT_FDCWD, bytes(root / old) if old != "d/." else bytes(root) + b"/d/.", AT_FDCWD,
                                bytes(root / new), flags)  # fmt: skip
        assert (ctypes.get_errno() if failed else 0) == expected, (old, new, flags)
        if not failed and old != new:
            assert not (root / old).exists()
            assert (root / new).read_text() == "a" if old == "a" else (root / new).is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="root is who has made the files")
def test_stat_says_what_it_is(files: Mounted) -> None:
    assert files.tell("umask 027; echo abc >a; mkdir d; stat -c '%A %s %b %B %h %U' a d").splitlines() == [
        "-rw-r----- 4 8 512 1 root",
        "drwxr-x--- 0 0 512 2 root",
    ]
    files.tell("truncate -s 1G a; mkdir d/e")
    size, nr_blocks, nlink = (int(word) for word in files.tell("stat -c '%s %b' a; stat -c %h d").split())
    assert (size, nlink) == (1 << 30, 3)
    assert nr_blocks <= 32
    assert files.tell("tail -c 3 a | od -An -tx1; truncate -s 2 a; cat a; stat -c %s a") == " 00 00 00\nab2\n"


def test_dates_are_the_machines(files: Mounted) -> None:
    """As of 2.6.23, a read dates a file too."""
    files.tell("echo abc >a; echo +10s >../clock; cat a >/dev/null; echo +10s >../clock; echo >>a; chmod 600 a")
    start = 1185567041
    accessed, modified, changed = (int(word) - start for word in files.tell("stat -c '%X %Y %Z' a").split())
    assert (accessed, modified, changed) == (10, 20, 20)
    files.tell("touch -d '2001-02-03 UTC' a; cp -p a b; mkdir d; touch -r a d")
    assert files.tell("stat -c %Y a b d").split() == ["981158400"] * 3
    assert files.tell("echo +5s >../clock; touch a; mv b d; stat -c %Y a d").split() == [str(start + 25)] * 2


def test_noatime(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=64M,noatime")
    tree.tell(f"cd {FILES}; echo abc >a; mkdir ../tasks/7; echo +10s >../clock; cat a >/dev/null; echo read a 0 1 >../tasks/7/ctl")
    assert tree.tell(f"stat -c %X {FILES}/a") == "1185567041\n"


def test_open_flags(files: Mounted) -> None:
    path = files / "a"
    made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o640)
    with refused(errno.EEXIST):
        os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.write(made, b"0123456789")
    one, two = (os.open(path, os.O_WRONLY | os.O_APPEND) for _ in range(2))
    for number in range(5):
        os.write(one if number % 2 else two, b"%d" % number)
    os.pwrite(one, b"end", 0)  # as Linux has it: O_APPEND goes before the offset
    assert os.pread(made, 100, 0) == b"012345678901234end"
    assert (os.lseek(made, 0, os.SEEK_END), stat.S_IMODE(os.fstat(made).st_mode)) == (18, 0o640)
    os.close(os.open(path, os.O_WRONLY | os.O_TRUNC))
    assert os.fstat(made).st_size == 0
    os.ftruncate(made, 5000)
    assert os.pread(made, 9999, 0) == bytes(5000)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(one, 1)
    os.fsync(made)
    os.fdatasync(made)
    for fd in (made, one, two):
        os.close(fd)


def test_an_open_file_outlives_its_name(files: Mounted) -> None:
    with open(files / "a", "w+b", buffering=0) as file:
        file.write(b"abc")
        before = os.statvfs(files.path).f_ffree
        files.tell("rm a; echo new >a")
        assert os.fstat(file.fileno()).st_nlink == 0
        file.write(b"def")
        assert os.pread(file.fileno(), 9, 0) == b"abcdef"
        assert Path(f"/proc/self/fd/{file.fileno()}").read_bytes() == b"abcdef"
        assert files.tell("cat a") == "new\n"
        assert os.statvfs(files.path).f_ffree == before - 1
    files.tell("rm a")
    assert os.statvfs(files.path).f_ffree == before + 1


def test_a_directory_that_one_is_in(files: Mounted) -> None:
    assert files.refusal("mkdir d; cd d; rmdir ../d; echo x >a") == "No such file or directory"


def test_many_names(files: Mounted) -> None:
    files.tell("mkdir d; cd d; for ((i = 0; i < 500; i++)); do echo $i >f$i; done")
    assert files.tell("ls d | wc -l; cat d/f* | sort -n | tail -n 1; rm -r d; ls") == "500\n499\n"


def test_what_a_task_writes_is_seen_at_once(files: Mounted) -> None:
    """Nothing is kept of a file's size or content."""
    files.tell("mkdir ../tasks/7; echo abc >a; stat -c %s a; cat a")
    with open(files / "a", "r+b", buffering=0) as file:
        files.tell("echo write a 1 2 >../tasks/7/ctl")
        assert os.fstat(file.fileno()).st_size == 3 * PAGE
        assert len(os.pread(file.fileno(), 4 * PAGE, 0)) == 3 * PAGE
    assert files.tell("stat -c %s a; echo end >>a; stat -c %s a; tail -n 1 a | tr -d '\\0'") == "12288\n12292\nend\n"
    assert files.tell("ls; echo write new 0 1 >../tasks/7/ctl; ls; stat -c %s new; rm new; ls") == "a\na\nnew\n4096\na\n"


def test_who_was_attached_pays(tree: Mounted) -> None:
    """20000 bytes are five pages.  A child of a member is a member, though nobody attached it."""
    tree.tell("mkdir a b")
    assert tree.tell(f"echo $$ >a/tasks; printf %20000s x >{FILES}/one; echo 0 >tasks; cat a/memory.usage") == "5\n"
    tree.tell(f"echo $$ >b/tasks; exec cat {FILES}/one >{FILES}/two")  # what is read was paid by a
    assert tree.tell("cat b/memory.usage") == "5\n"
    before = int(tree.tell("cat memory.usage"))
    assert tree.tell(f"echo $$ >b/tasks; cp {FILES}/one {FILES}/three; cat b/memory.usage") == "10\n"
    assert int(tree.tell("cat memory.usage")) == before


def test_the_disk_is_what_df_shows(files: Mounted) -> None:
    free, inodes = (int(word) for word in files.tell("df -k --output=avail,iavail . | tail -n 1").split())
    files.tell("head -c 4M /dev/zero >a")
    left, inodes_left = (int(word) for word in files.tell("df -k --output=avail,iavail . | tail -n 1").split())
    assert inodes_left == inodes - 1
    assert 4096 <= free - left < 4096 + 64
    assert files.tell("stat -f -c '%s %l' .") == "4096 255\n"


def test_a_full_disk(mount: Callable[..., Mounted]) -> None:
    files = Mounted(mount("ram=64M,swap=0,files=32M") / FILES)
    free = os.statvfs(files.path).f_bavail
    script = f"for ((i = 0; i < {free // 4096 + 2}; i++)); do head -c 16M /dev/zero >f$i || exit; done"
    assert files.refusal(script) == "No space left on device"
    assert files.refusal("echo x >y && head -c 1M /dev/zero >>y") == "No space left on device"
    files.tell("rm f0; head -c 1M /dev/zero >>y; cat ../check")
    with refused(errno.EFBIG), open(files / "y", "r+b", buffering=0) as file:
        os.ftruncate(file.fileno(), 1 << 62)


def test_mmap_of_this_computer(files: Mounted) -> None:
    """A private mapping is a copy in the computer's memory, a shared one would have to be coherent: ENODEV."""
    (files / "a").write_bytes(b"abc")
    with open(files / "a", "r+b") as file:
        with mmap.mmap(file.fileno(), 3, flags=mmap.MAP_PRIVATE) as private:
            private[0] = ord("x")
            assert private[:] == b"xbc"
        with refused(errno.ENODEV):
            mmap.mmap(file.fileno(), 3, flags=mmap.MAP_SHARED)
    assert (files / "a").read_bytes() == b"abc"


def test_maps_shows_what_ls_shows(files: Mounted) -> None:
    files.tell("mkdir d ../tasks/7; head -c 10000 /dev/zero >d/a; echo mmap 16 2 file:d/a shared >../tasks/7/ctl")
    line = files.tell("cat ../tasks/7/maps").split()
    assert line == ["00010000-00012000", "rw-s", "00000000", "08:01", files.tell("stat -c %i d/a").strip(), "/d/a"]
    assert files.tell("rm d/a; cat ../tasks/7/maps").split()[5:] == ["/d/a", "(deleted)"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_other_users(tree: Mounted, files: Mounted) -> None:
    files.tell("echo secret >a; chmod 600 a; mkdir d")
    files.tell("echo mine >b; mkdir e; echo x >e/f; mkdir ../tasks/7", uid=SOMEBODY)
    assert files.tell("stat -c '%u %a' b e") == f"{SOMEBODY} 644\n{SOMEBODY} 755\n"
    for command, complaint in (
        ("cat a", "Permission denied"),
        ("echo x >a", "Permission denied"),
        ("echo x >d/x", "Permission denied"),
        ("rm -f a", "Operation not permitted"),  # the sticky bit
        ("mv a c", "Operation not permitted"),
        ("chmod 666 a", "Operation not permitted"),
        ("echo read a 0 1 >../tasks/7/ctl", "Permission denied"),
        ("echo mmap 0 1 file:a >../tasks/7/ctl", "Permission denied"),
        ("echo write d/x 0 1 >../tasks/7/ctl", "Permission denied"),
    ):
        assert files.refusal(command, uid=SOMEBODY) == complaint, command
    files.tell("echo write b 0 1 >../tasks/7/ctl; rm -r b e", uid=SOMEBODY)
    assert files.tell("cat a; ls") == "secret\na\nd\n"


def test_read_only(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=64M,ro")
    assert tree.refusal(f"echo x >{FILES}/a") == "Read-only file system"
