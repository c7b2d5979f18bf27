"""The long run: `python -m tests.model [STEPS]` drives the state machine for so many steps on the compiled engine, and prints how often
each branch of shrink_page_list and of the charge loop was taken, which the machine's own tracing tells.

It ends with 1 where a branch was never taken, and as the state machine does where something did not hold. The same number of steps is
the same run.
"""

from __future__ import annotations

import sys
from collections import Counter

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from memcgfs.mm.engine import engine
from memcgfs.mm.trace_ring import CHARGED_CACHE, CHARGED_MAPPED
from memcgfs.mm.tracer import TRACE_EVENTS, TRACE_WORDS

from .test_machine import MachineModel

STEPS = 200_000
STEPS_A_MACHINE = 80
COUNTED = ("mm_vmscan_page", "charge_round", "charge")

taken: Counter[str] = Counter()
nr_steps = 0


class LongRun(MachineModel):
    engine = engine

    def booted(self) -> None:
        for event in TRACE_EVENTS:
            self.machine.tracer.enable(event, event.name in COUNTED)

    @invariant()
    def branches_are_counted(self) -> None:
        global nr_steps
        nr_steps += 1
        assert not self.machine.tracer.overrun
        for record in self.machine.tracer.records():
            if record.event.name == "mm_vmscan_page":
                taken["shrink_page_list " + TRACE_WORDS["answer"][record.values[5]]] += 1
            elif record.event.name == "charge_round":
                taken["charge loop " + TRACE_WORDS["round"][record.values[3]]] += 1
            elif record.values[4] in (CHARGED_MAPPED, CHARGED_CACHE):
                taken["charge " + ("new" if record.values[2] == 1 else "again")] += 1
        self.machine.tracer.clear()


def branches() -> list[str]:
    """Every one there is, in the order in which the code asks."""
    shrink = [f"shrink_page_list {word}" for word in TRACE_WORDS["answer"] if not word.startswith(("stay", "deactivate"))]
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
    print(f"{nr_steps} steps; the checker, and what the model says, after each")
    for branch in branches():
        print(f"{taken[branch]:>12,}  {branch}")
    never = [branch for branch in branches() if not taken[branch]]
    print("never taken: " + (", ".join(never) or "none"))
    return 1 if never or nr_steps < steps else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS))
