cdef class DoubleLru(Model)
cdef class LruScanControl(ScanControl)

ctypedef long long (*isolate_pages_t)(Core core, long long nr_to_scan, unsigned int dst, LruScanControl sc, int order, int mode, unsigned int zone, int mem_container, bint active) noexcept nogil

@cython.final
cdef class LruScanControl(ScanControl):
    cdef isolate_pages_t isolate_pages
    cdef readonly DoubleLru model
    cdef readonly ZoneLru lru
    cdef readonly bint is_zonewide
    cdef readonly bint is_sync
    cdef readonly long long nr_isolate_scanned
    cdef readonly int nr_put_back
    cdef readonly int nr_freed_pvec

cdef long long shrink_page_list(Core core, unsigned int page_list, LruScanControl sc) noexcept nogil
cdef void release_freed(Core core, LruScanControl sc) noexcept nogil
cdef int shrink_page(Core core, unsigned int pfn, LruScanControl sc) noexcept nogil
cdef bint may_start_io(Core core, unsigned int pfn, LruScanControl sc) noexcept nogil
cdef bint page_mapping_inuse(Core core, unsigned int pfn) noexcept nogil
cdef int unlock_and(Core core, unsigned int pfn, int answer, LruScanControl sc, int why) noexcept nogil
cdef void trace_answer(Core core, unsigned int pfn, LruScanControl sc, bint active) noexcept nogil
cdef void trace_referenced(Core core, unsigned int pfn, LruScanControl sc, int referenced) noexcept nogil
cdef void trace_met(Core core, unsigned int pfn, LruScanControl sc, bint active, int how) noexcept nogil
cdef void put_back(Core core, LruScanControl sc, unsigned int pfn) noexcept nogil
cdef void release_put_back(Core core, LruScanControl sc) noexcept nogil
cdef long long clear_active_flags(Core core, unsigned int page_list) noexcept nogil
cdef long long shrink_inactive_list(Core core, long long max_scan, unsigned int zone, LruScanControl sc) noexcept nogil
cdef long long shrink_page_list_sync(Core core, unsigned int page_list, unsigned int zone, LruScanControl sc) noexcept nogil
cdef int active_why(Core core, unsigned int pfn, bint reclaim_mapped, bint stays) noexcept nogil
cdef void trace_active_page(Core core, unsigned int pfn, LruScanControl sc, bint reclaim_mapped, bint stays) noexcept nogil
cdef void trace_isolate(Core core, unsigned int zone, LruScanControl sc, long long nr_to_scan, long long nr_taken, bint active) noexcept nogil
cdef void trace_put_back(Core core, unsigned int pfn) noexcept nogil
cdef void shrink_active_list(Core core, long long nr_pages, unsigned int zone, LruScanControl sc, int priority) noexcept nogil
cdef long long gathered_active(Core core, unsigned int zone, int priority, LruScanControl sc) noexcept nogil
cdef long long gathered_inactive(Core core, unsigned int zone, int priority, LruScanControl sc) noexcept nogil
cdef long long shrink_zone(Core core, int priority, unsigned int zone, LruScanControl sc) noexcept nogil
cdef void note_zone_scanning_priority(Core core, unsigned int zone, int priority) noexcept nogil
