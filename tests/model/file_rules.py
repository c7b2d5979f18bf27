"""Files, by random operations: whoever reads a page of one, or maps it, finds what was written there last.

A write of a word is a whole operation: either the file has it or nothing happened. What only a mapping wrote may be lost on a disk that
is full, and is not looked at again before somebody calls write().
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from memcgfs import mm

from .model import MAPPED_PAGES, FileModel, Mapping, ModelBase

PAGE_BYTES = 4096
PLACES = (1 << 23, (1 << 23) + 700)

picks = st.integers(0, 9)
pages = st.one_of(st.integers(0, MAPPED_PAGES - 1), st.sampled_from([63, 64, 5000]))
counts = st.integers(1, 14)
places = st.sampled_from(PLACES)


class FileRules(ModelBase):
    def begin_with_files(self) -> None:
        self.files: list[FileModel] = []
        self.handles: list[tuple[mm.OpenFile, FileModel]] = []

    def has_files(self) -> bool:
        return any(model.is_named for model in self.files)

    def file(self, pick: int) -> FileModel:
        named = [model for model in self.files if model.is_named]
        return named[pick % len(named)]

    def was_freed(self, model: FileModel) -> bool:
        return self.machine.files.get(model.file.number) is not model.file

    @rule()
    @precondition(lambda self: sum(model.is_named for model in self.files) < 3)
    def create_file(self) -> None:
        self.files.append(FileModel(self.machine.create_file()))

    @rule(pick=picks, where=picks)
    @precondition(has_files)
    def open_file(self, pick: int, where: int) -> None:
        if len(self.handles) < 4:
            model = self.file(pick)
            self.handles.append((model.file.open(self.container(where)), model))

    @rule(pick=picks)
    @precondition(lambda self: bool(self.handles))
    def close_file(self, pick: int) -> None:
        self.handles.pop(pick % len(self.handles))[0].close()

    @rule(pick=picks, page=pages)
    @precondition(lambda self: bool(self.handles))
    def write_word(self, pick: int, page: int) -> None:
        opened, model = self.handles[pick % len(self.handles)]
        self.next_mark += 1
        try:
            assert opened.write(page * PAGE_BYTES, self.next_mark.to_bytes(8, "little")) == 8
        except (mm.OutOfMemory, mm.NoSpace):
            return
        model.words[page] = self.next_mark
        model.unsure.discard(page)
        model.size = max(model.size, page * PAGE_BYTES + 8)

    @rule(pick=picks, page=pages, length=st.integers(1, 3 * PAGE_BYTES))
    @precondition(lambda self: bool(self.handles))
    def read_bytes(self, pick: int, page: int, length: int) -> None:
        opened, model = self.handles[pick % len(self.handles)]
        try:
            found = opened.read(page * PAGE_BYTES, length)
        except mm.OutOfMemory:
            return
        assert len(found) <= max(min(length, model.size - page * PAGE_BYTES), 0)
        for at in range(0, len(found) - 7, PAGE_BYTES):
            self.must_be(model, page + at // PAGE_BYTES, found[at : at + 8])

    def must_be(self, model: FileModel, page: int, found: bytes) -> None:
        if page not in model.unsure:
            assert int.from_bytes(found, "little") == model.words.get(page, 0), (model.file.number, page)

    @rule(pick=picks, which=picks, page=pages, count=counts)
    @precondition(lambda self: self.has_tasks() and self.has_files())
    def read_pages(self, pick: int, which: int, page: int, count: int) -> None:
        try:
            self.task(pick).read_file(self.file(which).file, page, count)
        except mm.OutOfMemory:
            self.forget_the_dead()

    @rule(pick=picks, which=picks, page=pages, count=counts)
    @precondition(lambda self: self.has_tasks() and self.has_files())
    def write_pages(self, pick: int, which: int, page: int, count: int) -> None:
        """The bytes stay, the file grows: also by what a writer who was killed at the end had written."""
        model = self.file(which)
        try:
            done = self.task(pick).write_file(model.file, page, count)
            assert model.file.size == max(model.size, (page + done) * PAGE_BYTES)
        except mm.NoSpace:
            assert model.file.size == model.size
        except mm.OutOfMemory:
            self.forget_the_dead()
        model.size = model.file.size

    @rule(pick=picks, which=picks, place=places, is_shared=st.booleans())
    @precondition(lambda self: self.has_tasks() and self.has_files())
    def map_file(self, pick: int, which: int, place: int, is_shared: bool) -> None:
        task, model = self.task(pick), self.file(which)
        memory = self.memory[task.pid]
        if place in memory.files:
            task.munmap(place, MAPPED_PAGES)
        task.mmap(place, MAPPED_PAGES, file=model.file, shared=is_shared)
        memory.files[place] = Mapping(model, is_shared)

    @rule(pick=picks, place=places, page=st.integers(0, MAPPED_PAGES - 1), is_write=st.booleans())
    @precondition(ModelBase.has_tasks)
    def touch_mapping(self, pick: int, place: int, page: int, is_write: bool) -> None:
        """Behind the end of the file it is the end of the task."""
        task = self.task(pick)
        mapping = self.memory[task.pid].files.get(place)
        if mapping is None:
            return
        if page >= mapping.model.nr_pages:
            with pytest.raises(mm.BusError):
                task.touch(place + page, 1, write=is_write)
            self.forget_the_dead()
            return
        at, found = (place + page) * PAGE_BYTES, b""
        try:
            if is_write:
                self.next_mark += 1
                task.write_mem(at, self.next_mark.to_bytes(8, "little"))
            else:
                found = task.read_mem(at, 8)
        except mm.OutOfMemory:
            self.forget_the_dead()
            return
        if is_write and mapping.is_shared:
            mapping.model.words[page] = self.next_mark
            if mapping.model.file.is_on_disk and self.machine.statfs().nr_blocks < 100:
                mapping.model.unsure.add(page)
        elif is_write:
            mapping.copies[page] = self.next_mark
        elif page in mapping.copies:
            assert int.from_bytes(found, "little") == mapping.copies[page]
        else:
            self.must_be(mapping.model, page, found)

    @rule(pick=picks, place=places)
    @precondition(ModelBase.has_tasks)
    def write_mapping(self, pick: int, place: int) -> None:
        """All of it that the file reaches to."""
        task = self.task(pick)
        mapping = self.memory[task.pid].files.get(place)
        for page in range(min(mapping.model.nr_pages, MAPPED_PAGES) if mapping is not None else 0):
            if task.pid in self.memory:
                self.touch_mapping(self.place_of(task), place, page, is_write=True)

    @rule(which=picks, size=st.sampled_from([0, 10, PAGE_BYTES, 5 * PAGE_BYTES, 5 * PAGE_BYTES + 10, 12 * PAGE_BYTES, 70 * PAGE_BYTES]))
    @precondition(has_files)
    def truncate(self, which: int, size: int) -> None:
        """What is cut off is nobody's any more, not even of those who have a copy. Words lie in the first 10 bytes of their page."""
        model = self.file(which)
        try:
            model.file.truncate(size)
        except mm.OutOfMemory:
            self.forget_the_dead()
        model.size = size
        for page in [page for page in model.words if page >= model.nr_pages]:
            del model.words[page]
        model.unsure = {page for page in model.unsure if page < model.nr_pages}
        for memory in self.memory.values():
            for mapping in memory.files.values():
                if mapping.model is model:
                    mapping.copies = {page: mark for page, mark in mapping.copies.items() if page < model.nr_pages}

    @rule(pick=picks, which=picks)
    @precondition(lambda self: self.has_tasks() and self.has_files())
    def fsync(self, pick: int, which: int) -> None:
        """The file is clean afterwards, or there was no room; then one pagevec was lost, and no more."""
        model = self.file(which)
        try:
            self.task(pick).fsync_file(model.file)
        except mm.NoSpace:
            assert self.machine.statfs().nr_free == 0
            return
        assert not self.machine.core.trees.is_tagged(2 * model.file.number, 0)

    @rule()
    def sync(self) -> None:
        self.machine.sync()
        if self.machine.statfs().nr_free > 0:
            assert self.machine.vmstat()["nr_dirty"] == 0

    @rule(pick=picks, which=picks, page=pages, count=st.integers(0, 14))
    @precondition(lambda self: self.has_tasks() and self.has_files())
    def advise(self, pick: int, which: int, page: int, count: int) -> None:
        advice = ("normal", "random", "sequential", "willneed", "dontneed", "noreuse")[(page + count) % 6]
        try:
            self.task(pick).fadvise_file(self.file(which).file, advice, page, count)
        except mm.OutOfMemory:
            self.forget_the_dead()

    @rule(which=picks)
    @precondition(has_files)
    def unlink(self, which: int) -> None:
        """The file lives on as long as somebody has it open or mapped."""
        model = self.file(which)
        model.is_named = False
        model.file.put()

    @rule()
    def drop_caches(self) -> None:
        self.machine.set_sysctl("drop_caches", 1)

    @rule(ratio=st.sampled_from([0, 10, 40, 100]), background=st.sampled_from([0, 5, 50]), laptop=st.sampled_from([0, 0, 1]))
    def tune_writeback(self, ratio: int, background: int, laptop: int) -> None:
        self.machine.set_sysctl("dirty_ratio", ratio)
        self.machine.set_sysctl("dirty_background_ratio", background)
        self.machine.set_sysctl("laptop_mode", laptop)

    @rule()
    def wait_for_kupdate(self) -> None:
        """After 40 seconds in which nobody writes, nothing is dirty that can be written."""
        self.machine.advance(40_000_000_000)
        if self.machine.statfs().nr_free > 0:
            assert self.machine.vmstat()["nr_dirty"] == 0

    @invariant()
    def files_are_as_long_as_they_should_be(self) -> None:
        self.forget_the_dead()
        in_use = {id(model) for _, model in self.handles}
        in_use |= {id(mapping.model) for memory in self.memory.values() for mapping in memory.files.values()}
        for model in list(self.files):
            if model.is_named or id(model) in in_use:
                assert not self.was_freed(model)
                assert model.file.size == model.size
            else:
                assert self.was_freed(model)
                self.files.remove(model)

    def end_of_files(self) -> None:
        """Nobody but names and open files has them any more. What is sure is there; without files, no page, block or node is in use."""
        for opened, _ in self.handles:
            opened.close()
        self.handles = []
        for model in self.files:
            if model.is_named:
                reader = model.file.open()
                for page in sorted(model.words):
                    self.must_be(model, page, reader.read(page * PAGE_BYTES, 8))
                reader.close()
                model.file.put()
        assert (self.machine.files, self.machine.statfs().nr_free) == ({}, self.machine.statfs().nr_blocks)
        assert (self.machine.core.trees.nr_nodes_used, self.machine.vmstat()["nr_dirty"]) == (0, 0)
