cdef class Classic

@cython.final
cdef class ClassicScanControl(ScanControl):
    cdef readonly Classic model
    cdef readonly unsigned int target
    cdef readonly bint is_cgroup
    cdef readonly long long nr_to_reclaim
    cdef readonly int highest_type
    cdef readonly int priority
    cdef readonly int may_deactivate
    cdef readonly bint force_deactivate
    cdef readonly bint skipped_deactivate
    cdef readonly bint cache_trim_mode
    cdef readonly bint no_cache_trim_mode
    cdef readonly bint file_is_tiny
    cdef readonly bint full_walk
    cdef readonly bint ignores_references
    cdef readonly long long anon_cost
    cdef readonly long long file_cost
    cdef readonly long long nr_reclaimed
    cdef readonly long long nr_taken
    cdef readonly long long nr_pageout
    cdef readonly long long nr_unqueued_dirty
    cdef readonly long long writes_done_ns

cdef unsigned int classic_scan_head(Classic model, ClassicScanControl sc, unsigned int which) noexcept nogil
cdef long long isolate_lru_folios(Core core, ClassicScanControl sc, long long nr_to_scan, long long lruvec, int lru) noexcept nogil
cdef void count_scanned(Core core, unsigned int zone, int lru) noexcept nogil
cdef void trace_classic_isolate(Core core, ClassicScanControl sc, long long lruvec, int lru, long long nr_to_scan, long long scan) noexcept nogil
cdef int trace_target(ClassicScanControl sc) noexcept nogil
cdef long long move_folios_to_lru(Core core, ClassicScanControl sc, unsigned int folios) noexcept nogil
cdef void trace_classic_put_back(Core core, unsigned int pfn) noexcept nogil
cdef long long shrink_folio_list(Core core, ClassicScanControl sc) noexcept nogil
cdef void activate_locked(Core core, unsigned int pfn) noexcept nogil
cdef int decide(ClassicScanControl sc, int answer, int why) noexcept nogil
cdef bint may_enter_fs_for(Core core, unsigned int pfn, ClassicScanControl sc) noexcept nogil
cdef int folio_check_references(Core core, unsigned int pfn, ClassicScanControl sc) noexcept nogil
cdef int shrink_folio(Core core, unsigned int pfn, ClassicScanControl sc) noexcept nogil
cdef int write_folio(Core core, unsigned int pfn, ClassicScanControl sc, int references) noexcept nogil
cdef long long classic_shrink_inactive_list(Core core, long long nr_to_scan, long long lruvec, ClassicScanControl sc, int lru) noexcept nogil
cdef void classic_shrink_active_list(Core core, long long nr_to_scan, long long lruvec, ClassicScanControl sc, int lru) noexcept nogil
cdef bint inactive_is_low(Core core, ClassicScanControl sc, long long lruvec, int lru) noexcept nogil
cdef int scan_balance(Core core, ClassicScanControl sc, int swappiness) noexcept nogil
cdef void get_scan_count(Core core, ClassicScanControl sc, unsigned int group, long long lruvec) noexcept nogil
cdef long long shrink_list(Core core, long long nr_to_scan, long long lruvec, ClassicScanControl sc, int lru) noexcept nogil
cdef void shrink_lruvec(Core core, ClassicScanControl sc, unsigned int group, long long lruvec) noexcept nogil
cdef bint cut_targets(ClassicScanControl sc, int base) noexcept nogil
cdef void cut_target(ClassicScanControl sc, int at, int percentage) noexcept nogil
