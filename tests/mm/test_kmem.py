"""kmem.py, kernel_objects.py: what of the kernel's own memory is charged, and to whom."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.kernel_objects import PROCESS_PAGES
from tests.conftest import MakeMachine


@pytest.fixture
def machine(make_small: MakeMachine) -> mm.Machine:
    return make_small(8192, 256, rules="v1", model="cgroups2008")


def kmem(*containers: mm.Container) -> list[int]:
    return [box.counter("kmem").usage for box in containers]


def test_a_page_table_for_each_512_pages_and_a_mapping(machine: mm.Machine) -> None:
    box = machine.create_container()
    task = machine.spawn(10, box)
    task.touch(0, 1024)
    assert kmem(box) == [2 + 1]
    assert box.usage == 1024 + 3
    task.exit()
    assert kmem(box) == [0]


@pytest.mark.fact("K3")
def test_a_thread_elsewhere_pays_for_page_tables_but_not_for_pages(machine: mm.Machine) -> None:
    a, b = machine.create_container(), machine.create_container()
    leader = machine.spawn(10, a)
    leader.mmap(0, 512)
    thread = machine.clone_thread(leader, 11)
    machine.attach(thread, b)
    before = kmem(a)
    thread.touch(0, 512)
    assert kmem(b) == [1]
    assert kmem(a) == before
    assert a.stat()["rss"] // 4096 == 512


@pytest.mark.fact("K4")
def test_written_pages_have_buffer_heads_until_they_go(machine: mm.Machine) -> None:
    box = machine.create_container()
    task, file = machine.spawn(10, box), machine.create_file()
    for page in range(512):
        task.write_file(file, page, 1)
    assert kmem(box) == [-(-(512 * 112 + 9 * 584 + 200) // 4096)]
    task.fsync_file(file)
    task.fadvise_file(file, "dontneed", 0, 0)
    assert kmem(box) == [1]


def test_what_a_task_holds_goes_with_it(machine: mm.Machine) -> None:
    box = machine.create_container()
    task = machine.spawn(10, box)
    task.take_objects("full-pipe", 16)
    assert kmem(box) == [16 * 16 + -(-16 * 2520 // 4096)]
    task.give_objects("full-pipe", 15)
    assert kmem(box) == [17]
    with pytest.raises(mm.BadValue):
        task.give_objects("pipe", 1)
    child = task.fork(11)
    assert kmem(box) == [17 + PROCESS_PAGES]
    child.exit()
    task.exit()
    assert kmem(box) == [0]


@pytest.mark.fact("K5")
def test_a_directory_is_paid_for_by_the_one_above_until_all_is_gone(machine: mm.Machine) -> None:
    above = machine.create_container()
    below = [machine.create_container(above) for _ in range(2)]
    assert kmem(above, *below) == [5, 0, 0]
    for box in below:
        machine.remove_container(box)
    assert kmem(above) == [0]


def test_who_has_no_room_for_the_kernels_memory_gets_none(machine: mm.Machine) -> None:
    box = machine.create_container()
    task = machine.spawn(10, box)
    box.counter("memory").resize(10)
    box.counter("memsw").resize(10)
    box.oom_kill_disable = True
    with pytest.raises(mm.OutOfMemory):
        task.take_objects("full-pipe", 1)
    assert task.state == "R"
    assert kmem(box) == [0]


def test_nothing_is_charged_where_it_is_off(make_small: MakeMachine) -> None:
    machine = make_small(8192, 256, rules="v1", model="cgroups2008", charges_kmem=False)
    box = machine.create_container()
    task = machine.spawn(10, box)
    task.take_objects("full-pipe", 4)
    task.touch(0, 512)
    assert (box.usage, *kmem(box)) == (512, 0)
