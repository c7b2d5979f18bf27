"""Every option, every wrong spelling."""

from __future__ import annotations

import os

import pytest

from memcgfs.options import (
    FLAGS,
    GENERIC_FLAGS,
    VALUES,
    Disk,
    OptionError,
    Options,
    keyword_options,
    parse_options,
)

READ: list[tuple[str, str, object]] = [
    ("", "ram_bytes", 512 << 20),
    ("ram=64M", "ram_bytes", 64 << 20),
    ("ram=64m", "ram_bytes", 64 << 20),
    ("ram=65536", "ram_bytes", 65536),
    ("ram=1T", "ram_bytes", 1 << 40),
    ("ram=2G,ram=3K", "ram_bytes", 3072),
    ("swap=0", "swap_bytes", 0),
    ("swap=16G", "swap_bytes", 16 << 30),
    ("", "files_bytes", 1 << 30),
    ("files=0", "files_bytes", 0),
    ("files=4G", "files_bytes", 4 << 30),
    ("dialect=2007", "dialect", "2007"),
    ("rules=2007", "rules", "2007"),
    ("model=containers2007", "model", "containers2007"),
    ("dialect=2008", "dialect", "2008"),
    ("dialect=2008", "rules", "2008"),
    ("dialect=2008", "model", "cgroups2008"),
    ("rules=2008", "dialect", "2007"),
    ("dialect=v1", "rules", "v1"),
    ("dialect=v1,rules=2008", "rules", "2008"),
    ("rules=2007,dialect=2008", "rules", "2007"),
    ("rules=2007,dialect=2008", "model", "cgroups2008"),
    ("dialect=2008,model=containers2007", "model", "containers2007"),
    ("dialect=2008,dialect=2007", "rules", "2007"),
    ("dialect=2008,noprefix", "names", "noprefix"),
    ("machine=2.6.25-pc", "swap_bytes", 16383 * 4096),
    ("machine=2.6.25-pc", "disk", Disk(0, 0, 128)),
    ("machine=2.6.25-pc", "page_cluster", 0),
    ("machine=2.6.25-pc", "dialect", "2007"),
    ("ram=256M,machine=2.6.25-pc,swap=0", "ram_bytes", 256 << 20),
    ("ram=256M,machine=2.6.25-pc,swap=0", "swap_bytes", 0),
    ("nodes=1", "nodes", 1),
    ("nodes=4", "nodes", 4),
    ("arch=i386", "arch", "i386"),
    ("strict", "strict", True),
    ("memory", "names", "memory"),
    ("mem_container", "names", "mem_container"),
    ("mem_container,noprefix", "names", "noprefix"),
    ("disk=5ms,100M,128", "disk", Disk(5_000_000, 100 << 20, 128)),
    ("strict,disk=0,0,1,swap=0", "disk", Disk(0, 0, 1)),
    ('disk="1us,1G,32",ram=1M', "disk", Disk(1_000, 1 << 30, 32)),
    ("fault=0", "fault_ns", 0),
    ("fault=250ns", "fault_ns", 250),
    ("fault=2s", "fault_ns", 2_000_000_000),
    ("timescale=1", "timescale", 1.0),
    ("timescale=0.25", "timescale", 0.25),
    ("machinedir=visible", "machinedir", "visible"),
    ("host_tasks=off", "host_tasks", False),
    ("host_tasks=off,host_tasks=on", "host_tasks", True),
    ("host_kill=off", "host_kill", False),
    ("host_kill=on", "host_kill", True),
    ("release_agent=/sbin/agent", "release_agent", "/sbin/agent"),
    ('release_agent="/sbin/a,b"', "release_agent", "/sbin/a,b"),
    ("release_agent=", "release_agent", ""),
    ("dialect=v1,batch=64", "batch", 64),
    ("dialect=2008,rules=v1,kmem=on", "kmem", True),
    ("machine=6.18-vm,kmem=off,batch=1", "batch", 1),
    ("private", "private", True),
    ("rw,dev,suid", "rw", True),
    ("rw,ro", "rw", False),
    ("noatime", "atime", False),
]


@pytest.mark.parametrize(("text", "field", "value"), READ)
def test_read(text: str, field: str, value: object) -> None:
    assert getattr(parse_options(text), field) == value


REFUSED = [
    "ram=0", "ram=", "ram", "ram=-1", "ram=16E", "ram=1.5G", "ram=64MB", "ram= 64M", "ram=0x10", "ram=64M ",
    "swap=-1", "swap=16E", "swap=lots", "files=-1", "files", "files=16E",
    "dialect=v2", "dialect=2006", "dialect", "dialect=v1,noprefix",
    "rules=v2", "rules=2009", "mem_container,dialect=2008",
    "nodes=0", "nodes=-1", "nodes=one", "nodes=01",
    "arch=arm", "arch=X86_64",
    "disk=5ms", "disk=5ms,100M", "disk=5ms,100M,0", "disk=-1,100M,8", "disk=5ms,100M,x", "disk=fast",
    "fault=-1", "fault=1m", "timescale=-1", "timescale=nan", "timescale=1e3", "timescale=",
    "machinedir=maybe", "host_tasks=yes", "host_kill=maybe", "machine=phone", "kmem=maybe", "batch=0", "batch=lots",
    "dialect=v1,strict", "dialect=2008,strict", "batch=2", "kmem=on,rules=2008", "release_agent=agent",
    "strict=yes", "noprefix=1", "private,allow_other", "release_agent=" + "x" * 4096,
    "sync", "nonsense", "nonsense=1", "RAM=64M", "xattr", ",", "ram=64M,,strict",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused_in_one_line_that_names_the_option(text: str) -> None:
    with pytest.raises(OptionError) as refusal:
        parse_options(text)
    line = str(refusal.value)
    assert "\n" not in line
    culprits = [word.partition("=")[0] or "empty" for word in text.split(",")]
    assert line.startswith(tuple(culprits))


@pytest.mark.parametrize("text", ["dialect=v2", "rules=v2"])
def test_what_is_not_built_yet_says_so(text: str) -> None:
    with pytest.raises(OptionError, match=f"^{text}: not built yet$"):
        parse_options(text)


def test_generic_options_are_passed_on_as_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert parse_options("").generic == ("default_permissions", "allow_other")
    assert parse_options("private").generic == ("default_permissions",)
    assert set(parse_options("private,ro,nodev,nosuid,noexec,noatime").generic) == {
        "default_permissions", "ro", "nodev", "nosuid", "noexec", "noatime",
    }  # fmt: skip
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert parse_options("rw,default_permissions").generic == ("default_permissions", "rw")
    assert "allow_other" in parse_options("allow_other").generic


def test_the_tables_name_fields_that_there_are() -> None:
    fields = set(Options.__dataclass_fields__)
    assert {field for field, _ in VALUES.values()} <= fields
    assert {field for field, _ in FLAGS.values()} - {"default_permissions"} <= fields
    assert not VALUES.keys() & FLAGS.keys()
    assert all(no.removeprefix("no") in GENERIC_FLAGS for no in GENERIC_FLAGS)


def test_keywords() -> None:
    assert keyword_options(ram="64M", swap=0, dialect=2007, strict=True, noprefix=True, private=False) == parse_options(
        "ram=64M,swap=0,strict,noprefix"
    )
    assert keyword_options(host_tasks=False) == parse_options("host_tasks=off")
    for wrong in ({"nonsense": 1}, {"ram": 0}, {"strict": 1}, {"ram": True}):
        with pytest.raises(OptionError):
            keyword_options(**wrong)
