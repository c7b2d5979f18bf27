cdef class ScanControl:
    cdef readonly int swap_cluster_max
    cdef readonly int swappiness
    cdef readonly bint may_writepage
    cdef readonly bint may_swap
    cdef readonly int order
    cdef readonly int mem_container
    cdef readonly unsigned int gfp_mask
    cdef readonly long long nr_scanned
    cdef readonly bint all_unreclaimable
    cdef readonly int depth
    cdef readonly int why
