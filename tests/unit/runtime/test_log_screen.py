"""What the log shows on the screen."""

import io
import os
import signal

import pytest
from mpi4py import MPI

from plexus.runtime.log import TERMINAL, Log


class Terminal(io.StringIO):
    """Text that claims to be a terminal, as launchers give one to their ranks."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("wish", "shown"), [("1", True), ("0", False), (None, False)])
def test_the_started_process_decides_on_the_progress_bar(monkeypatch, wish, shown):
    monkeypatch.delenv(TERMINAL, raising=False)
    if wish is not None:
        monkeypatch.setenv(TERMINAL, wish)
    stream = Terminal()
    Log(MPI.COMM_SELF, stream=stream).progress(0.5, "half")
    assert ("half" in stream.getvalue()) is shown


def test_a_reader_that_leaves_does_not_end_the_run(tmp_path):
    before = signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # other tests leave PETSc's handler there
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        log = Log(MPI.COMM_SELF, tmp_path, stream)
        log.info("first")
        log.info("second")
        log.close()
    signal.signal(signal.SIGPIPE, before or signal.SIG_DFL)
    assert "second" in (tmp_path / "log.txt").read_text()
