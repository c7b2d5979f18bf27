cdef void memcg_check_events(Core core, unsigned int container, long long nr_pages) noexcept nogil
cpdef void memcg_oom_recover(Core core, unsigned int container) noexcept nogil
