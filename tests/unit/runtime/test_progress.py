"""The finish date in ``progress.json``."""

import json

import pytest
from mpi4py import MPI

from plexus.fileformat import from_json
from plexus.runtime import context
from plexus.runtime.summary import write_failure, write_progress


@pytest.mark.parametrize(("left", "dated"), [(None, False), (60.0, True), (1e13, False), (1e300, False)])
def test_finish_date_of_short_and_absurd_rests(tmp_path, left, dated):
    ctx = context.create(MPI.COMM_SELF, tmp_path)
    write_progress(ctx, step=1, t=0.1, share=0.5, left=left)
    assert (json.loads((tmp_path / "progress.json").read_text())["finish"] is not None) is dated


def test_a_failure_ends_the_progress(tmp_path):
    ctx = context.create(MPI.COMM_SELF, tmp_path)
    write_failure(ctx, 3, "no luck")
    assert not (tmp_path / "progress.json").exists()
    write_progress(ctx, step=1, t=float("inf"), share=0.5, left=60.0)
    write_failure(ctx, 3, "no luck")
    told = json.loads((tmp_path / "progress.json").read_text())
    # what is no number is told beside the data, and survives the second writing
    assert from_json(told)["t"] == float("inf")
    assert (told["status"], told["step"], told["finish"]) == ("failed", 1, None)
    assert json.loads((tmp_path / "summary.json").read_text())["phases"]["other"]["mean"] >= 0
