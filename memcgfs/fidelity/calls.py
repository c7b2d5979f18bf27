"""System calls by name: what a process of a recorded case does to files, and how the recorder wrote down what came of it.

Contract
- A call is a row of `CALLS`: a function of the words behind its name.  It runs in the process that makes it, and gives a result of the
  record's own shape: `{"ok": 0}`, `{"errno": NAME}` (`"at": "open"` where the file could not even be opened), or values.
- Text that is written has C's escapes, and `\\e` for nothing, `\\s` for a blank; `@N:c` is N times c, and `pad N` behind it fills up
  with blanks.  Modes are octal.
- Whoever calls has put in pids (`$1`), and the places where this machine keeps what the recorded one had in /proc.
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import stat
from collections.abc import Callable
from typing import Any, Final

Result = dict[str, Any]
READ_BYTES: Final = 1 << 16
PAGE_BYTES: Final = 4096
MAP_FAILED: Final = ctypes.c_void_p(-1).value
PROT_READ: Final = 1
MAP_SHARED: Final = 1
NODES: Final = {"p": stat.S_IFIFO, "c": stat.S_IFCHR, "b": stat.S_IFBLK, "s": stat.S_IFSOCK, "r": stat.S_IFREG}

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
libc.write.restype = ctypes.c_ssize_t
libc.write.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
_ESCAPED: Final = {"e": "", "s": " ", "n": "\n", "t": "\t", "r": "\r", "v": "\v", "f": "\f", "0": "\0", "\\": "\\"}


def name_of(number: int) -> str:
    return errno.errorcode.get(number, f"E{number}")


def refusal(error: OSError, at: str = "") -> Result:
    found: Result = {"errno": name_of(error.errno or 0)}
    return {**found, "at": at} if at else found


def text_of(words: list[str]) -> bytes:
    """What `TEXT [pad N]` stands for.

    >>> text_of([r"1\\x002"]), text_of([r"\\e"]), text_of(["@3:9"]), text_of(["8192", "pad", "6"]), text_of([r"a\\sb\\n"])
    (b'1\\x002', b'', b'999', b'8192  ', b'a b\\n')
    """
    word = words[0] if words else ""
    times, colon, unit = word[1:].partition(":")
    if word.startswith("@") and colon and times.isdecimal():
        return unescaped(unit) * int(times)
    text = unescaped(word)
    return text.ljust(int(words[2])) if words[1:2] == ["pad"] else text


def unescaped(word: str) -> bytes:
    def meaning(found: re.Match[str]) -> str:
        code = found[1]
        return chr(int(code[1:], 16)) if len(code) == 3 else _ESCAPED.get(code, code)

    return _ESCAPE.sub(meaning, word).encode("latin-1")


# Control files.


def write(path: str, *words: str, flags: int = 0) -> Result:
    try:
        file = os.open(path, os.O_WRONLY | flags)
    except OSError as error:
        return refusal(error, "open")
    try:
        return {"bytes": os.write(file, text_of(list(words)))}
    finally:
        os.close(file)


def writet(path: str, *words: str) -> Result:
    return write(path, *words, flags=os.O_CREAT | os.O_TRUNC)


def writefault(path: str, *_words: str) -> Result:
    """From an address where nothing is."""
    file = os.open(path, os.O_WRONLY)
    try:
        written = libc.write(file, 1, 1)
        if written < 0:
            raise OSError(ctypes.get_errno(), "")
        return {"bytes": written}
    finally:
        os.close(file)


def read(path: str) -> Result:
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError as error:
        return refusal(error, "open")
    try:
        content = b""
        while piece := os.read(file, READ_BYTES):
            content += piece
        return {"data": content.decode("latin-1")}
    finally:
        os.close(file)


def readat(path: str, offset: str) -> Result:
    file = os.open(path, os.O_RDONLY)
    try:
        return {"data": os.pread(file, READ_BYTES, int(offset)).decode("latin-1")}
    finally:
        os.close(file)


def readchunk(path: str, nbytes: str) -> Result:
    file = os.open(path, os.O_RDONLY)
    try:
        reads: list[str] = []
        while piece := os.read(file, int(nbytes)):
            reads.append(piece.decode("latin-1"))
        return {"reads": reads, "last": 0}
    finally:
        os.close(file)


def rdwr(path: str, *words: str) -> Result:
    """A write and a read through one descriptor, one after the other."""
    file = os.open(path, os.O_RDWR)
    found: Result = {"write": -1, "write_errno": ""}
    try:
        try:
            found["write"] = os.write(file, text_of(list(words)))
        except OSError as error:
            found["write_errno"] = name_of(error.errno or 0)
        try:
            found["read"] = os.read(file, READ_BYTES).decode("latin-1")
        except OSError as error:
            found["read_errno"] = name_of(error.errno or 0)
        return {**found, "pos": os.lseek(file, 0, os.SEEK_CUR)}
    finally:
        os.close(file)


kept: dict[str, int] = {}
"""Descriptors of this process that stay open, by name."""


def openkeep(name: str, path: str, flags: str = "0") -> Result:
    try:
        kept[name] = os.open(path, int(flags))
    except OSError as error:
        return refusal(error, "open")
    return OK


def kread(name: str) -> Result:
    """At offset 0, wherever the last one ended."""
    return {"data": os.pread(kept[name], READ_BYTES, 0).decode("latin-1")}


def kwrite(name: str, *words: str) -> Result:
    return {"bytes": os.write(kept[name], text_of(list(words)))}


def kclose(name: str) -> Result:
    os.close(kept.pop(name))
    return OK


# Names and attributes.

OK: Final[Result] = {"ok": 0}


def ls(path: str) -> Result:
    """In the order in which the directory gives them."""
    entries = []
    with os.scandir(path) as listed:
        for entry in listed:
            found = entry.stat(follow_symlinks=False)
            entries.append([entry.name, f"{found.st_mode:o}", found.st_size, found.st_uid, found.st_gid, found.st_nlink])
    return {"entries": entries}


def stat_of(path: str) -> Result:
    found = os.lstat(path)
    return {
        "mode": f"{found.st_mode:o}",
        "size": found.st_size,
        "uid": found.st_uid,
        "gid": found.st_gid,
        "nlink": found.st_nlink,
        "blksize": found.st_blksize,
    }


def mkdir(path: str, mode: str = "755") -> Result:
    os.mkdir(path, int(mode, 8))
    return OK


def mkdirlong(path: str, length: str) -> Result:
    """A name of so many bytes; the directory is taken away again."""
    name = os.path.join(path, "x" * int(length))
    os.mkdir(name, 0o755)
    os.rmdir(name)
    return OK


def creat(path: str, mode: str = "644") -> Result:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, int(mode, 8)))
    return OK


def mknod(path: str, what: str = "p", *_device: str) -> Result:
    """A mode, or a letter for what kind of node it is; a pipe, if nothing is said."""
    mode = int(what, 8) if what.isdecimal() else NODES[what[0]] | 0o644
    os.mknod(path, mode if stat.S_IFMT(mode) else mode | stat.S_IFIFO)
    return OK


def symlink(*words: str) -> Result:
    *target, path = words
    os.symlink(target[0] if target else "target", path)
    return OK


def _mmapfile(path: str) -> Result:
    file = os.open(path, os.O_RDONLY)
    try:
        if libc.mmap(None, PAGE_BYTES, PROT_READ, MAP_SHARED, file, 0) == MAP_FAILED:
            raise OSError(ctypes.get_errno(), "")
        return OK
    finally:
        os.close(file)


def access(path: str, mode: str = "0") -> Result:
    if libc.access(os.fsencode(path), int(mode, 8)) < 0:
        raise OSError(ctypes.get_errno(), "")
    return OK


def _done(call: Callable[..., object]) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        call(*words)
        return OK

    return run


# The process itself, and others.


def reap(pid: str, how: str = "") -> Result:
    """`n`: without waiting."""
    found, status = os.waitpid(int(pid), os.WNOHANG if how == "n" else 0)
    if found == 0:
        return {"pid_ok": 0, "exited": -1, "signal": 0}
    exited = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    return {"pid_ok": 1, "exited": exited, "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}


def alive(pid: str) -> Result:
    """A zombie counts."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return {"alive": 0}
    return {"alive": 1}


def oom_adj(path: str, value: str) -> Result:
    """As the recorder did: where the file cannot be opened it writes to no descriptor at all."""
    try:
        file = os.open(path, os.O_WRONLY)
    except OSError:
        os.write(-1, value.encode())
        raise
    try:
        os.write(file, value.encode())
    finally:
        os.close(file)
    return OK


CALLS: Final[dict[str, Callable[..., Result]]] = {
    "write": write,
    "writet": writet,
    "writefault": writefault,
    "read": read,
    "readat": readat,
    "readchunk": readchunk,
    "rdwr": rdwr,
    "openkeep": openkeep,
    "kread": kread,
    "kwrite": kwrite,
    "kclose": kclose,
    "ls": ls,
    "stat": stat_of,
    "mkdir": mkdir,
    "mkdirlong": mkdirlong,
    "rmdir": _done(os.rmdir),
    "rename": _done(os.rename),
    "unlink": _done(os.unlink),
    "creat": creat,
    "mknod": mknod,
    "symlink": symlink,
    "link": _done(os.link),
    "chmod": _done(lambda path, mode: os.chmod(path, int(mode, 8))),
    "chown": _done(lambda path, uid, gid: os.chown(path, int(uid), int(gid))),
    "truncate": _done(lambda path, nbytes: os.truncate(path, int(nbytes))),
    "utime": _done(lambda path, *_dates: os.utime(path)),
    "mmapfile": _mmapfile,
    "access": access,
    "umask": _done(lambda mask: os.umask(int(mask, 8))),
    "setuid": _done(lambda uid: os.setuid(int(uid))),
    "seteuid": _done(lambda uid: os.seteuid(int(uid))),
    "reap": reap,
    "kill": _done(lambda pid, number: os.kill(int(pid), int(number))),
    "alive": alive,
    "oom_adj": oom_adj,
}


def run_call(name: str, words: list[str]) -> Result:
    try:
        return CALLS[name](*words)
    except OSError as error:
        return refusal(error)
