@cython.final
cdef class FolioBatches:
    cdef readonly unsigned int size
    cdef readonly unsigned int[::1] pages
    cdef readonly unsigned int[::1] count

cdef void folio_batch_add(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn, unsigned int batch) noexcept nogil
cdef void folio_batch_move(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int batch) noexcept nogil
cdef void folio_lru_add_drain(Core core, FolioBatches batches, Lruvecs lruvecs) noexcept nogil
cdef void drain_batch(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int batch) noexcept nogil
cdef void lru_add(Core core, Lruvecs lruvecs, unsigned int pfn, int why) noexcept nogil
cdef void lru_activate(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void lru_deactivate(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void lru_lazyfree(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void lru_move_tail(Core core, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void folio_add_lru(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void folio_rotate_reclaimable(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void folio_activate(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void folio_deactivate(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void folio_mark_lazyfree(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void lru_cache_activate_folio(Core core, FolioBatches batches, unsigned int pfn) noexcept nogil
cdef void folio_mark_accessed(Core core, FolioBatches batches, Lruvecs lruvecs, unsigned int pfn) noexcept nogil
cdef void age_nonresident(Core core, Lruvecs lruvecs, long long lruvec) noexcept nogil
