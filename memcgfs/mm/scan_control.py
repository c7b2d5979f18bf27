"""struct scan_control: one request for reclaim, passed down the whole call chain (mm/vmscan.c, with the seed's two members)."""

from __future__ import annotations

from .core import Core
from .memcontrol import mem_cgroup_swappiness


class ScanControl:
    """Wishes first, then what was found.

    swap_cluster_max: pages to isolate at once, and to free. may_writepage: is it allowed. order: the size that is
    wanted (1 for a container, a slip of v4 without effect). mem_container: on whose behalf, -1 for the machine's own. gfp_mask: whether
    it may start reads and writes (GFP_IO), and call into a filesystem (GFP_FS). may_swap: whether what needs a slot may go, which helps
    nobody whose memory and swap together are at their limit.

    nr_scanned: pages that shrink_page_list saw, twice if mapped or in the swap cache. all_unreclaimable: no zone was worth scanning.
    depth: how many reclaims this one runs inside of.

    For the trace: `why` the page that was looked at last was treated so (WHY_*).
    """

    def __init__(self, core: Core, mem_container: int, order: int, gfp_mask: int) -> None:
        self.swap_cluster_max = core.swap_cluster_max
        self.swappiness = mem_cgroup_swappiness(core, mem_container)
        self.may_writepage = core.laptop_mode == 0
        self.may_swap = mem_container < 0 or not core.spares_swap
        self.order = order
        self.mem_container = mem_container
        self.gfp_mask = gfp_mask
        self.nr_scanned = 0
        self.all_unreclaimable = False
        self.depth = core.scan_depth
        self.why = 0
