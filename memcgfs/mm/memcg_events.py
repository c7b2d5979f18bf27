"""Who is told of a container's usage and of its end of memory (mm/memcontrol-v1.c: memcg1_check_events, memcg1_oom_recover).

Thresholds are not looked at for each page: every THRESHOLDS_EVENTS_TARGET pages charged or uncharged is often enough, so that one may be
crossed and crossed back unseen. What is looked at then stands in memcg_watches.py.
"""

from __future__ import annotations

from typing import Final

from .core import Core, mem_cgroup_threshold, memcg_oom_wake

THRESHOLDS_EVENTS_TARGET: Final = 128  # mm/memcontrol-v1.c


def memcg_check_events(core: Core, container: int, nr_pages: int) -> None:
    """memcg1_charge_statistics and memcg1_event_ratelimit: so many pages more were charged or uncharged."""
    core.containers.nr_page_events[container] += nr_pages
    if core.containers.nr_page_events[container] <= core.containers.threshold_target[container]:
        return
    core.containers.threshold_target[container] = core.containers.nr_page_events[container] + THRESHOLDS_EVENTS_TARGET
    if core.containers.nr_thresholds != 0:
        mem_cgroup_threshold(core, container)


def memcg_oom_recover(core: Core, container: int) -> None:
    """Something came free here, or may be charged now that could not: who waits for memory may find it."""
    if core.containers.under_oom[container] != 0:
        memcg_oom_wake(core, container)
