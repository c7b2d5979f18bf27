cdef bint vma_has_recency(Core core, unsigned int vma) noexcept nogil
cdef unsigned long long page_vpn(Core core, unsigned int pfn, unsigned int vma) noexcept nogil
cdef unsigned int hinted_vma(Core core, unsigned int pfn) noexcept nogil
cdef unsigned int first_vma(Core core, unsigned int pfn) noexcept nogil
cdef unsigned int vma_after(Core core, unsigned int pfn, unsigned int vma) noexcept nogil
cdef int folio_referenced_one(Core core, unsigned int pfn, unsigned int vma, unsigned int target) noexcept nogil
cdef int folio_referenced(Core core, unsigned int pfn, unsigned int target) noexcept nogil
cdef bint folio_try_to_unmap_one(Core core, unsigned int pfn, unsigned int vma) noexcept nogil
cdef bint folio_try_to_unmap(Core core, unsigned int pfn) noexcept nogil
cdef bint unmapped_from_recent(Core core, unsigned int pfn, unsigned int mm, unsigned long long vpn) noexcept nogil
