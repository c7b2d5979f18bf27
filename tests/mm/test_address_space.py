"""Mappings: mmap, munmap, madvise and mlock, how VMAs merge and split, and that page tables come back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcgfs import mm
from memcgfs.mm import address_space
from tests.conftest import MakeMachine, engine_of

END = {"x86_64": 1 << 35, "i386": 3 << 18}


def ranges(task: mm.Task) -> list[tuple[int, int]]:
    return [(vma.start, vma.end) for vma in task.vmas()]


@pytest.fixture
def task(make_small: MakeMachine) -> mm.Task:
    return make_small().spawn(100)


# mmap


def test_neighbours_become_one(task: mm.Task) -> None:
    task.mmap(10, 5)
    task.mmap(20, 5)
    assert ranges(task) == [(10, 15), (20, 25)]
    task.mmap(15, 5)
    assert ranges(task) == [(10, 25)]
    task.mmap(8, 2)
    task.mmap(25, 1)
    assert ranges(task) == [(8, 26)]
    assert task.total_vm == 18


def test_different_kinds_stay_apart(task: mm.Task) -> None:
    task.mmap(0, 5)
    task.mmap(5, 5, locked=True)
    assert ranges(task) == [(0, 5), (5, 10)]
    assert [(vma.permissions, vma.is_locked) for vma in task.vmas()] == [("rw-p", False), ("rw-p", True)]


def test_shared_memory_is_a_mapping_of_its_own(task: mm.Task) -> None:
    """Two neighbours are two files, and are not joined; over another mapping it is refused, and leaves no file behind."""
    task.mmap(0, 5, shared=True)
    task.mmap(5, 5, shared=True)
    with pytest.raises(mm.MappingExists):
        task.mmap(4, 1, shared=True)
    assert [(vma.start, vma.end, vma.permissions) for vma in task.vmas()] == [(0, 5, "rw-s"), (5, 10, "rw-s")]
    assert len(task.machine.files) == 2
    task.munmap(0, 10)
    assert not task.machine.files


def test_neighbours_with_pages_of_their_own_stay_apart(task: mm.Task) -> None:
    """Two anon_vmas: their pages could not be found through one."""
    task.mmap(0, 5)
    task.mmap(10, 5)
    task.touch(0, 5)
    task.touch(10, 5)
    task.mmap(5, 5)
    assert ranges(task) == [(0, 10), (10, 15)]


def test_a_joined_mapping_finds_the_pages_of_its_upper_part(task: mm.Task) -> None:
    task.mmap(10, 5)
    task.touch(10, 5)
    task.mmap(0, 5)
    task.mmap(5, 5)
    assert ranges(task) == [(0, 15)]
    task.touch(0, 15)
    assert task.rss_pages == 15


@pytest.mark.parametrize(("start", "npages"), [(10, 1), (14, 1), (0, 11), (14, 10), (0, 100)])
def test_a_mapping_over_another_is_refused(task: mm.Task, start: int, npages: int) -> None:
    task.mmap(10, 5)
    with pytest.raises(mm.MappingExists):
        task.mmap(start, npages)
    assert ranges(task) == [(10, 15)]


@pytest.mark.parametrize("arch", ["x86_64", "i386"])
def test_the_address_space_ends_where_the_architecture_says(make_small: MakeMachine, arch: str) -> None:
    task = make_small(arch=arch).spawn(100)
    end = END[arch]
    task.mmap(end - 1, 1)
    task.touch(end - 1, 1)
    discard = partial(task.madvise, advice="dontneed")
    for call in (task.mmap, task.munmap, discard, task.mlock, task.munlock, task.touch):
        for start, npages in ((end, 1), (end - 1, 2), (-1, 1), (0, 0), (0, -1), (1 << 60, 1)):
            with pytest.raises(mm.BadRange):
                call(start, npages)
    assert ranges(task) == [(end - 1, end)]


@pytest.mark.parametrize("page", [END["x86_64"] + 1, END["x86_64"] + 600])
def test_an_access_beyond_the_end_is_refused(engine: ModuleType, page: int) -> None:
    """In the index of segments, what follows the end belongs to the next address space."""
    machine = mm.Machine(mm.MachineConfig(zone_pages=(64, 0, 0, 0), swap_bytes=0, min_free_kbytes=0, max_containers=2), engine)
    task, neighbour = machine.spawn(100), machine.spawn(200)
    neighbour.touch(0, 3)
    with pytest.raises(mm.BadRange):
        task.access([page], [1])
    assert task.page_table_pages == 0
    machine.check()


def test_a_task_has_a_limited_number_of_mappings(task: mm.Task) -> None:
    task.machine.vma_ids.count = 4
    for start in (0, 10, 20):
        task.mmap(start, 2)
    with pytest.raises(mm.TooManyMappings):
        task.mmap(30, 1)
    with pytest.raises(mm.TooManyMappings):
        task.mlock(0, 1)
    task.mmap(2, 1)
    assert ranges(task) == [(0, 3), (10, 12), (20, 22)]


def test_no_task_has_more_mappings_than_the_kernel_allows(task: mm.Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """65,536, here 3."""
    monkeypatch.setattr(address_space, "MAX_MAP_COUNT", 3)
    for start in (0, 10, 20):
        task.mmap(start, 2)
    with pytest.raises(mm.TooManyMappings, match="a task has at most 3 mappings"):
        task.mmap(30, 1)
    task.mmap(22, 1)
    assert ranges(task) == [(0, 2), (10, 12), (20, 23)]


def test_mappings_of_two_files_stay_apart(task: mm.Task) -> None:
    """Locking makes their flags alike, and so does unlocking."""
    for start in (0, 2):
        file = task.machine.create_file()
        file.truncate(2 * 4096)
        task.mmap(start, 2, file=file)
        file.put()
    for call in (task.mlock, task.munlock):
        call(0, 4)
        assert ranges(task) == [(0, 2), (2, 4)]


# munmap


def test_unmapping_cuts_splits_and_passes_over_holes(task: mm.Task) -> None:
    task.mmap(0, 20)
    task.munmap(5, 5)
    assert ranges(task) == [(0, 5), (10, 20)]
    task.munmap(3, 9)
    assert ranges(task) == [(0, 3), (12, 20)]
    task.munmap(0, 100)
    assert ranges(task) == []
    task.munmap(0, 100)


def test_unmapping_gives_back_pages_and_their_charge(task: mm.Task) -> None:
    task.touch(0, 10)
    task.munmap(2, 3)
    assert (task.rss_pages, task.container.usage) == (7, 7)


@pytest.mark.parametrize(
    ("start", "npages", "left"),
    [(0, 512, 2), (0, 513, 2), (0, 1023, 2), (0, 1024, 1), (510, 1, 3), (1024, 10, 3), (0, 1100, 1), (0, 1536, 0)],
)
def test_a_page_table_goes_with_the_last_mapping_above_it(task: mm.Task, start: int, npages: int, left: int) -> None:
    """Pages 0..1535 and three page tables. Page 1100 is still mapped after 1100 were unmapped."""
    task.mmap(0, 1536)
    for page in (0, 600, 1200):
        task.touch(page, 1)
    task.munmap(start, npages)
    assert task.page_table_pages == left
    assert task.machine.meminfo()["PageTables"] == 4 * left


def test_segments_of_page_tables_are_used_again(task: mm.Task) -> None:
    """A machine of 64 frames knows 64 segments of 2^22 pages: more than that, one after the other."""
    for segment in range(100):
        task.touch(segment << 22, 1)
        task.munmap(segment << 22, 1)
    assert task.page_table_pages == 0


def test_exit_gives_everything_back(task: mm.Task) -> None:
    machine = task.machine
    task.touch(0, 10)
    task.touch(5 << 22, 10, write=False)
    task.mmap(1000, 5)
    task.exit()
    assert (machine.zones()[0].free, machine.vma_ids.nr_taken, machine.anon_vma_ids.nr_taken) == (63, 0, 0)
    assert machine.root.usage == 0


# madvise and mlock


def test_discarded_pages_read_as_new(task: mm.Task) -> None:
    task.touch(0, 10)
    task.madvise(2, 3, "dontneed")
    assert (task.rss_pages, ranges(task)) == (7, [(0, 10)])
    assert task.touch(0, 10).minor == 3


def test_locked_pages_cannot_be_discarded(task: mm.Task) -> None:
    task.touch(0, 10)
    task.mlock(4, 2)
    with pytest.raises(mm.BadRange):
        task.madvise(0, 10, "dontneed")
    assert task.rss_pages == 10
    task.munlock(4, 2)
    task.madvise(0, 10, "dontneed")
    assert task.rss_pages == 0


@pytest.mark.fact("P4")
def test_locking_faults_in_splits_and_unlocking_joins_again(task: mm.Task) -> None:
    task.mmap(0, 10)
    task.mlock(3, 4)
    assert ranges(task) == [(0, 3), (3, 7), (7, 10)]
    assert (task.rss_pages, task.locked_pages) == (4, 4)
    task.munlock(3, 4)
    assert (ranges(task), task.locked_pages) == ([(0, 10)], 0)


@pytest.mark.parametrize("call", [mm.Task.mlock, mm.Task.munlock])
def test_a_hole_cannot_be_locked(task: mm.Task, call: Callable[[mm.Task, int, int], None]) -> None:
    task.mmap(0, 5)
    task.mmap(6, 5)
    with pytest.raises(mm.OutOfMemory):
        call(task, 0, 11)
    assert (task.state, task.locked_pages, ranges(task)) == ("R", 0, [(0, 5), (6, 11)])


def test_mlock_beyond_the_limit_kills(task: mm.Task) -> None:
    task.machine.root.limit = 3
    task.mmap(0, 10)
    with pytest.raises(mm.OutOfMemory):
        task.mlock(0, 10)
    assert task.state == "Z"


def test_the_dead_can_do_nothing(task: mm.Task) -> None:
    task.exit()
    discard = partial(task.madvise, advice="dontneed")
    for call in (task.mmap, task.munmap, discard, task.mlock, task.munlock, task.touch):
        with pytest.raises(mm.TaskDead):
            call(0, 1)
    for simple in (task.exec, task.exit, lambda: task.fork(101), lambda: task.setuid(1), lambda: task.set_nice(1)):
        with pytest.raises(mm.TaskDead):
            simple()


# Against a model: page -> (locked, written)

PAGES = 30
Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(
        st.sampled_from(["mmap", "munmap", "discard", "mlock", "munlock", "write"]),
        st.integers(0, PAGES - 1),
        st.integers(1, 12),
    ),
    max_size=30,
)


def in_model(model: dict[int, tuple[bool, bool]], verb: str, pages: range) -> bool:
    """Does the step to the model; False where it is refused."""
    mapped = [page for page in pages if page in model]
    if verb == "mmap":
        if mapped:
            return False
        model.update(dict.fromkeys(pages, (False, False)))
    elif verb == "munmap":
        for page in mapped:
            del model[page]
    elif verb == "discard":
        if any(model[page][0] for page in mapped):
            return False
        model.update(dict.fromkeys(mapped, (False, False)))
    elif verb == "write":
        model.update({page: (model.get(page, (False, False))[0], True) for page in pages})
    elif len(mapped) < len(pages):
        return False
    else:
        model.update({page: (verb == "mlock", verb == "mlock" or model[page][1]) for page in pages})
    return True


def in_machine(task: mm.Task, verb: str, pages: range) -> bool:
    discard = partial(task.madvise, advice="dontneed")
    call: Callable[[int, int], object] = discard if verb == "discard" else getattr(task, {"write": "touch"}.get(verb, verb))
    try:
        call(pages.start, len(pages))
    except (mm.MappingExists, mm.BadRange, mm.OutOfMemory):
        return False
    return True


@pytest.mark.parametrize("build", ["uncompiled", "compiled"])
def test_mappings_agree_with_a_dict(build: str) -> None:
    engine = engine_of(build)
    agree_with_a_dict(engine)


def agree_with_a_dict(engine: ModuleType) -> None:
    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(steps)
    def run(program: list[Step]) -> None:
        config = mm.MachineConfig(zone_pages=(128, 0, 0, 0), swap_bytes=0, min_free_kbytes=0, max_containers=2)
        machine = mm.Machine(config, engine)
        task = machine.spawn(100)
        model: dict[int, tuple[bool, bool]] = {}
        for verb, start, npages in program:
            pages = range(start, start + npages)
            assert in_machine(task, verb, pages) == in_model(model, verb, pages)
            mapped = {page: vma.is_locked for vma in task.vmas() for page in range(vma.start, vma.end)}
            assert mapped == {page: locked for page, (locked, _) in model.items()}
            words = task.pagemap(0, PAGES + 12)
            assert [page for page, word in enumerate(words) if word] == sorted(p for p, (_, written) in model.items() if written)
            machine.check()
        machine.reap(task)
        machine.check()
        assert machine.zones()[0].free == 127

    run()
