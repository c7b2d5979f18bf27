"""What poll(2) says of an open file, in its own bits.

A file of which the kernel would never tell, as those of /proc and of the cgroup filesystems of 2007 and 2008, can be read and written at
any time.  Of one that `notifies` (fs/kernfs/file.c: kernfs_generic_poll) it is told besides, by POLLERR and POLLPRI, that it has changed
since this open file showed it last, or was never shown by it.
"""

from __future__ import annotations

import select
from typing import Final

READABLE: Final = select.POLLIN | select.POLLRDNORM
DEFAULT_POLLMASK: Final = READABLE | select.POLLOUT | select.POLLWRNORM
CHANGED: Final = DEFAULT_POLLMASK | select.POLLERR | select.POLLPRI
