@cython.final
cdef class Containers:
    cdef readonly unsigned int nr_containers
    cdef readonly long long[::1] css
    cdef readonly long long[::1] leaked
    cdef readonly long long[::1] nr_cache
    cdef readonly long long[::1] object_bytes
    cdef readonly unsigned char[::1] control_type
    cdef readonly unsigned char[::1] is_released
    cdef readonly unsigned int[::1] released
    cdef readonly unsigned int nr_released
    cdef readonly int[::1] parent
    cdef readonly int[::1] first_child
    cdef readonly int[::1] last_child
    cdef readonly int[::1] next_sibling
    cdef readonly int[::1] prev_sibling
    cdef readonly unsigned char[::1] is_online
    cdef readonly unsigned int[::1] gone
    cdef readonly unsigned int nr_gone
    cdef readonly int[::1] swappiness
    cdef readonly unsigned long long[::1] soft_limit
    cdef readonly unsigned char[::1] oom_kill_disable
    cdef readonly int[::1] under_oom
    cdef readonly unsigned long long[::1] nr_oom_kills
    cdef readonly unsigned char[::1] oom_lock
    cdef readonly long long[::1] nr_page_events
    cdef readonly long long[::1] threshold_target
    cdef readonly long long nr_thresholds
    cdef readonly long long[::1] pressure_scanned
    cdef readonly long long[::1] pressure_reclaimed
    cdef readonly long long nr_pressure_watches
    cpdef void add_thresholds(self, int number) noexcept nogil
    cpdef void add_pressure_watches(self, int number) noexcept nogil
    cpdef void init(self, unsigned int container, int parent) noexcept nogil
    cdef void link(self, int container, int parent) noexcept nogil
    cpdef void unlink(self, int container) noexcept nogil
    cpdef int next_in_subtree(self, int top, int container) noexcept nogil
    cpdef bint is_below(self, int container, int top) noexcept nogil
    cpdef int nearest_online(self, int container) noexcept nogil
    cpdef void set_offline(self, unsigned int container) noexcept nogil
    cdef void note_gone(self, unsigned int container) noexcept nogil
    cpdef void css_get(self, unsigned int container) noexcept nogil
    cpdef void forget_released(self, unsigned int container) noexcept nogil
    cpdef void css_put(self, unsigned int container) noexcept nogil
