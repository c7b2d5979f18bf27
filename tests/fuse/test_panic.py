"""panic_on_oom on a real mount: the machine stands still, and the mount does not."""

from __future__ import annotations

from collections.abc import Callable

from .conftest import Mounted

SELECTED = "Kernel panic - not syncing: out of memory. panic_on_oom is selected"


def test_a_machine_that_stands_still(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=4M,swap=0")
    tree.tell("mkdir a .machine/tasks/100; echo 100 > a/tasks; echo 1 > .machine/sys/vm/panic_on_oom")
    eio = "Input/output error"
    assert tree.refusal("echo touch 0 2000 > .machine/tasks/100/ctl") == eio
    for script in (
        "echo touch 0 1 > .machine/tasks/100/ctl",
        "echo +1s > .machine/clock",
        "echo 0 > .machine/sys/vm/panic_on_oom",
        "echo 7 > a/memory.limit",
        "echo $$ > a/tasks",
        "head -c 1 .machine/tasks/100/mem",
    ):
        assert tree.refusal(script) == eio, script
    assert tree.refusal("mkdir .machine/tasks/101").endswith(eio)
    assert tree.tell("tail -n 1 .machine/log").rstrip().endswith(SELECTED)
    assert tree.tell("cat a/tasks .machine/check") == "100\nok\n"
    assert tree.tell("grep ^State .machine/tasks/100/status; grep ^MemFree .machine/meminfo").split()[:3] == ["State:", "R", "(running)"]
