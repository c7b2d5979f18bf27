cpdef void trace_event(Core core, unsigned int event, long long a=*, long long b=*, long long c=*, long long d=*, long long e=*, long long f=*, long long g=*, long long h=*, long long i=*) noexcept nogil
cdef void trace_page(Core core, unsigned int event, unsigned int pfn, int reason, long long a, long long b) noexcept nogil
cdef void trace_lru(Core core, unsigned int event, unsigned int pfn, bint active, int reason) noexcept nogil
cdef void trace_alloc(Core core, unsigned int pfn, unsigned int gfp, int order) noexcept nogil
cdef void trace_free(Core core, unsigned int pfn, int order, int reason) noexcept nogil
cdef void trace_charge(Core core, unsigned int pfn, unsigned int what) noexcept nogil
cdef void trace_charge_failed(Core core, unsigned int pfn, unsigned int container, unsigned int what) noexcept nogil
cdef void trace_uncharge(Core core, unsigned int pfn, unsigned int container, unsigned int refs, unsigned int what) noexcept nogil
cdef void trace_fault(Core core, unsigned int mm, unsigned long long vpn, unsigned int pfn, unsigned int slot, unsigned int how) noexcept nogil
cdef void trace_unmap(Core core, unsigned int mm, unsigned long long vpn, unsigned int pfn, unsigned int slot, unsigned int why) noexcept nogil
cdef void trace_copy_pte(Core core, unsigned int child, unsigned long long vpn, unsigned int pfn, unsigned int slot) noexcept nogil
cdef long long payer(Core core, unsigned int pfn) noexcept nogil
cdef long long asker(Core core) noexcept nogil
cdef int list_of(Core core, unsigned int pfn) noexcept nogil
