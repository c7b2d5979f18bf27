cdef unsigned int read_swap_cache_async(Core core, unsigned int slot, unsigned int wanted) noexcept nogil
cdef void swapin_readahead(Core core, unsigned int slot) noexcept nogil
cdef unsigned int first_swaphandle(Core core, unsigned int slot, unsigned int base) noexcept nogil
cdef unsigned int valid_swaphandles(Core core, unsigned int slot, unsigned int first) noexcept nogil
