"""Holding the emulation to recordings of a real kernel: what a recorded case did, beside what the machine does.

Contract
- `cases.py` reads files of cases, `row.py` says what comes out of one.
- `trace.py` drives page strings on a machine in this process; `steps.py` and `actors.py` drive what processes did, on a mount.
- `table.py` prints.
- A case is treated by what its record says, never by its name.
"""
