cdef class Pdflush(Flusher):
    cdef long long run(self, Core core, unsigned int daemon) noexcept nogil

cdef long long nap(Core core, unsigned int daemon) noexcept nogil
cdef long long background_writeout(Core core) noexcept with gil
cdef long long wb_kupdate(Core core) noexcept with gil
cdef long long laptop_flush(Core core) noexcept nogil
