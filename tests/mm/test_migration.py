"""Moving tasks between containers (patch 5/9): the address space goes with the leader of the threads, the pages stay."""

from __future__ import annotations

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine


@pytest.fixture
def scene(make_small: MakeMachine) -> tuple[mm.Machine, mm.Container, mm.Container, mm.Task]:
    machine = make_small()
    here, there = machine.create_container(), machine.create_container()
    task = machine.spawn(100, here)
    task.touch(0, 3)
    return machine, here, there, task


Scene = tuple[mm.Machine, mm.Container, mm.Container, mm.Task]


@pytest.mark.fact("M1")
def test_no_page_moves_but_new_charges_go_to_the_new_container(scene: Scene) -> None:
    machine, here, there, task = scene
    machine.attach(task, there)
    assert (here.usage, there.usage) == (3, 0)
    task.touch(3, 2)
    assert (here.usage, there.usage) == (3, 2)


@pytest.mark.fact("C30", "M2")
def test_the_reference_of_the_address_space_moves(scene: Scene) -> None:
    machine, here, there, task = scene
    assert (here.css_refs, there.css_refs) == (4, 0)
    machine.attach(task, there)
    assert (here.css_refs, there.css_refs) == (3, 1)


@pytest.mark.fact("M3")
def test_old_charges_keep_the_old_container_busy_until_the_pages_go(scene: Scene) -> None:
    machine, here, there, task = scene
    machine.attach(task, there)
    with pytest.raises(mm.ContainerBusy):
        machine.remove_container(here)
    task.munmap(0, 3)
    machine.remove_container(here)


@pytest.mark.fact("M6")
def test_attaching_to_where_it_is_changes_nothing(scene: Scene) -> None:
    machine, here, _, task = scene
    machine.attach(task, here)
    assert (here.usage, here.css_refs) == (3, 4)


@pytest.mark.fact("C11", "M4")
def test_a_thread_moves_without_its_memory(scene: Scene) -> None:
    machine, here, there, task = scene
    thread = machine.clone_thread(task, 101)
    machine.attach(thread, there)
    assert (thread.container, task.container) == (there, here)
    thread.touch(3, 1)
    assert (here.usage, there.usage, there.css_refs) == (4, 0, 0)


@pytest.mark.fact("C11")
def test_a_leader_takes_its_threads_memory_along(scene: Scene) -> None:
    machine, here, there, task = scene
    thread = machine.clone_thread(task, 101)
    machine.attach(task, there)
    assert thread.container is here
    thread.touch(3, 1)
    assert there.usage == 1


@pytest.mark.fact("M5")
def test_after_the_leaders_death_nobody_can_move_the_memory(scene: Scene) -> None:
    machine, here, there, task = scene
    thread = machine.clone_thread(task, 101)
    task.exit()
    machine.attach(thread, there)
    thread.touch(3, 1)
    assert (here.usage, there.usage) == (4, 0)


def test_an_address_space_lives_until_its_last_thread_is_gone(scene: Scene) -> None:
    machine, here, _, task = scene
    thread = machine.clone_thread(task, 101)
    task.exit()
    assert here.usage == 3
    thread.exit()
    assert (here.usage, here.css_refs) == (0, 0)


@pytest.mark.fact("C10")
def test_exec_charges_where_the_task_is_now(scene: Scene) -> None:
    """A thread that moved alone gets an address space of its own, and so a container of its own."""
    machine, here, there, task = scene
    thread = machine.clone_thread(task, 101)
    machine.attach(thread, there)
    thread.exec()
    thread.touch(0, 2)
    assert (here.usage, there.usage, there.css_refs) == (3, 2, 3)
    task.exec()
    assert (here.usage, task.total_vm) == (0, 0)


@pytest.mark.fact("C10")
def test_a_child_is_born_into_its_parents_container(scene: Scene) -> None:
    _, here, _, task = scene
    child = task.fork(101)
    assert child.container is here
    child.touch(0, 3)
    assert here.usage == 6


@pytest.mark.fact("C10")
def test_the_child_of_a_thread_that_moved_is_charged_where_the_thread_is(scene: Scene) -> None:
    """mm_init takes the container of the task that forks, not that of the memory which it copies."""
    machine, here, there, task = scene
    thread = machine.clone_thread(task, 101)
    machine.attach(thread, there)
    child = thread.fork(102)
    child.touch(0, 1)
    assert (child.container, here.usage, there.usage) == (there, 3, 1)


@pytest.mark.fact("C19")
def test_what_is_shared_after_a_fork_stays_with_who_touched_it_first(scene: Scene) -> None:
    machine, here, there, task = scene
    child = task.fork(101)
    machine.attach(child, there)
    child.touch(0, 3, write=False)
    machine.reap(task)
    assert (here.usage, there.usage) == (3, 0)
    machine.reap(child)
    assert here.usage == 0


def test_a_dead_task_cannot_be_attached(scene: Scene) -> None:
    machine, _, there, task = scene
    task.exit()
    with pytest.raises(mm.TaskDead):
        machine.attach(task, there)
    assert task.container is machine.root
