"""How a task comes to its memory: a batch of accesses and the faults that this takes, and reads and writes of its bytes
(arch/x86/mm/fault.c; fs/proc/base.c: mem_read, mem_write).

Each ends in run_accesses, the one way into the engine. Those that may come to wait for memory are generators (oom_wait.py).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .errors import BadRange, BadValue, BusError, MachinePanicked, NotMapped, OutOfMemory
from .exit import fault_out_of_memory, send_sigkill
from .oom_wait import Operation
from .params import LEAF_ENTRIES, LEAF_MASK, MAX_FAULTS_PER_ACCESS, PAGE_BYTES, PTE_SHIFT, VM_FAULT_OOM, VM_FAULT_SIGBUS
from .params import VM_FAULT_SIGSEGV

if TYPE_CHECKING:
    from .address_space import AddressSpace
    from .oom_wait import Steps
    from .task import Task

R = TypeVar("R")
CHUNK_PAGES = 1 << 16


@dataclass(frozen=True, slots=True)
class Access:
    """What a batch of accesses did: pages accessed, and the faults that this took."""

    done: int
    minor: int
    major: int


def perform(task: Task, steps: Steps[R]) -> R:
    """An operation that may come to wait for memory. Raises WaitsForMemory where it does: it is not over then."""
    operation = Operation(task, steps)
    operation.go_on()
    result: R = operation.outcome()
    return result


def accessing(task: Task, pages: memoryview[int], writes: memoryview[int]) -> Steps[Access]:
    done = minor = major = 0
    while True:
        result = run_accesses(task, pages, writes)
        done += result.done
        minor += result.minor
        major += result.major
        if result.done == len(pages):
            return Access(done, minor, major)
        pages = memoryview(array("Q", pages[result.done :]))  # whose buffers they were goes on
        writes = memoryview(bytes(writes[result.done :]))
        yield


def touching(task: Task, start: int, npages: int, write: bool, is_fault: bool) -> Steps[Access]:
    space = task.alive()
    space.check_range(start, npages)
    space.map_missing(start, start + npages)
    done = minor = major = 0
    writes = memoryview(bytes([write]) * min(npages, CHUNK_PAGES))
    task.touched = f"0 of {npages}"
    try:
        while done < npages:
            count = min(npages - done, CHUNK_PAGES)
            pages = memoryview(array("Q", range(start + done, start + done + count)))
            result = run_accesses(task, pages, writes[:count], is_fault)
            done += result.done
            minor += result.minor
            major += result.major
            if result.done < count:
                task.touched = f"{done} of {npages}"
                yield
    except (OutOfMemory, BusError) as error:
        done += error.args[1]
        raise
    except MachinePanicked as panic:
        done += panic.done
        raise
    finally:
        task.touched = f"{done} of {npages}"
    return Access(done, minor, major)


def run_accesses(task: Task, pages: memoryview[int], writes: memoryview[int], is_fault: bool = True) -> Access:
    """The one way into the engine. OutOfMemory carries the number of accesses done as its second argument. Fewer are done without an
    error only where the task has to wait for memory: that of `memcg_in_oom`.

    is_fault: the task's own, which kills it where there is no memory; not so when a system call faults its pages in.
    """
    space = task.alive()
    if len(pages) != len(writes):
        raise BadValue("as many writes as pages are needed")
    machine = task.machine
    counts = machine.core.mms
    minor, major = counts.min_flt[space.mm], counts.maj_flt[space.mm]
    done = 0
    task.memcg_in_oom = -1
    try:
        with machine.running(task):
            machine.core.set_in_user_fault(is_fault)
            nr_retries = MAX_FAULTS_PER_ACCESS
            while True:
                done = machine.engine.access_pages(machine.core, space.mm, pages, writes, done)
                if done == len(pages):
                    break
                if machine.core.fault == VM_FAULT_OOM and is_fault:
                    task.memcg_in_oom = machine.core.memcg_in_oom
                    if task.memcg_in_oom >= 0:
                        machine.core.set_memcg_in_oom(-1)
                        break
                    if machine.core.rules.retries_fault and nr_retries and may_fault_again(task):
                        nr_retries -= 1
                        continue
                    fault_out_of_memory(machine, task)
                if machine.core.fault == VM_FAULT_SIGBUS:
                    send_sigkill(machine, task, "killed: bus error, beyond the end of a mapped file")
                if machine.core.fault != VM_FAULT_SIGSEGV or machine.core.late_error is not None:
                    break
                if pages[done] >= space.end:
                    count_faults(task, space, minor, major)
                    raise BadRange(f"page {pages[done]} is not in 0..{space.end}")
                if space.find_vma(pages[done]):
                    send_sigkill(machine, task, "killed: segmentation fault, a write to what may only be read")
                    break
                block = pages[done] & ~LEAF_MASK
                space.map_missing(block, min(block + LEAF_ENTRIES, space.end))
            minor, major = count_faults(task, space, minor, major)
            is_bad_access = done < len(pages) and machine.core.fault in (VM_FAULT_SIGBUS, VM_FAULT_SIGSEGV)
    except MachinePanicked as panic:
        panic.done = done
        raise
    if is_bad_access:
        raise BusError(f"task {task.pid} was killed: {task.died}", done)
    if task.space is None or task.died:
        raise OutOfMemory(f"task {task.pid} was killed: {task.died}", done)
    if done < len(pages) and task.memcg_in_oom < 0:
        raise OutOfMemory(f"no page frame for task {task.pid}, or its container refused the charge", done)
    return Access(done, minor, major)


def may_fault_again(task: Task) -> bool:
    """pagefault_out_of_memory: somebody else may have been killed for it, so the access is simply made again; not by who is dying."""
    return not task.died


def count_faults(task: Task, space: AddressSpace, minor: int, major: int) -> tuple[int, int]:
    """Adds the (minor, major) faults since the counters stood so to the task's own, and gives their numbers."""
    counts = task.machine.core.mms
    minor, major = counts.min_flt[space.mm] - minor, counts.maj_flt[space.mm] - major
    cpu_ns = minor * task.machine.core.fault_ns
    task.min_flt += minor
    task.maj_flt += major
    task.machine.count_cpu(task, cpu_ns)
    return minor, major


def reading_mem(task: Task, offset: int, size: int) -> Steps[bytes]:
    found = bytearray()
    while size > 0:
        page, within = divmod(offset, PAGE_BYTES)
        if not task.alive().find_vma(page):
            break
        frame = yield from faulting_in(task, page, False)
        piece = min(size, PAGE_BYTES - within)
        found += task.machine.page_bytes(frame, within, piece)
        offset += piece
        size -= piece
    if not found and size:
        task.alive()
        raise NotMapped(f"nothing is mapped at byte {offset}")
    return bytes(found)


def writing_mem(task: Task, offset: int, text: bytes) -> Steps[int]:
    space = task.alive()
    if not text:
        return 0
    first, last = offset // PAGE_BYTES, (offset + len(text) - 1) // PAGE_BYTES
    space.check_range(first, last - first + 1)
    space.map_missing(first, last + 1)
    done = 0
    while done < len(text):
        page, within = divmod(offset + done, PAGE_BYTES)
        frame = yield from faulting_in(task, page, True)
        task.machine.make_content(frame)
        piece = min(len(text) - done, PAGE_BYTES - within)
        at = frame * PAGE_BYTES + within
        task.machine.ram_bytes[at : at + piece] = text[done : done + piece]
        done += piece
    return done


def faulting_in(task: Task, page: int, write: bool) -> Steps[int]:
    """The frame of a page after an access to it."""
    yield from accessing(task, memoryview(array("Q", [page])), memoryview(bytes([write])))
    return int(task.machine.core.tables.entry(task.alive().mm, page) >> PTE_SHIFT)


def as_buffer(typecode: str, numbers: Sequence[int]) -> memoryview[int]:
    """A contiguous view of this type of item: the numbers' own if it is one."""
    try:
        view = memoryview(numbers)  # type: ignore[arg-type]
    except TypeError:
        view = memoryview(array(typecode, numbers))
    if view.format in ("L", "Q") and typecode == "Q" and view.c_contiguous:
        return view.cast("B").cast("Q") if view.format == "L" else view
    if view.format == typecode and view.c_contiguous:
        return view
    return memoryview(array(typecode, numbers))
