cdef unsigned int pack_shadow(long long lruvec, bint is_workingset) noexcept nogil
cdef void workingset_eviction(Core core, Lruvecs lruvecs, unsigned int pfn, unsigned int target) noexcept nogil
cdef bint workingset_test_recent(Core core, Lruvecs lruvecs, long long lruvec, long long age, bint is_file) noexcept nogil
cdef void workingset_refault(Core core, Lruvecs lruvecs, unsigned int pfn, long long age, unsigned int whose) noexcept nogil
cdef void lru_note_cost(Core core, Lruvecs lruvecs, long long lruvec, bint is_file, long long nr_io, long long nr_rotated) noexcept nogil
cdef void mark_swapbacked(Core core, unsigned int pfn) noexcept nogil
