"""Shared memory, blocks of kernel memory, nodes and the watermarks, by random operations."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from memcgfs import mm
from memcgfs.mm.params import GFP_ATOMIC, GFP_KERNEL, GFP_NOFS, GFP_NOIO

from .model import MAPPED_PAGES, FileModel, Mapping, ModelBase

PAGE_BYTES = 4096
PLACES = (1 << 23, (1 << 23) + 700)
MASKS = (GFP_KERNEL, GFP_KERNEL, GFP_NOFS, GFP_NOIO, GFP_ATOMIC)

picks = st.integers(0, 9)
orders = st.sampled_from([0, 0, 1, 2, 3, 4, 5])


class KernelRules(ModelBase):
    files: list[FileModel]

    @rule(pick=picks, place=st.sampled_from(PLACES))
    @precondition(ModelBase.has_tasks)
    def map_shared_memory(self, pick: int, place: int) -> None:
        """A file without a name that nobody writes to the disk; who forks later shares it."""
        task = self.task(pick)
        memory = self.memory[task.pid]
        if place in memory.files:
            task.munmap(place, MAPPED_PAGES)
        task.mmap(place, MAPPED_PAGES, shared=True)
        file = next(vma.file for vma in task.vmas() if vma.start == place)
        assert file is not None
        model = FileModel(file, size=MAPPED_PAGES * PAGE_BYTES, is_named=False)
        self.files.append(model)
        memory.files[place] = Mapping(model, is_shared=True)

    @rule(pick=picks, order=orders, mask=st.sampled_from(MASKS))
    @precondition(ModelBase.has_tasks)
    def take_block(self, pick: int, order: int, mask: int) -> None:
        """Nobody pays for it. A task that asks dies of it only where the OOM killer chose it."""
        task = self.task(pick)
        held = len(task.blocks)
        try:
            task.alloc_block(order, mask)
        except mm.OutOfMemory:
            assert len(task.blocks) in (0, held)
            self.forget_the_dead()
            return
        assert len(task.blocks) == held + 1

    @rule(pick=picks)
    @precondition(ModelBase.has_tasks)
    def give_blocks(self, pick: int) -> None:
        task = self.task(pick)
        for _, order in list(task.blocks):
            task.free_block(order)
        assert not task.blocks

    @rule(pick=picks, node=st.integers(0, 3))
    @precondition(ModelBase.has_tasks)
    def move_to_node(self, pick: int, node: int) -> None:
        self.task(pick).set_node(node % self.machine.config.nodes)

    @rule(kbytes=st.sampled_from([0, 0, 16, 32]))
    def tune_watermarks(self, kbytes: int) -> None:
        self.machine.set_sysctl("min_free_kbytes", kbytes)

    @rule(pick=picks, value=st.sampled_from([-16, -3, 0, 8]))
    @precondition(ModelBase.has_tasks)
    def adjust(self, pick: int, value: int) -> None:
        """Everybody can be killed: a machine where nobody can panics, and that is the end of it."""
        self.task(pick).set_oom_adj(value)
