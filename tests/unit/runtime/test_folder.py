"""The run folder belongs to one run at a time."""

import subprocess
import sys

import pytest
from mpi4py import MPI

from plexus.errors import OutputError
from plexus.runtime.folder import prepare

HOLD = """
import sys, pathlib
from mpi4py import MPI
from plexus.runtime.folder import prepare
prepare(MPI.COMM_SELF, pathlib.Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_folder_that_another_run_writes_into_is_refused_until_that_run_ends(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match="another run is writing there"):
            prepare(MPI.COMM_SELF, tmp_path)
        other.kill()
    assert prepare(MPI.COMM_SELF, tmp_path) is None
    assert prepare(MPI.COMM_SELF, tmp_path) is None
