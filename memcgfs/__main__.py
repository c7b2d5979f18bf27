"""`python -m memcgfs` is the `memcgfs` command."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
