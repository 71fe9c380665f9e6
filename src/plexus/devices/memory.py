"""Host memory that tensors leave behind stays with the process, so that the next ones need no new pages.

By default the C library returns large blocks to the system as soon as they are freed, and the system clears
every page again when the next tensor of that size touches it. A time loop in Fourier space makes and frees
the same dozens of fields in every step; transforms of fields of some megabytes take two to three times as
long for it. Kept blocks are used again; the process holds on to the largest amount that it ever needed.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = -1, -2, -4
"""Names of the settings of ``mallopt`` in the GNU C library."""


@cache
def keep() -> bool:
    """Ask the C library to keep freed memory; return whether it does (False where it is not GNU's)."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        setting = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    # no block of its own for large requests, grow by 16 MiB at least, never shrink
    return all([setting(MMAP_MAX, 0), setting(TOP_PAD, 16 << 20), setting(TRIM_THRESHOLD, -1)])


def give_back() -> bool:
    """Give freed memory back to the system; return whether there was some.

    Libraries beside ours ask the C library to keep it, too. This is for the end of what needed much.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return False
    return bool(trim(0))
