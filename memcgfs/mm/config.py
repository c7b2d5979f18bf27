"""How large a machine is, and what it is made of: from options to the lengths of the engine's arrays.

Zone bounds and watermark formulas follow mm/page_alloc.c of 2.6.23 and the e820 limits of arch/i386 and arch/x86_64.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isqrt

from .engine import engine, named
from .errors import ConfigError
from .kernels import KERNELS
from .params import KB_PER_PAGE, MAX_NR_ZONES, PAGE_BYTES, SWAP_AREA_SHIFT, ZONE_DMA, ZONE_DMA32, ZONE_HIGHMEM, ZONE_NORMAL

CLOCK_MAX_NS = 1 << 62  # 146 years: no clock is let go further by hand
LONGEST_NS = 3600 * 10**9  # of a single wait: a fault's cost, a disk's latency
MAX_FRAMES = 2**32 - 2
MIN_FRAMES = 16
MAX_NODES = 16
MAX_PCP_BATCH = 1 << 20
NODES_PER_ENTRY = 6  # of a radix tree whose entries lie as far apart as can be
MAX_SWAP_PAGES = 2**32 - 2
SMALLEST_AREA = 2  # the header, and a page
MAX_FILES_BYTES = 1 << 43  # 8 TiB of disk
MAX_FILES = 1 << 22
MAX_OPEN_FILES = 1 << 20
MAX_SLOTS = 2**32 - 1
SWAP_AREA_SLOTS = 1 << SWAP_AREA_SHIFT
SPARE_SLOTS = 1 << 24  # 64 GB for swap areas that are added
MAX_SHARED_MAPPINGS = 1 << 16  # of anonymous memory, each a file of its own
MAX_CONTAINERS = 1 << 20
MAX_SEGMENTS = 1 << 24
FREE_HEADS = 1 << 12  # of lists of free pages, at most
SMALL_MACHINE_FRAMES = 16 << 8  # mm/swap.c: swap_setup, 16 MB
ZONE_NAMES = ("DMA", "DMA32", "Normal", "HighMem")

# Pages below which a zone ends: 16 MB for ISA DMA, 4 GB for 32-bit DMA, 896 MB for what an i386 kernel maps directly.
ZONE_ENDS = {
    "x86_64": ((ZONE_DMA, 1 << 12), (ZONE_DMA32, 1 << 20), (ZONE_NORMAL, MAX_FRAMES)),
    "i386": ((ZONE_DMA, 1 << 12), (ZONE_NORMAL, 896 << 8), (ZONE_HIGHMEM, 1 << 24)),
}
USER_ZONE = {"x86_64": ZONE_NORMAL, "i386": ZONE_HIGHMEM}
TASK_PAGES = {"x86_64": 1 << 35, "i386": 3 << 18}
ULONG_BITS = {"x86_64": 64, "i386": 32}
# sizeof(struct dentry), and of the struct slab that lies in front of a page of them.
DENTRY_BYTES = {"x86_64": 208, "i386": 132}
STRUCT_SLAB_BYTES = {"x86_64": 48, "i386": 28}
KMEM_BUFCTL_BYTES = 4
MEMCG_CHARGE_BATCH = 64
MODELS = named(engine, "Model")
RULES = named(engine, "Rules")
LOWMEM_RESERVE_RATIO = {ZONE_DMA: 256, ZONE_DMA32: 256, ZONE_NORMAL: 32}


@dataclass(frozen=True, slots=True)
class DiskConfig:
    """latency_ns a request, bandwidth (0: unlimited), queue depth in requests of each direction. Latency and bandwidth 0: synchronous."""

    latency_ns: int = 5_000_000
    bytes_per_s: int = 100 << 20
    depth: int = 128

    @property
    def transfer_ns(self) -> int:
        """Time that the transfer of one page takes."""
        return PAGE_BYTES * 1_000_000_000 // self.bytes_per_s if self.bytes_per_s else 0


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """The first fields are what mount options say; the second group are the kernel's constants, for tests to make small.

    folio_batch_size: pages that wait together on their way to a list, in a model of today. tlb_entries: translations of anonymous memory,
    and of mapped files, that the processor holds although reclaim made their entries old (tlb.py).
    charge_batch, charges_kmem: what a cpu charges at once, and whether the kernel's own memory is charged, by rules that know of such.
    readahead_pages: how far the files' disk reads ahead; Linux has 128 kB. zone_pages: pages of each zone type, instead of those that
    ram_bytes and arch give. min_free_kbytes: None is the kernel's formula.
    pcp_batch: pages that a per-cpu list takes at once, in every zone; None is the kernel's formula, and 0 no lists.
    """

    ram_bytes: int = 512 << 20
    swap_bytes: int = 512 << 20
    files_bytes: int = 1 << 30
    arch: str = "x86_64"
    nodes: int = 1
    disk: DiskConfig = field(default_factory=DiskConfig)
    fault_ns: int = 0
    readahead_pages: int = 32
    model: str = "containers2007"
    rules: str = "2007"
    charge_batch: int = 1
    charges_kmem: bool = True

    swap_cluster_max: int = 32
    def_priority: int = 12
    pagevec_size: int = 14
    folio_batch_size: int = 31
    tlb_entries: tuple[int, int] = (0, 0)
    reclaim_retries: int = 5
    wait_ns: int = 100_000_000
    jiffy_ns: int = 1_000_000
    zone_pages: tuple[int, int, int, int] | None = None
    min_free_kbytes: int | None = None
    max_containers: int = MAX_CONTAINERS
    pcp_batch: int | None = None

    def __post_init__(self) -> None:
        if self.arch not in ZONE_ENDS:
            raise ConfigError(f"arch={self.arch}: only x86_64 and i386 are built")
        if not 1 <= self.nodes <= MAX_NODES:
            raise ConfigError(f"nodes={self.nodes}: from 1 to {MAX_NODES}")
        if self.model not in MODELS:
            raise ConfigError(f"model={self.model}: only {', '.join(MODELS)} are built")
        if self.rules not in RULES:
            raise ConfigError(f"rules={self.rules}: only {', '.join(RULES)} are built")
        if not 1 <= self.charge_batch <= MEMCG_CHARGE_BATCH:
            raise ConfigError(f"batch={self.charge_batch}: from 1 to {MEMCG_CHARGE_BATCH} pages")
        if self.disk.depth < 1 or self.disk.depth > 1 << 20 or self.disk.latency_ns < 0 or self.disk.bytes_per_s < 0:
            raise ConfigError("disk: latency and bandwidth cannot be negative, and the depth is 1 to 1048576")
        if self.zone_pages is None and self.ram_bytes < MIN_FRAMES * PAGE_BYTES:
            raise ConfigError(f"ram={self.ram_bytes}: a machine needs at least {MIN_FRAMES * KB_PER_PAGE}K")
        largest = ZONE_ENDS[self.arch][-1][1]
        if self.nr_frames > largest:
            raise ConfigError(f"ram={self.ram_bytes}: {self.arch} has at most {largest} page frames of {PAGE_BYTES} bytes")
        if not 0 <= self.fault_ns <= LONGEST_NS:
            raise ConfigError(f"fault={self.fault_ns}ns: from 0 to an hour")
        if self.disk.latency_ns > LONGEST_NS or self.disk.bytes_per_s >= 1 << 62:
            raise ConfigError("disk=: a latency of at most an hour, and a bandwidth of less than 4E")
        if self.zone_pages is not None and sum(self.zone_pages) < MIN_FRAMES // 2:
            raise ConfigError(f"zone_pages={self.zone_pages}: a machine needs at least {MIN_FRAMES // 2} page frames")
        if self.nr_frames + max(MODELS[self.model].list_heads(self.max_containers, self.nodes)) + FREE_HEADS > 1 << 32:
            raise ConfigError(f"ram={self.ram_bytes}: page frames and list heads together have 32-bit numbers")
        if self.nr_frames // self.nodes < MIN_FRAMES // 2:
            raise ConfigError(f"nodes={self.nodes}: a node needs at least {MIN_FRAMES // 2} page frames")
        if min(self.swap_cluster_max, self.pagevec_size, self.folio_batch_size, self.wait_ns, self.jiffy_ns) < 1 or self.def_priority < 0:
            raise ConfigError("batch sizes and waits are at least 1")
        if min(self.tlb_entries) < 0:
            raise ConfigError("a processor holds no fewer than 0 translations")
        if self.pcp_batch is not None and not 0 <= self.pcp_batch <= MAX_PCP_BATCH:
            raise ConfigError(f"pcp_batch={self.pcp_batch}: from 0 to {MAX_PCP_BATCH} pages")
        if not 0 <= self.files_bytes <= MAX_FILES_BYTES:
            raise ConfigError(f"files={self.files_bytes}: from 0 to {MAX_FILES_BYTES} bytes")
        if 0 < self.swap_bytes < SMALLEST_AREA * PAGE_BYTES:
            raise ConfigError(f"swap={self.swap_bytes}: an area has a header and at least one page of {PAGE_BYTES} bytes; 0 is no swap")
        if self.swap_bytes < 0 or self.nr_swap_pages > MAX_SWAP_PAGES:
            raise ConfigError(f"swap={self.swap_bytes}: from 0 to {MAX_SWAP_PAGES} pages of {PAGE_BYTES} bytes")

    @property
    def nr_frames(self) -> int:
        return sum(self.zone_pages) if self.zone_pages is not None else self.ram_bytes // PAGE_BYTES

    @property
    def ulong_max(self) -> int:
        """The largest unsigned long of the architecture."""
        return (1 << ULONG_BITS[self.arch]) - 1

    @property
    def nr_swap_pages(self) -> int:
        return self.swap_bytes // PAGE_BYTES

    @property
    def nr_blocks(self) -> int:
        """Of the files' disk; one more than can be used, for the superblock."""
        return self.files_bytes // PAGE_BYTES + 1

    @property
    def max_files(self) -> int:
        """The disk has an inode for each four of its blocks, as mke2fs makes them, and never less than 16."""
        return min(max(self.nr_blocks // 4, 16), MAX_FILES)

    @property
    def max_threads(self) -> int:
        """kernel/fork.c: fork_init, an eighth of memory for task structures and stacks; never less than 20."""
        return max(20, self.nr_frames // 16)

    def zone_spans(self) -> list[tuple[int, int]]:
        """(first frame, end) by zone number. Nodes have equal shares of memory, which cut through the zones."""
        spans = []
        for node in range(self.nodes):
            node_start, node_end = (self.nr_frames * cut // self.nodes for cut in (node, node + 1))
            start = 0
            for size in self.zone_sizes():
                first = min(max(start, node_start), node_end)
                start += size
                spans.append((first, max(min(start, node_end), first)))
        return spans

    def zone_sizes(self) -> tuple[int, ...]:
        """Spanned pages by zone type."""
        if self.zone_pages is not None:
            return self.zone_pages
        sizes = [0] * MAX_NR_ZONES
        start = 0
        for zone, end in ZONE_ENDS[self.arch]:
            sizes[zone] = max(min(self.nr_frames, end) - start, 0)
            start += sizes[zone]
        return tuple(sizes)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What Core needs to know, in the units of the engine."""

    nr_frames: int
    nr_nodes: int
    nr_lru_heads: int
    nr_meta_heads: int
    nr_containers: int
    largest_count: int
    charge_unit: int
    limit_wraps: bool
    unlimited_count: int
    charge_batch: int
    charges_kmem: bool
    nr_mms: int
    nr_vmas: int
    nr_segments: int
    nr_slots: int
    nr_files: int
    nr_open_files: int
    nr_tree_nodes: int
    nr_blocks: int
    disk_latency_ns: int
    disk_transfer_ns: int
    disk_depth: int
    user_zone: int
    kernel_zone: int
    swap_cluster_max: int
    def_priority: int
    pagevec_size: int
    folio_batch_size: int
    nr_shadows: int
    nr_tlb_anon: int
    nr_tlb_file: int
    reclaim_retries: int
    wait_ns: int
    jiffy_ns: int
    fault_ns: int
    readahead_pages: int
    task_pages: int
    page_cluster: int
    dentry_bytes: int
    dentries_per_slab: int


def sizes_of(config: MachineConfig, list_heads: tuple[int, int]) -> Sizes:
    """`list_heads`: of the model's lists (Model.list_heads)."""
    kernel = KERNELS[config.rules]
    largest_count = config.ulong_max if kernel.counts_ulong else (1 << 64) - 1
    nr_lru_heads, nr_meta_heads = list_heads
    return Sizes(
        nr_frames=config.nr_frames,
        nr_nodes=config.nodes,
        nr_lru_heads=nr_lru_heads,
        nr_meta_heads=nr_meta_heads,
        nr_containers=config.max_containers,
        largest_count=largest_count,
        charge_unit=kernel.charge_unit,
        limit_wraps=kernel.limit_wraps,
        unlimited_count=largest_count // 2 // kernel.limit_unit,
        charge_batch=config.charge_batch,
        charges_kmem=config.charges_kmem,
        nr_mms=config.max_threads + 3,
        nr_vmas=min(1 << 24, max(1 << 16, config.nr_frames)),
        nr_segments=min(MAX_SEGMENTS, config.nr_frames + 1),
        nr_slots=min(-(-config.nr_swap_pages // SWAP_AREA_SLOTS) * SWAP_AREA_SLOTS + SPARE_SLOTS, MAX_SLOTS),
        nr_files=config.max_files + MAX_SHARED_MAPPINGS + 1,
        nr_open_files=MAX_OPEN_FILES,
        nr_tree_nodes=min((3 * config.nr_frames + config.nr_blocks) * NODES_PER_ENTRY + 1, 1 << 32),
        nr_shadows=min(2 * config.nr_frames, 1 << 32),
        nr_blocks=config.nr_blocks,
        disk_latency_ns=config.disk.latency_ns,
        disk_transfer_ns=config.disk.transfer_ns,
        disk_depth=config.disk.depth,
        user_zone=USER_ZONE[config.arch],
        kernel_zone=ZONE_NORMAL,
        swap_cluster_max=config.swap_cluster_max,
        def_priority=config.def_priority,
        pagevec_size=config.pagevec_size,
        folio_batch_size=config.folio_batch_size,
        nr_tlb_anon=config.tlb_entries[0],
        nr_tlb_file=config.tlb_entries[1],
        reclaim_retries=config.reclaim_retries,
        wait_ns=config.wait_ns,
        jiffy_ns=config.jiffy_ns,
        fault_ns=config.fault_ns,
        readahead_pages=config.readahead_pages,
        task_pages=TASK_PAGES[config.arch],
        page_cluster=2 if config.nr_frames < SMALL_MACHINE_FRAMES else 3,
        dentry_bytes=DENTRY_BYTES[config.arch],
        dentries_per_slab=objects_per_slab(DENTRY_BYTES[config.arch], STRUCT_SLAB_BYTES[config.arch]),
    )


def zone_batchsize(present: int) -> int:
    """About a quarter of 1/1024 of the zone, at most 128 pages of it, and one less than a power of 2: 0 below 8192 pages, at most 31."""
    batch = max(min(present // 1024, 128) // 4, 1)
    return (1 << ((batch + batch // 2).bit_length() - 1)) - 1


def objects_per_slab(object_bytes: int, struct_slab_bytes: int) -> int:
    """mm/slab.c: cache_estimate, for small objects, whose struct slab and free list lie in their page."""
    return (PAGE_BYTES - struct_slab_bytes) // (object_bytes + KMEM_BUFCTL_BYTES)


def default_min_free_kbytes(lowmem_pages: int) -> int:
    """init_per_zone_pages_min: int_sqrt(16 * kbytes), from 128 to 65536; 512 MB give 2896."""
    return min(max(isqrt(lowmem_pages * KB_PER_PAGE * 16), 128), 65536)
