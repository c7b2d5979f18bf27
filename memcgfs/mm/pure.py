"""The engine, uncompiled. These lines are also the order in which setup.py joins the modules into one unit for the compiler.

A module stands below everything that it imports; what has to call upwards goes through Core's model, rules, flusher and kernel.
"""

from __future__ import annotations

from .arrays import Arrays as Arrays
from .params import LOCKDEP as LOCKDEP
from .lists import Links as Links
from .frames import Frames as Frames
from .res_counter import ResCounters as ResCounters
from .containers import Containers as Containers
from .memcg_stat import MemcgStats as MemcgStats
from .stock import Stocks as Stocks
from .zones import Zones as Zones
from .buddy import put_block as put_block
from .pageset import give_to_pageset as give_to_pageset
from .disk import Disks as Disks
from .daemons import Daemons as Daemons
from .swapfile import SwapAreas as SwapAreas
from .thrash import SwapToken as SwapToken
from .shadows import Shadows as Shadows
from .tlb import Tlb as Tlb
from .mms import AddressSpaces as AddressSpaces, Vmas as Vmas
from .pagetable import PageTables as PageTables
from .radix_tree import RadixTrees as RadixTrees
from .files import Blocks as Blocks, Files as Files, OpenFiles as OpenFiles
from .slabs import KmemCache as KmemCache
from .lockdep import Lockdep as Lockdep
from .trace_ring import TraceRing as TraceRing
from .core import Core as Core
from .trace import trace_event as trace_event
from .memcg_events import memcg_oom_recover as memcg_oom_recover
from .vmpressure import vmpressure as vmpressure, vmpressure_prio as vmpressure_prio
from .rules import Rules as Rules
from .model import Model as Model, make_container as make_container, remove_container as remove_container
from .flusher import Flusher as Flusher
from .memcontrol import charge_kmem as charge_kmem, container_offline as container_offline, drain_all_stocks as drain_all_stocks
from .memcontrol import force_empty_page as force_empty_page, mem_container_uncharge_page as mem_container_uncharge_page
from .memcontrol import lru_add_drain_all as lru_add_drain_all, shrink_subtree as shrink_subtree, uncharge_kmem as uncharge_kmem
from .page_dirty import restart_kupdate as restart_kupdate, set_page_dirty as set_page_dirty
from .waiting import run_due as run_due, sleep_until as sleep_until
from .page_alloc import alloc_page as alloc_page, alloc_pages as alloc_pages, free_pages as free_pages, put_page as put_page
from .slab import kmem_cache_alloc as kmem_cache_alloc
from .dcache import lookup_missing as lookup_missing, shrink_dcache_memory as shrink_dcache_memory
from .swap_state import lookup_swap_cache as lookup_swap_cache
from .page_io import swap_readpage as swap_readpage
from .swapin import read_swap_cache_async as read_swap_cache_async
from .rmap import page_referenced as page_referenced
from .mlock import mlock_vma_pages_range as mlock_vma_pages_range
from .kmem import kmem_alloc as kmem_alloc, kmem_charge_pages as kmem_charge_pages, kmem_free as kmem_free
from .kmem import kmem_uncharge_pages as kmem_uncharge_pages, settle_tree_nodes as settle_tree_nodes
from .page_cache import find_get_page as find_get_page, pagevec_lru_add as pagevec_lru_add
from .filesystem import readpage as readpage
from .shmem import shmem_fault as shmem_fault, shmem_read_page as shmem_read_page
from .page_writeback import background_threshold as background_threshold, dirty_threshold as dirty_threshold
from .page_writeback import filemap_fdatawrite as filemap_fdatawrite, sync_file as sync_file, sync_inodes as sync_inodes
from .readahead_folios import page_cache_ra_order as page_cache_ra_order
from .readahead import force_page_cache_readahead as force_page_cache_readahead
from .filemap import file_read_bytes as file_read_bytes, file_read_page as file_read_page, file_read_pages as file_read_pages
from .filemap import begin_folio as begin_folio, file_write_begin as file_write_begin, file_write_end as file_write_end
from .filemap import file_write_pages as file_write_pages
from .lru import ZoneLru as ZoneLru
from .scan_control import ScanControl as ScanControl
from .vmscan import drop_slab as drop_slab, shrink_slab as shrink_slab
from .models.shrink import LruScanControl as LruScanControl
from .models.kswapd import Kswapd as Kswapd
from .models.double_lru import DoubleLru as DoubleLru
from .models.containers2007 import Containers2007 as Containers2007
from .models.cgroups2008 import Cgroups2008 as Cgroups2008
from .models.lruvec import Lruvecs as Lruvecs
from .models.folio_batch import FolioBatches as FolioBatches
from .models.workingset import workingset_test_recent as workingset_test_recent
from .models.folio_rmap import folio_referenced as folio_referenced
from .models.classic_scan import ClassicScanControl as ClassicScanControl
from .models.soft_limit import soft_limit_reclaim as soft_limit_reclaim
from .models.classic_reclaim import classic_balance_pgdat as classic_balance_pgdat
from .models.classic import Classic as Classic
from .models.python import PythonModel as PythonModel
from .pdflush import Pdflush as Pdflush
from .rules2007 import Rules2007 as Rules2007
from .rules2008 import Rules2008 as Rules2008
from .rules_v1 import RulesV1 as RulesV1
from .memory import handle_mm_fault as handle_mm_fault
from .unuse import try_to_unuse as try_to_unuse
from .mmap import access_pages as access_pages, copy_page_range as copy_page_range
from .mmap import free_pgtables as free_pgtables, zap_page_range as zap_page_range
from .madvise import madvise_cold_range as madvise_cold_range, madvise_free_range as madvise_free_range
from .truncate import block_truncate_page as block_truncate_page, drop_pagecache as drop_pagecache
from .truncate import finish_truncated_page as finish_truncated_page, invalidate_mapping_pages as invalidate_mapping_pages
from .truncate import truncate_range as truncate_range, vmtruncate as vmtruncate
