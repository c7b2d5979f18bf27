"""The long run: `python -m tests.model [STEPS]` drives the state machine for so many steps on the compiled engine, and prints how often
each branch of shrink_page_list and of the charge loop was taken, which the machine's own tracing tells.

It fails where something did not hold, as the state machine does, and where a branch was never taken in a run of the full length, or of
more. A shorter run may end before the rare ones come: it names them, and succeeds. The same number of steps is the same run.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from memcgfs.mm.engine import engine
from memcgfs.mm.trace_ring import CHARGED_CACHE, CHARGED_MAPPED, WHY_FREED
from memcgfs.mm.tracer import TRACE_EVENTS, TRACE_WORDS

from .test_machine import MachineModel

FULL_LENGTH = 200_000
STEPS_A_MACHINE = 80
COUNTED = ("mm_vmscan_page", "charge_round", "charge")

taken: Counter[str] = Counter()
nr_steps = 0
nr_lost = 0


class LongRun(MachineModel):
    engine = engine

    def booted(self) -> None:
        for event in TRACE_EVENTS:
            self.machine.tracer.enable(event, event.name in COUNTED)

    @invariant()
    def branches_are_counted(self) -> None:
        """A step with more records than the ring has room for (an allocation that goes round) counts with the last of them."""
        global nr_steps, nr_lost
        nr_steps += 1
        nr_lost += self.machine.tracer.overrun
        for record in self.machine.tracer.records():
            if record.event.name == "mm_vmscan_page":
                taken["shrink_page_list " + TRACE_WORDS["answer"][record["reason"]]] += 1
            elif record.event.name == "charge_round":
                taken["charge loop " + TRACE_WORDS["round"][record["reason"]]] += 1
            elif record["reason"] in (CHARGED_MAPPED, CHARGED_CACHE):
                taken["charge " + ("new" if record["refs"] == 1 else "again")] += 1
        self.machine.tracer.clear()


def branches() -> list[str]:
    """Every one there is, in the order in which the code asks."""
    shrink = [f"shrink_page_list {word}" for word in TRACE_WORDS["answer"][: WHY_FREED + 1]]
    return [*shrink, *(f"charge loop {word}" for word in TRACE_WORDS["round"]), "charge new", "charge again"]


def main(steps: int) -> int:
    run_state_machine_as_test(
        LongRun,
        settings=settings(
            max_examples=-(-steps * 4 // (3 * STEPS_A_MACHINE)),  # some machines panic, and end before
            stateful_step_count=STEPS_A_MACHINE,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{nr_steps:,} steps; the checker, and what the model says, after each")
    for branch in branches():
        print(f"{taken[branch]:>12,}  {branch}")
    if nr_lost:
        print(f"{nr_lost:>12,}  not counted: overwritten in steps with more than the trace has room for")
    never = [branch for branch in branches() if not taken[branch]]
    print("never taken: " + (", ".join(never) or "none"))
    if never and nr_steps < FULL_LENGTH:
        print(f"which is no failure in fewer than {FULL_LENGTH:,} steps")
    return 1 if never and nr_steps >= FULL_LENGTH else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.model",
        description="Random operations on the compiled engine, each checked; counts the branches of reclaim and of the charge loop "
        f"that they take. A branch that is never taken is a failure from {FULL_LENGTH:,} steps on.",
    )
    parser.add_argument("steps", metavar="STEPS", type=int, nargs="?", default=FULL_LENGTH, help="at least so many (default: %(default)s)")
    sys.exit(main(parser.parse_args().steps))
