"""A child does not outlive the process that started it, however that one ends."""

import os
import signal
import subprocess
import sys

import pytest

PARENT = """\
import subprocess, sys, time
from plexus.runtime import parent
child = subprocess.Popen([sys.executable, "-c", CHILD], start_new_session=True, preexec_fn=parent.bound())
time.sleep(60)
"""
CHILD = """\
import os, signal, sys, time
signal.signal(signal.SIGINT, lambda *_: (os.write(1, b"interrupted"), os._exit(0)))
os.write(1, b"ready ")
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a service of Linux")
def test_a_child_is_interrupted_when_its_parent_is_killed():
    parent = subprocess.Popen(
        [sys.executable, "-c", f"CHILD = {CHILD!r}\n{PARENT}"], stdout=subprocess.PIPE, start_new_session=True
    )
    assert os.read(parent.stdout.fileno(), 6) == b"ready "
    parent.send_signal(signal.SIGKILL)
    # the pipe ends when the child, its last writer, is gone
    assert parent.stdout.read() == b"interrupted"
    parent.stdout.close()
    assert parent.wait() == -signal.SIGKILL
