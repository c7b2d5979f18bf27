@cython.final
cdef class KmemCache:
    cdef readonly unsigned int object_bytes
    cdef readonly unsigned int objects_per_slab
    cdef readonly unsigned int seeks
    cdef readonly long long nr_objects
    cdef readonly long long nr_slabs
    cdef readonly unsigned long long first_partial
    cdef readonly unsigned long long last_partial
    cdef readonly unsigned long long newest
    cdef readonly unsigned long long oldest
    cdef readonly long long nr_to_scan
