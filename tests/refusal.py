"""What a refusal looks like from Python: an OSError with its errno."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def refused(number: int) -> Iterator[None]:
    """The block is refused with this errno."""
    with pytest.raises(OSError, match=rf"^\[Errno {number}\] {os.strerror(number)}"):
        yield
