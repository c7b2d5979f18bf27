"""How hard it has become to reclaim a container's memory (mm/vmpressure.c).

For each window of pages that reclaim has scanned: how many of them it did not get, in percent, is the pressure, in three levels. Whom a
level is told stands in memcg_watches.py; the kernel does it a little later, by a work item, in which several windows may be one.
"""

from __future__ import annotations

from typing import Final

from .core import Core, vmpressure_event

# mm/vmpressure.c: vmpressure_win, enum vmpressure_levels, and from how many percent on (vmpressure_level_med, vmpressure_level_critical),
# or from which priority on (vmpressure_level_critical_prio), a level is reached.
VMPRESSURE_WIN: Final = 512  # SWAP_CLUSTER_MAX * 16
VMPRESSURE_LOW: Final = 0
VMPRESSURE_MEDIUM: Final = 1
VMPRESSURE_CRITICAL: Final = 2
VMPRESSURE_LEVEL_MED: Final = 60
VMPRESSURE_LEVEL_CRITICAL: Final = 95
VMPRESSURE_LEVEL_CRITICAL_PRIO: Final = 3  # ilog2(100 / 10)


def vmpressure(core: Core, container: int, scanned: int, reclaimed: int) -> None:
    """The reclaim of this container, with all below it, has scanned and got so many pages more."""
    if scanned == 0:
        return
    core.containers.pressure_scanned[container] += scanned
    core.containers.pressure_reclaimed[container] += reclaimed
    if core.containers.pressure_scanned[container] >= VMPRESSURE_WIN:
        vmpressure_work(core, container)


def vmpressure_prio(core: Core, container: int, priority: int) -> None:
    """At such a priority even pages that nobody would part with are scanned: critical, whatever comes of it."""
    if priority <= VMPRESSURE_LEVEL_CRITICAL_PRIO:
        vmpressure(core, container, VMPRESSURE_WIN, 0)


def vmpressure_work(core: Core, container: int) -> None:
    """vmpressure_work_fn: a window is full. Whom its level is told, if anybody, is asked elsewhere."""
    level = vmpressure_calc_level(core.containers.pressure_scanned[container], core.containers.pressure_reclaimed[container])
    core.containers.pressure_scanned[container] = 0
    core.containers.pressure_reclaimed[container] = 0
    if core.containers.nr_pressure_watches != 0:
        vmpressure_event(core, container, level)


def vmpressure_calc_level(scanned: int, reclaimed: int) -> int:
    """More may be got than was scanned: slabs, and pages that come with another."""
    scale = scanned + reclaimed
    pressure = (scale - reclaimed * scale // scanned) * 100 // scale if reclaimed < scanned else 0
    if pressure >= VMPRESSURE_LEVEL_CRITICAL:
        return VMPRESSURE_CRITICAL
    if pressure >= VMPRESSURE_LEVEL_MED:
        return VMPRESSURE_MEDIUM
    return VMPRESSURE_LOW
