"""A sweep as a job array on a real SLURM, with one member made to fail."""

import json

import pytest
from cluster import PROFILE, job_id, missing

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

DECK = """\
plexus: 1
parameters: {k: 3, limit: "${where(k*mesh.cells[0] > 120, 1, 500)}"}
mesh: {type: box, cell: quadrilateral, cells: [8, 4], size: [2 m, 1 m]}
physics: {type: heat, degree: 1, material: {conductivity: "${k}"}}
boundary: [{on: left, temperature: 300 K}, {on: right, temperature: 400 K}]
solver: {temperature: {ksp: cg, preconditioner: jacobi, max_iterations: "${limit}"}}
quantities: {q: {type: flux, of: heat_flux, on: right}}
job: {ranks_per_node: 1, memory: 500 MB}
sweep:
  parameters:
    parameters.k: [1, 2, 5, 7]
    mesh.cells[0]: [8, 16, 24]
"""


def test_twelve_members_of_which_one_fails(cluster, tmp_path):
    (tmp_path / "deck.yaml").write_text(DECK)
    (tmp_path / "here.yaml").write_text(PROFILE)

    def submit(*more: str) -> str:
        """Submit the sweep, wait until no member of it is queued, return what was said."""
        said = cluster.plexus(tmp_path, "submit", "deck.yaml", "--profile", "./here.yaml", "-o", "out", *more)
        job = job_id(said)
        cluster.wait(
            lambda: cluster.call("squeue", "--noheader", "--jobs", job) == "", "the end of the array"
        )
        return said

    def summaries() -> dict[int, dict]:
        found = sorted((tmp_path / "out").glob("member_*/summary.json"))
        return {int(p.parent.name[-4:]): json.loads(p.read_text()) for p in found}

    def starts() -> dict[str, int]:
        return {p.parent.name: p.stat().st_mtime_ns for p in (tmp_path / "out").glob("member_*/deck.yaml")}

    said = submit()
    assert "sweep of 12 members" in said
    logs = "".join(p.read_text() for p in (tmp_path / "out").glob("job-*.out"))
    states = [s["status"] for s in summaries().values()]
    assert states == ["done"] * 11 + ["failed"], logs
    table = cluster.plexus(tmp_path, "sweep", "deck.yaml", "-o", "out", "--list")
    assert "12 members: 11 done, 1 failed" in table
    row = next(line for line in table.splitlines() if line.startswith("11 "))
    assert "failed  3" in row and "DIVERGED" in row

    before = starts()
    (tmp_path / "deck.yaml").write_text(DECK.replace(", 1, 500)", ", 400, 500)"))
    submit("--failed")
    assert [s["status"] for s in summaries().values()] == ["done"] * 12
    assert [name for name, t in starts().items() if before[name] != t] == ["member_0011"]
    assert summaries()[11]["quantities"]["q"] == pytest.approx(-7 * 100 / 2, rel=1e-6)
    again = cluster.plexus(
        tmp_path, "submit", "deck.yaml", "--profile", "./here.yaml", "-o", "out", "--failed"
    )
    assert again == "out: no member is left to run\n"
