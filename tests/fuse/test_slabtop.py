"""Today's slabtop reads `.machine/slabinfo`: the file is bound over /proc/slabinfo in a mount namespace of the tool's own."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from .conftest import Mounted

BIND = "mount --bind .machine/slabinfo /proc/slabinfo"


@pytest.fixture
def slabtop(tree: Mounted) -> str:
    """The command that runs slabtop on the tree."""
    if shutil.which("slabtop") is None:
        pytest.skip("slabtop (procps) is not installed")
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", BIND]
    ended = subprocess.run(words, cwd=tree.path, capture_output=True, text=True, timeout=30, check=False)
    if ended.returncode:
        pytest.skip(f"no file can be bound over one of /proc here: {ended.stderr.strip()}")
    return f"unshare --mount --propagation private sh -c '{BIND} && slabtop -o'"


def test_slabtop_reads_it(tree: Mounted, slabtop: str) -> None:
    """1,000 dentries of 208 bytes in 53 slabs of 19, each a page of 4 kB."""
    tree.tell("mkdir .machine/tasks/100; echo lookup 1000 > .machine/tasks/100/ctl")
    lines = tree.tell(slabtop).splitlines()
    totals = dict(line.strip().split(":", 1) for line in lines[:5])
    numbers = {name.rstrip().removesuffix(" (% used)"): text.split("(")[0].split() for name, text in totals.items()}
    assert numbers["Active / Total Objects"] == ["1000", "/", "1007"]
    assert numbers["Active / Total Slabs"] == ["53", "/", "53"]
    assert numbers["Active / Total Caches"] == ["1", "/", "1"]
    objects, active, used, size, slabs, per_slab, cache_size, name = lines[-1].split()
    assert (objects, active, used, slabs, per_slab, cache_size, name) == ("1007", "1000", "99%", "53", "19", "212K", "dentry")
    assert size == "0.20K"
