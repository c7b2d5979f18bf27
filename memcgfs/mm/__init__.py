"""The machine: an emulated page allocator, page tables, swap and reclaim, with the memory controller of July 2007 on it.

Machine is the whole of it for other packages. The engine below is compiled where it could be (`compiled` says so) and gives the same
counts uncompiled; MEMCGFS_PURE=1 chooses that. Read lists.py, frames.py, memcontrol.py, rules2007.py, models/shrink.py and
models/containers2007.py in this order, and the seed stands before you.
"""

from __future__ import annotations

from .access import Access as Access
from .config import DiskConfig as DiskConfig
from .config import MachineConfig as MachineConfig
from .container import Container as Container
from .dump import dump as dump
from .engine import compiled as compiled
from .errors import BadRange as BadRange
from .errors import BadSwapArea as BadSwapArea
from .errors import BadSysctl as BadSysctl
from .errors import BadValue as BadValue
from .errors import BusError as BusError
from .errors import Busy as Busy
from .errors import ConfigError as ConfigError
from .errors import ContainerBusy as ContainerBusy
from .errors import FileTooBig as FileTooBig
from .errors import Interrupted as Interrupted
from .errors import MachineBroken as MachineBroken
from .errors import MachineError as MachineError
from .errors import MachinePanicked as MachinePanicked
from .errors import MappingExists as MappingExists
from .errors import MapsNoFile as MapsNoFile
from .errors import NoSpace as NoSpace
from .errors import NotMapped as NotMapped
from .errors import OutOfMemory as OutOfMemory
from .errors import SwapAreaBusy as SwapAreaBusy
from .errors import TaskDead as TaskDead
from .errors import TaskExists as TaskExists
from .errors import TaskWaits as TaskWaits
from .errors import TooManyContainers as TooManyContainers
from .errors import TooManyFiles as TooManyFiles
from .errors import TooManyMappings as TooManyMappings
from .errors import TooManySwapAreas as TooManySwapAreas
from .errors import TooManyTasks as TooManyTasks
from .errors import WaitsForMemory as WaitsForMemory
from .file import ADVICE as ADVICE
from .task import LATE_ADVICE as LATE_ADVICE
from .file import File as File
from .file import FsStat as FsStat
from .file import OpenFile as OpenFile
from .machine import Machine as Machine
from .memcg_watches import Watch as Watch
from .params import KB_PER_PAGE as KB_PER_PAGE
from .params import PAGE_BYTES as PAGE_BYTES
from .params import PAGE_SHIFT as PAGE_SHIFT
from .task import Task as Task
from .task_mmu import VmaView as VmaView
from .tracer import TRACE_EVENTS as TRACE_EVENTS
from .tracer import TRACE_RECORD_BYTES as TRACE_RECORD_BYTES
from .tracer import TRACE_WORDS as TRACE_WORDS
from .tracer import TraceEvent as TraceEvent
from .tracer import TraceRecord as TraceRecord
from .tracer import Tracer as Tracer
from .views import SlabView as SlabView
from .views import SwapView as SwapView
from .views import ZoneView as ZoneView, PagesetView as PagesetView
