@cython.final
cdef class Lruvecs:
    cdef readonly unsigned int nr_nodes
    cdef readonly unsigned int first_head
    cdef readonly unsigned int scan_heads
    cdef readonly long long[::1] size
    cdef readonly long long[::1] nonresident_age
    cdef readonly long long[::1] born_age
    cdef readonly long long[::1] anon_cost
    cdef readonly long long[::1] file_cost
    cdef readonly long long[::1] refaults
    cdef readonly int[::1] position
    cdef readonly long long[::1] local
    cdef readonly long long[::1] flushed
    cdef readonly long long[::1] stale
    cdef readonly long long[::1] updates
    cdef readonly unsigned int[::1] updated
    cdef readonly unsigned int nr_updated
    cpdef long long lruvec(self, unsigned int group, unsigned int node) noexcept nogil
    cdef long long parent_lruvec(self, Core core, long long lruvec) noexcept nogil
    cpdef unsigned int head(self, long long place) noexcept nogil
    cpdef long long list_size(self, long long lruvec, int lru, int highest_type) noexcept nogil
    cpdef long long page_state(self, long long lruvec, int item) noexcept nogil
    cdef long long first_of_walk(self, Core core, unsigned int root, unsigned int node, bint is_partial) noexcept nogil
    cdef long long next_of_walk(self, Core core, unsigned int root, unsigned int node, long long group, bint is_partial) noexcept nogil
    cdef void init_group(self, Core core, long long group) noexcept nogil
    cdef void drop_group(self, Core core, long long group) noexcept nogil
    cdef void change(self, Core core, long long lruvec, int item, long long amount) noexcept nogil
    cdef void note_update(self, Core core, long long group, long long amount) noexcept nogil
    cpdef void flush(self, Core core) noexcept nogil
    cdef void flush_group(self, Core core, long long group) noexcept nogil
    cpdef long long pending(self, Core core, unsigned int root) noexcept nogil

cdef long long next_flush_ns(long long now_ns) noexcept nogil
cdef unsigned int folio_memcg(Core core, unsigned int pfn) noexcept nogil
cdef long long folio_lruvec(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef bint is_file_lru(Core core, unsigned int pfn) noexcept nogil
cdef int folio_lru_list(Core core, unsigned int pfn) noexcept nogil
cdef void update_lru_size(Core core, Lruvecs lruvecs, unsigned int pfn, long long lruvec, long long amount) noexcept nogil
cdef void lruvec_add_folio(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void lruvec_add_folio_tail(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void lruvec_del_folio(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void change_lruvec(Core core, Lruvecs lruvecs, unsigned int pfn, unsigned int old_group) noexcept nogil
