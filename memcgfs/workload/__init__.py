"""Driving tasks without a mount: traces of page accesses, and their replay through containers.

    from memcgfs.workload import replay

    result = replay("examples/traces/shelf.trace.zst", limit="1M")
    print(result.minor_faults, result.major_faults, result.stall_ns)

`open_trace` finds out which kind of trace a file is; lackey.py, npy.py and csv_rows.py read one kind each and yield
batches; replay.py drives one task in a container with them.  Nothing here is a model of anything: every access enters
the machine where all others do.
"""

from __future__ import annotations

from .replay import ReplayResult, Run, replay, replay_side_by_side
from .stream import Batch, TraceError
from .trace import Trace, open_trace

__all__ = ["Batch", "ReplayResult", "Run", "Trace", "TraceError", "open_trace", "replay", "replay_side_by_side"]
