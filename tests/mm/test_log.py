"""The kernel's log: a ring, and what of the OOM killer's table fits in."""

from __future__ import annotations

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine


def lines(machine: mm.Machine) -> list[str]:
    """Without the time."""
    return [line.partition("] ")[2] for line in machine.log]


def test_it_is_a_ring(make_small: MakeMachine) -> None:
    machine = make_small()
    for number in range(5000):
        machine.printk(str(number))
    assert lines(machine) == [str(number) for number in range(5000 - 4096, 5000)]


def test_twenty_rows_of_a_containers_table(make_small: MakeMachine) -> None:
    """32 tasks. The victim is the worst; the others, charged elsewhere, have 0 points and stand in the order in which they were made."""
    machine = make_small(frames=512, swap_pages=0)
    elsewhere, container = machine.create_container(), machine.create_container()
    container.limit = 2
    task = machine.spawn(100, container, comm="hog")
    for number in range(31):
        machine.spawn(200 + number, elsewhere).mmap(0, 10 + number)
    task.mmap(0, 3)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 3)
    found = lines(machine)
    assert found[0] == "[  100] uid 1000 total_vm 3 rss 2 oom_adj 0 points 3 chosen"
    assert [line[:7] for line in found[1:20]] == [f"[  {pid}]" for pid in range(200, 219)]
    assert all(line.endswith("points 0 spared, charged elsewhere") for line in found[1:20])
    assert found[20:] == [
        "... and 12 more",
        "Memory container out of memory: kill process 100 (hog) score 3 or a child",
        "Killed process 100 (hog)",
        "VM: killing process hog",
    ]


@pytest.mark.parametrize("spared", [19, 20, 21])
def test_the_victim_has_a_row_however_few_its_points_are(make_small: MakeMachine, spared: int) -> None:
    """An outsider at 0 points, because nobody inside may be killed. Those score, though -17 divides by 2^17; the outsider's row is the
    last, the 21st where 20 or more stand above it."""
    machine = make_small(frames=512, swap_pages=0)
    machine.spawn(100, machine.create_container())
    container = machine.create_container()
    container.limit = 1
    for number in range(spared):
        other = machine.spawn(200 + number, container)
        other.mmap(0, 1 + number << 17)
        other.set_oom_adj(-17)
    with pytest.raises(mm.OutOfMemory):
        machine.tasks[200].touch(0, 2)
    found = lines(machine)
    assert found[0] == f"[  {199 + spared}] uid 1000 total_vm {spared << 17} rss 0 oom_adj -17 points {spared} spared"
    rows = [line for line in found if " points " in line]
    assert len(rows) == min(spared, 20) + 1
    assert rows[-1] == "[  100] uid 1000 total_vm 0 rss 0 oom_adj 0 points 0 chosen, charged elsewhere"
    assert [line for line in found if line.startswith("... and")] == (["... and 1 more"] if spared > 20 else [])


def test_the_machines_own_kill_names_who_asked_first(make_small: MakeMachine) -> None:
    machine = make_small(frames=32, swap_pages=0)
    task = machine.spawn(100, comm="hog")
    task.set_oom_adj(-17)
    with pytest.raises(mm.MachinePanicked):
        task.touch(0, 40)
    assert lines(machine) == [
        "hog invoked oom-killer: gfp_mask=0xd2, order=0, oomkilladj=-17",
        "Kernel panic - not syncing: Out of memory and no killable processes...",
    ]
