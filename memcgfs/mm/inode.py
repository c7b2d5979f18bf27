"""Inodes come and go (fs/inode.c), on the disk or in memory; and what concerns all of them: sync, drop_caches, statfs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kernel_objects
from .errors import TooManyFiles
from .file import File, FsStat
from .files import FILE_IN_MEMORY, FILE_ON_DISK
from .kmem import SHMEM_INODE_BYTES
from .params import PAGE_BYTES

if TYPE_CHECKING:
    from .machine import Machine


def new_inode(machine: Machine, kind: int) -> File:
    number = machine.file_ids.take()
    file = machine.files[number] = File(machine, number, kind)
    return file


def create_file(machine: Machine) -> File:
    if machine.nr_disk_files >= machine.config.max_files:
        raise TooManyFiles(f"the disk has {machine.config.max_files} inodes")
    machine.nr_disk_files += 1
    return new_inode(machine, FILE_ON_DISK)


def shmem_file_setup(machine: Machine, npages: int, payer: int) -> File:
    """mm/shmem.c. The container `payer` pays for its inode."""
    kernel_objects.charge(machine, payer, 0, SHMEM_INODE_BYTES)
    file = new_inode(machine, FILE_IN_MEMORY)
    file.payer = payer
    machine.shared_memory[file.number] = file
    machine.core.files.set_size(file.number, npages * PAGE_BYTES)
    return file


def evict(machine: Machine, file: File) -> None:
    """iput_final: nobody holds the file any more; tasks that read it without mapping it do not count. A panicked machine keeps it."""
    if machine.panicked:
        return
    for task in machine.tasks.values():
        task.forget_file(file)
    with machine.running(None):
        machine.engine.vmtruncate(machine.core, file.number, 0)
        machine.core.files.dirty.remove(file.number)
        machine.nr_disk_files -= file.is_on_disk
        machine.engine.settle_tree_nodes(machine.core)
        file.give_back()
        del machine.files[file.number]
        machine.shared_memory.pop(file.number, None)
        machine.file_ids.give(file.number)


def sync(machine: Machine) -> None:
    with machine.running(None):
        machine.engine.sync_inodes(machine.core)


def drop_caches(machine: Machine, what: int) -> None:
    """fs/drop_caches.c. Bit 0: clean pages of files that nobody uses leave the cache, file by file; bit 1: dentries."""
    with machine.running(None):
        for number in sorted(machine.files) if what & 1 else ():
            machine.engine.drop_pagecache(machine.core, number)
        if what & 2:
            machine.engine.drop_slab(machine.core)


def statfs(machine: Machine) -> FsStat:
    blocks, nr_files = machine.core.blocks, machine.nr_disk_files
    return FsStat(PAGE_BYTES, blocks.nr_blocks - 1, blocks.nr_free(), nr_files, machine.config.max_files - nr_files)
