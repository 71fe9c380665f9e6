"""Freed host memory stays with the process, where the C library can be asked to keep it."""

import subprocess
import sys
from pathlib import Path

import pytest

from plexus.devices import memory

CODE = """
import os, numpy as np
from plexus.devices import memory
{keep}
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before = resident()
array = np.ones(1 << 23)
del array
{after}
print(resident() - before)
"""


def left_behind(keep, after=""):
    """Bytes that a process holds on to after an array of 64 MiB has come and gone."""
    code = CODE.format(keep=keep, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not Path("/lib64/ld-linux-x86-64.so.2").exists(), reason="needs the GNU C library")
def test_freed_memory_stays_until_it_is_given_back():
    assert left_behind("") < 8 << 20
    assert left_behind("assert memory.keep()") > 56 << 20
    assert left_behind("assert memory.keep()", "assert memory.give_back()") < 8 << 20


def test_elsewhere_nothing_is_asked_for(monkeypatch):
    memory.keep.cache_clear()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not memory.keep()
    memory.keep.cache_clear()
