"""A look at an HDF5 file before its content is used, by a process that damage may end without harm.

HDF5 may crash or hang on a damaged header. A child (`os.fork`: a millisecond) goes through all groups, links,
attributes and small datasets first. Links and storage outside of the file are not followed: whoever does
reads what a stranger chose, or what damage made.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from functools import lru_cache
from pathlib import Path

from plexus.fileformat import Unsound, examine

PATIENCE = 60.0
"""Seconds until a look counts as hanging."""
KINDS = "iufbSO"
"""Kinds of numbers and texts that results have."""


def problem(path: Path) -> str:
    """Return what is wrong with a file in a few words, empty if it is sound.

    A file that is as it was is not looked at again: each history of a run opens the same one.
    """
    about = path.stat()
    return _told(path, about.st_dev, about.st_ino, about.st_size, about.st_ctime_ns)


@lru_cache(maxsize=1000)
def _told(path: Path, *state: int) -> str:
    """Return what is wrong with a file of this state, found by a process of its own."""
    out, into = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # the child uses no lock that another thread of this program could hold
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _answer(path, into)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        told = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        return told
    return f"damaged (HDF5 {'hangs' if status == -signal.SIGALRM else 'crashes'} on it)"


def _answer(path: Path, pipe: int) -> None:
    """Write what is wrong with a file into a pipe, and end this process."""
    told = ""
    try:
        import h5py

        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        examine(h5py, path, KINDS, packed=True)
    except Unsound as error:
        told = f"damaged ({error})"
    except OSError as error:
        told = f"not a complete HDF5 file ({reason(error)})"
    except BaseException as error:  # whatever damage leads to: the child must not go on as its parent
        told = f"damaged ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    os.write(pipe, told.encode(errors="replace")[:4000])
    os._exit(0)


def reason(error: Exception) -> str:
    """Return the part of an HDF5 message in which a reader is interested."""
    text = " ".join(str(error).split())
    # HDF5 says the general thing first and the cause in brackets
    return text[text.rfind("(") + 1 :].rstrip(")") if "(" in text else text
