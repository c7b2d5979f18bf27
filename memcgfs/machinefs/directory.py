"""`.machine`: the directory through which the machine itself is seen and driven.

Contract: hangs into the root of the tree, found by name, and listed only if it is to be visible; its name is taken.  It
and all that is in it belong to the mounter, but for tasks and files, which belong to their makers.
"""

from __future__ import annotations

from ..cgroup import Hierarchy
from ..kernfs import Caller, Kernfs
from .file_names import FileNames
from .files import Files
from .host_tasks import HOST_FILES
from .machine_files import MACHINE_FILES
from .page_files import PAGE_FILES
from .swap_files import SWAP_FILES
from .sysctl import sysctl_files
from .tasks import TaskEntries
from .trace import add_trace_directory

NAME = b".machine"
MODE = 0o755


def add_machine_directory(fs: Kernfs, hierarchy: Hierarchy, owner: Caller, *, visible: bool) -> TaskEntries:
    machine = hierarchy.machine
    top = fs.add_directory(fs.root, NAME, mode=MODE, owner=owner, hidden=not visible, pinned=True)
    fs.add_files(top, MACHINE_FILES, owner, machine)
    fs.add_files(top, PAGE_FILES, owner, hierarchy)
    fs.add_files(top, SWAP_FILES, owner, hierarchy)
    fs.add_files(top, HOST_FILES, owner, hierarchy)
    sys = fs.add_directory(top, b"sys", mode=MODE, owner=owner)
    vm = fs.add_directory(sys, b"vm", mode=MODE, owner=owner)
    fs.add_files(vm, sysctl_files(machine), owner, machine)
    disk = Files(fs, hierarchy, top, owner, b"files", machine.create_file)
    memory = Files(fs, hierarchy, top, owner, b"shm", lambda: machine.create_shared_memory(0))
    files = FileNames(disk, memory)
    add_trace_directory(fs, hierarchy, files, top, owner)
    return TaskEntries(fs, hierarchy, top, owner, files)
