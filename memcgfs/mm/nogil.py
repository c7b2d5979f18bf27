"""`with nogil:` in the plain build; the join puts Cython's own in its place."""

from __future__ import annotations

from contextlib import nullcontext

nogil = nullcontext()
