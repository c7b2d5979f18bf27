cdef void prepare_scan_control(Core core, ClassicScanControl sc, unsigned int node) noexcept nogil
cdef bint has_few_files(Core core, ClassicScanControl sc, unsigned int node) noexcept nogil
cdef void shrink_node_memcgs(Core core, ClassicScanControl sc, unsigned int node) noexcept nogil
cdef void classic_shrink_node(Core core, ClassicScanControl sc, unsigned int node) noexcept nogil
cdef long long node_lru_pages(Core core, unsigned int node) noexcept nogil
cdef void classic_shrink_zones(Core core, ClassicScanControl sc, unsigned int zonelist) noexcept nogil
cdef void snapshot_refaults(Core core, ClassicScanControl sc) noexcept nogil
cdef void run_priorities(Core core, ClassicScanControl sc, unsigned int zonelist) noexcept nogil
cdef long long classic_free_pages(Core core, ClassicScanControl sc, unsigned int zonelist) noexcept nogil
cdef void trace_classic_begin(Core core, ClassicScanControl sc) noexcept nogil
cdef void trace_classic_end(Core core, ClassicScanControl sc) noexcept nogil
cdef long long reclaim_for_limit(Core core, Classic model, unsigned int container, bint may_swap) noexcept with gil
cdef bint reclaim_for_allocation(Core core, Classic model, unsigned int zonelist, int order, unsigned int gfp) noexcept with gil
cdef bint pgdat_balanced(Core core, unsigned int node, int order) noexcept nogil
cdef void kswapd_age_node(Core core, ClassicScanControl sc, unsigned int node) noexcept nogil
cdef void classic_balance_pgdat(Core core, Classic model, unsigned int node) noexcept with gil
cdef bint reclaim_one_folio(Core core, Classic model, unsigned int pfn) noexcept with gil
