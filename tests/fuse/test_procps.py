"""Today's procps on the machine: its files are bound over those of /proc, in a mount namespace of the tool's own."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Mounted

OVER_PROC = ("meminfo", "vmstat", "zoneinfo", "buddyinfo", "slabinfo", "swaps", "stat", "uptime", "sys/vm")
BINDS = " && ".join(f"mount --bind .machine/{name} /proc/{name}" for name in OVER_PROC)
UNSHARE = ("unshare", "--mount", "--propagation", "slave")

Run = Callable[[str], str]


@pytest.fixture
def procps(tree: Mounted) -> Run:
    """procps("free -m") runs it on the tree's machine."""
    if shutil.which("free") is None:
        pytest.skip("procps is not installed")
    tried = subprocess.run([*UNSHARE, "sh", "-c", BINDS], cwd=tree.path, capture_output=True, text=True, timeout=30, check=False)
    if tried.returncode:
        pytest.skip(f"no file can be bound over one of /proc here: {tried.stderr.strip()}")
    return lambda command: tree.tell(f"{shlex.join(UNSHARE)} sh -c {shlex.quote(f'{BINDS} && {command}')}")


@pytest.fixture(autouse=True)
def busy(tree: Mounted) -> None:
    """Tasks that have run, waited, read a file and are partly in swap; 1,000 dentries; 3 s of idle time."""
    tree.tell("""
        mkdir a .machine/tasks/100 .machine/tasks/101
        echo 1000 > a/memory.limit
        echo 100 > a/tasks
        echo touch 0 3000 > .machine/tasks/100/ctl
        echo mmap 8192 50 anon shared > .machine/tasks/101/ctl
        echo touch 8192 50 > .machine/tasks/101/ctl
        head -c 1M /dev/zero > .machine/files/data
        echo fsync data > .machine/tasks/101/ctl
        echo lookup 1000 > .machine/tasks/101/ctl
        echo run 2s > .machine/tasks/101/ctl
        echo nice 5 > .machine/tasks/101/ctl
        echo run 1s > .machine/tasks/101/ctl
        echo +3s > .machine/clock
        """)  # shared memory: 200 kB


def numbers(tree: Mounted, name: str) -> dict[str, int]:
    """Of a file of the machine's, with a name and a number a line."""
    lines = (tree / f".machine/{name}").read_text().splitlines()
    return {line.split()[0].rstrip(":"): int(line.split()[1]) for line in lines}


def columns(line: str) -> list[int]:
    return [int(word) for word in line.split() if word.isdigit()]


@pytest.mark.parametrize(("option", "unit"), [("", 1), ("-m", 1024), ("-w", 1)])
def test_free(tree: Mounted, procps: Run, option: str, unit: int) -> None:
    lines = procps(f"free {option}").splitlines()
    kb = numbers(tree, "meminfo")
    cache = kb["Cached"] + kb["SReclaimable"]
    total, used, *rest = columns(lines[1])
    assert (total, used) == (kb["MemTotal"] // unit, (kb["MemTotal"] - kb["MemAvailable"]) // unit)
    assert rest == [amount // unit for amount in (kb["MemFree"], 200, *([0, cache] if option == "-w" else [cache]), kb["MemAvailable"])]
    assert columns(lines[2]) == [amount // unit for amount in (kb["SwapTotal"], kb["SwapTotal"] - kb["SwapFree"], kb["SwapFree"])]
    assert kb["SwapTotal"] - kb["SwapFree"] >= 2000 * 4
    assert kb["MemAvailable"] != kb["MemFree"]


def test_vmstat(tree: Mounted, procps: Run) -> None:
    heading, line = procps("vmstat -w").splitlines()[1:]
    shown = dict(zip(re.findall(r"\w+", heading), columns(line), strict=True))
    kb = numbers(tree, "meminfo")
    assert shown["r"] == 2
    assert shown["swpd"] == kb["SwapTotal"] - kb["SwapFree"]
    assert (shown["free"], shown["buff"]) == (kb["MemFree"], 0)
    assert shown["cache"] == kb["Cached"] + kb["SReclaimable"]
    user, nice, _, idle, wait = columns((tree / ".machine/stat").read_text().splitlines()[0])[:5]
    assert (user, nice, idle) == (200, 100, 300)
    assert abs(shown["us"] - 100 * (user + nice) / (user + nice + idle + wait)) <= 1
    assert abs(shown["wa"] - 100 * wait / (user + nice + idle + wait)) <= 1
    assert wait > 10


def test_vmstat_a(tree: Mounted, procps: Run) -> None:
    heading, line = procps("vmstat -a").splitlines()[1:]
    shown = dict(zip(re.findall(r"\w+", heading), columns(line), strict=True))
    kb = numbers(tree, "meminfo")
    assert (shown["active"], shown["inact"]) == (kb["Active"], kb["Inactive"])
    assert kb["Inactive"] >= 1024


def test_vmstat_s(tree: Mounted, procps: Run) -> None:
    lines = [line.strip().split(maxsplit=1) for line in procps("vmstat -s").splitlines()]
    shown = {name: int(number) for number, name in lines}
    kb, events = numbers(tree, "meminfo"), numbers(tree, "vmstat")
    stat = {line.split()[0]: columns(line) for line in (tree / ".machine/stat").read_text().splitlines()}
    user, nice, system, idle, wait = stat["cpu"][:5]
    expected = {
        "K total memory": kb["MemTotal"],
        "K active memory": kb["Active"],
        "K inactive memory": kb["Inactive"],
        "K free memory": kb["MemFree"],
        "K swap cache": kb["Cached"] + kb["SReclaimable"],
        "K total swap": kb["SwapTotal"],
        "K used swap": kb["SwapTotal"] - kb["SwapFree"],
        "K free swap": kb["SwapFree"],
        "non-nice user cpu ticks": user,
        "nice user cpu ticks": nice,
        "system cpu ticks": system,
        "idle cpu ticks": idle,
        "IO-wait cpu ticks": wait,
        "K paged in": events["pgpgin"],
        "K paged out": events["pgpgout"],
        "pages swapped in": events["pswpin"],
        "pages swapped out": events["pswpout"],
        "interrupts": 0,
        "CPU context switches": 0,
        "boot time": 1185567041,
        "forks": 2,
    }
    assert {name: shown[name] for name in expected} == expected
    assert events["pswpout"] >= 2000


def test_slabs(procps: Run) -> None:
    """1,000 dentries of 208 bytes in 53 slabs of 19, each a page of 4 kB."""
    name, objects, total, size, per_slab = procps("vmstat -m").splitlines()[1].split()
    assert (name, objects, total, size, per_slab) == ("dentry", "1000", "1007", "208", "19")
    lines = procps("slabtop -o").splitlines()
    totals = dict(line.strip().split(":", 1) for line in lines[:5])
    shown = {name.rstrip().removesuffix(" (% used)"): text.split("(")[0].split() for name, text in totals.items()}
    assert shown["Active / Total Objects"] == ["1000", "/", "1007"]
    assert shown["Active / Total Slabs"] == ["53", "/", "53"]
    assert shown["Active / Total Caches"] == ["1", "/", "1"]
    assert lines[-1].split() == ["1007", "1000", "99%", "0.20K", "53", "19", "212K", "dentry"]


def test_sysctl_reads_and_writes(tree: Mounted, procps: Run) -> None:
    assert procps("sysctl vm.swappiness") == "vm.swappiness = 60\n"
    assert procps("sysctl -w vm.swappiness=100") == "vm.swappiness = 100\n"
    assert (tree / ".machine/sys/vm/swappiness").read_text() == "100\n"
    listed = dict(line.split(" = ") for line in procps("sysctl -a -r '^vm[.]'").splitlines())
    files = {path.name: path.read_text().strip() for path in (tree / ".machine/sys/vm").iterdir()}
    assert listed == {f"vm.{name}": value for name, value in files.items()}
    assert "Invalid argument" in tree.shell(
        f"{shlex.join(UNSHARE)} sh -c '{BINDS} && sysctl -w vm.swappiness=101'"
    ).stderr


def test_swapon(tree: Mounted, procps: Run) -> None:
    shown = procps("swapon --show=NAME,SIZE,USED,PRIO --bytes --noheadings").split()
    kb = numbers(tree, "meminfo")
    assert shown == ["/dev/swap", str(kb["SwapTotal"] * 1024), str((kb["SwapTotal"] - kb["SwapFree"]) * 1024), "-1"]


def test_uptime(procps: Run) -> None:
    assert "up 0 min" in procps("uptime")


PROC_OF = Path(__file__).parents[2] / "examples/proc-of"


@pytest.fixture
def on_machine(tree: Mounted) -> Run:
    """on_machine("ps -e") runs it with a /proc that is the machine's, tasks included."""
    if shutil.which("ps") is None:
        pytest.skip("procps is not installed")
    tried = subprocess.run([PROC_OF, tree.path, "true"], capture_output=True, text=True, timeout=30, check=False)
    if tried.returncode:
        pytest.skip(f"no /proc can be put together here: {tried.stderr.strip()}")
    return lambda command: tree.tell(f"{shlex.quote(str(PROC_OF))} . {command}")


def test_ps(tree: Mounted, on_machine: Run) -> None:
    lines = on_machine("ps -e -o pid,ppid,rss,vsz,sz,nice,stat,time,min_flt,maj_flt,comm,cgroup --sort pid").splitlines()
    assert lines[1].split()[10] == "ps"
    rss = re.search(r"VmRSS:\t +(\d+) kB", (tree / ".machine/tasks/100/status").read_text())
    assert rss is not None
    assert lines[2].split() == ["100", "1", rss[1], "12000", "3000", "0", "Rs", "00:00:00", "3000", "0", "task", "1:memory:/a"]
    pid, _, _, _, _, nice, state, time, *_ = lines[3].split()
    assert (pid, nice, state, time) == ("101", "5", "RNs", "00:00:03")
    share = float(on_machine("ps -p 100 -o pmem --no-headings"))
    assert abs(share - 100 * int(rss[1]) / numbers(tree, "meminfo")["MemTotal"]) <= 0.1
    assert "2007" in on_machine("ps -p 100 -o lstart --no-headings")


def test_top(tree: Mounted, on_machine: Run) -> None:
    text = on_machine("top -b -n 1 -p 100")
    kb = numbers(tree, "meminfo")
    assert f"{kb['MemTotal'] / 1024:.1f} total" in text
    assert f"{kb['MemFree'] / 1024:.1f} free" in text
    assert re.search(r"^ +100 \S+ +20 +0 +12000 .* task *$", text, re.MULTILINE)


def test_the_rest_of_procps(on_machine: Run) -> None:
    assert sorted(on_machine("pgrep task").split()) == ["100", "101"]
    assert on_machine("pmap 100").splitlines()[-1].split() == ["total", "12000K"]
    assert "forks" in on_machine("vmstat -f")
