"""The bytes of a task's memory: they come back, also through swap, forks and copies; what was never written is zeros."""

from __future__ import annotations

import random

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine

from .looking import reclaim_mapped

PAGE = 4096


@pytest.fixture
def task(make_small: MakeMachine) -> mm.Task:
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    return machine.spawn(100, machine.create_container())


def push_out(task: mm.Task) -> None:
    """All pages of the task go to swap."""
    task.container.limit = max(task.container.usage, 1)
    other = task.machine.spawn(900, task.container)
    while task.rss_pages:
        other.touch(other.total_vm, 1)
    task.machine.reap(other)
    task.container.limit = 1 << 40


def test_written_bytes_come_back(task: mm.Task) -> None:
    assert task.write_mem(PAGE - 3, b"sixsix") == 6
    assert task.read_mem(PAGE - 4, 8) == b"\0sixsix\0"
    assert task.rss_pages == 2


def test_unwritten_memory_reads_as_zeros_and_maps_the_zero_page(task: mm.Task) -> None:
    task.mmap(0, 3)
    assert task.read_mem(0, 3 * PAGE) == bytes(3 * PAGE)
    assert task.counts()[:2] == (0, 3)


def test_reading_ends_with_the_mapping(task: mm.Task) -> None:
    task.mmap(0, 1)
    assert task.read_mem(PAGE - 2, 100) == b"\0\0"
    assert task.read_mem(0, 0) == b""
    with pytest.raises(mm.NotMapped):
        task.read_mem(PAGE, 1)


def test_writing_nothing_and_beyond_the_end(task: mm.Task) -> None:
    assert task.write_mem(1 << 60, b"") == 0
    with pytest.raises(mm.BadRange):
        task.write_mem((task.machine.task_pages << 12) - 1, b"ab")
    assert task.total_vm == 0


def test_bytes_survive_swap(task: mm.Task) -> None:
    text = random.Random(1).randbytes(5 * PAGE)
    task.write_mem(123, text)
    push_out(task)
    assert task.swap_pages == 6
    assert task.read_mem(123, len(text)) == text
    assert task.maj_flt > 0


def test_a_touched_page_without_bytes_survives_swap_as_zeros(task: mm.Task) -> None:
    """The slot was another page's before, with bytes."""
    task.write_mem(0, b"x" * PAGE)
    push_out(task)
    task.munmap(0, 1)
    task.touch(1, 1)
    push_out(task)
    assert task.read_mem(PAGE, PAGE) == bytes(PAGE)


def test_a_frame_that_comes_again_is_clean(task: mm.Task) -> None:
    task.write_mem(0, b"x" * (3 * PAGE))
    task.munmap(0, 3)
    task.write_mem(0, b"y")
    assert task.read_mem(0, PAGE) == b"y" + bytes(PAGE - 1)


def test_a_frame_that_was_a_page_table_is_clean(task: mm.Task) -> None:
    task.touch(5 * 512, 1)
    task.munmap(5 * 512, 1)
    task.mmap(0, 4)
    task.touch(0, 4)
    assert task.read_mem(0, 4 * PAGE) == bytes(4 * PAGE)


def test_discarded_bytes_are_zeros(task: mm.Task) -> None:
    task.write_mem(0, b"abc")
    task.madvise(0, 1, "dontneed")
    assert task.read_mem(0, 3) == b"\0\0\0"


def test_after_a_fork_each_has_its_own(task: mm.Task) -> None:
    task.write_mem(0, b"before")
    child = task.fork(101)
    assert child.read_mem(0, 6) == b"before"
    task.write_mem(0, b"AFTER")
    child.write_mem(5, b"E")
    assert (task.read_mem(0, 6), child.read_mem(0, 6)) == (b"AFTERe", b"beforE")


def test_after_a_fork_in_swap_too(task: mm.Task) -> None:
    task.write_mem(0, b"before")
    child = task.fork(101)
    push_out(task)
    assert child.swap_pages == 1
    task.write_mem(0, b"AFTER")
    assert (task.read_mem(0, 6), child.read_mem(0, 6)) == (b"AFTERe", b"before")


def test_random_writes_under_pressure(make_small: MakeMachine) -> None:
    """Two tasks that fork now and then, in a container of 12 pages, against plain bytearrays."""
    machine = make_small(swap_pages=512)
    container = machine.create_container()
    container.limit = 12
    numbers = random.Random(7)
    tasks = {100: machine.spawn(100, container)}
    tasks[100].mmap(0, 20)
    memory = {100: bytearray(20 * PAGE)}
    for step in range(400):
        pid = numbers.choice(list(tasks))
        offset, size = numbers.randrange(19 * PAGE), numbers.randrange(1, PAGE)
        if numbers.random() < 0.5:
            text = numbers.randbytes(size)
            tasks[pid].write_mem(offset, text)
            memory[pid][offset : offset + size] = text
        else:
            assert tasks[pid].read_mem(offset, size) == memory[pid][offset : offset + size]
        if step % 100 == 50:
            child = 200 + step
            tasks[child], memory[child] = tasks[pid].fork(child), memory[pid][:]
        if step % 100 == 99:
            gone = numbers.choice(list(tasks))
            machine.reap(tasks.pop(gone))
            del memory[gone]
    assert machine.vmstat()["pswpin"] > 100
