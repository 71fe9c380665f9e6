"""Whole runs through the command line: rank counts, exit codes, restart, stops, verification."""

import json
from pathlib import Path

import crew
import pytest
from crew import Ended
from io_jobs import finish, start

HEAT = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 4], size: [2, 1]}
physics:
  type: thermoelasticity
  geometry: plane_strain
  material:
    conductivity: "1 + 0.1*temperature"
    density: 1
    specific_heat: 1
    young_modulus: 100
    poisson_ratio: 0.3
    expansion: {coefficient: 0.01, reference: 1}
boundary:
  - {on: left, temperature: "1 + sin(t)", displacement: [0, 0]}
  - {on: right, convection: {coefficient: 2, ambient: 3}}
initial: {temperature: 1}
time: {stepper: bdf2, end: 0.4 s, step: 0.05 s}
solver:
  temperature: {ksp: gmres, preconditioner: bjacobi, rtol: 1e-13, snes_rtol: 1e-12}
  displacement: {preconditioner: gamg, rtol: 1e-13}
quantities:
  mean: {type: mean, of: temperature}
  hottest: {type: maximum, of: temperature}
  stress: {type: maximum, of: von_mises}
output: [{type: series, every: 0.125 s}]
verification:
  - {quantity: mean, reference: 1.6, tolerance: 0.5, source: estimate}
  - {quantity: hottest, reference: 100, absolute_tolerance: 1, source: wrong on purpose}
"""

BOX = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
"""


def plexus(folder: Path, text: str, *arguments: str, command: str = "run", ranks: int = 1) -> Ended:
    """Do something with a deck in ``folder``."""
    (folder / "deck.yaml").write_text(text)
    return crew.plexus(folder, command, "deck.yaml", *arguments, ranks=ranks)


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the thermo-elastic run on one rank."""
    folder = tmp_path_factory.mktemp("whole")
    done = plexus(folder, HEAT, "-o", "out")
    assert done.code == 0, done.err
    return folder


def test_three_ranks_equal_one(whole, tmp_path):
    done = plexus(tmp_path, HEAT, "-o", "out", ranks=3)
    assert done.code == 0, done.err
    one, three = summary(whole / "out"), summary(tmp_path / "out")
    assert (one["ranks"], three["ranks"]) == (1, 3)
    for name, value in one["quantities"].items():
        assert three["quantities"][name] == pytest.approx(value, rel=1e-10)
    assert three["steps"] == one["steps"] and three["unknowns"] == one["unknowns"]


def test_summary_and_verification(whole):
    found = summary(whole / "out")
    assert found["status"] == "done" and found["exit_code"] == 0 and found["time"] == 0.4
    solver = found["solver"]["temperature"]
    assert solver["solves"] == found["steps"] and solver["total"] >= solver["newton"] >= solver["solves"]
    assert [row["holds"] for row in found["verification"]] == [True, False]
    assert found["verification"][1]["reference"] == 100.0


def test_output_times_are_hit_exactly(whole):
    import h5py

    with h5py.File(whole / "out" / "series.h5") as file:
        times = file["quantities/time"][()]
    assert times.tolist() == [0.0, 0.125, 0.25, 0.375, 0.4]


def test_restart_on_other_rank_counts_equals_the_whole_run(whole, tmp_path):
    text = HEAT.replace("output: [", "output: [{type: checkpoint, every: 4 steps, keep: 9}, ")
    assert plexus(tmp_path, text, "-o", "out", ranks=2).code == 0
    first = min((tmp_path / "out").glob("checkpoint_*.h5"))
    done = plexus(tmp_path, text, "-o", "again", "--restart", str(first))
    assert done.code == 0, done.err
    assert "at step 4" in done.out
    again, before = summary(tmp_path / "again"), summary(whole / "out")
    assert again["steps"] == before["steps"]
    for name, value in before["quantities"].items():
        assert again["quantities"][name] == pytest.approx(value, rel=1e-10)


def test_unused_option_is_told_once_with_its_place(tmp_path):
    text = BOX + "solver:\n  u:\n    ksp: gmres\n    options: {ksp_gmres_restrat: 5}\n"
    done = plexus(tmp_path, text, ranks=2)
    assert done.code == 2
    assert done.err.count("deck.yaml:8:34: solver.u.options.ksp_gmres_restrat: PETSc did not use") == 1
    assert "Traceback" not in done.err
    assert summary(tmp_path / "runs" / "deck")["status"] == "failed"


def test_failed_solve_ends_with_code_3(tmp_path):
    done = plexus(
        tmp_path, BOX + "solver: {u: {ksp: cg, preconditioner: none, max_iterations: 2}}\n", ranks=2
    )
    assert done.code == 3
    assert done.err.count("solve failed: u at t = 0 s") == 1


def test_fallback_ends_degraded(tmp_path):
    block = "{ksp: cg, preconditioner: none, max_iterations: 2, on_failure: {preconditioner: lu}}"
    done = plexus(tmp_path, BOX + f"solver: {{u: {block}}}\n", "-o", "out")
    assert done.code == 0 and "taking fallback 1" in done.out
    assert summary(tmp_path / "out")["status"] == "degraded"


def test_wrong_deck_ends_all_ranks_with_code_2(tmp_path):
    done = plexus(tmp_path, BOX.replace("source", "sauce"), ranks=3)
    assert done.code == 2
    assert done.err.count("deck.yaml:3:") == 1


def test_dry_run_writes_nothing(tmp_path):
    done = plexus(tmp_path, HEAT, "--dry-run", command="check")
    assert done.code == 0, done.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["deck.yaml"]


def test_time_limit_leaves_a_checkpoint_and_code_75(tmp_path):
    # a hundred thousand steps: no machine is through them before the limit
    text = HEAT.replace("step: 0.05 s", "step: 4e-6 s") + "runtime: {time_limit: 1 s}\n"
    (tmp_path / "deck.yaml").write_text(text)
    # the limit counts from the start of the process
    code, err = finish(start(1, ["-m", "plexus", "run", "deck.yaml", "-o", "out"], tmp_path), tmp_path)
    assert code == 75, err
    found = summary(tmp_path / "out")
    assert found["status"] == "stopped" and 0 < found["steps"] < 100_000
    assert list((tmp_path / "out").glob("checkpoint_*.h5"))


def test_a_preconditioner_in_python_does_the_same_on_any_number_of_ranks(tmp_path):
    block = "{ksp: cg, preconditioner: none, max_iterations: 2, on_failure: {preconditioner: chebyshev}}"
    text = BOX.replace("[8, 8]", "[24, 24]").replace("coefficient: 1", "coefficient: '1 + u'")
    text += f"solver: {{u: {block}}}\nquantities: {{top: {{type: maximum, of: u}}}}\n"
    found = []
    for ranks in (1, 3):
        done = plexus(tmp_path, text, "-o", f"out{ranks}", ranks=ranks)
        assert done.code == 0, done.err
        found.append(summary(tmp_path / f"out{ranks}"))
    one, three = found
    assert three["quantities"]["top"] == pytest.approx(one["quantities"]["top"], rel=1e-9)
    assert one["solver"]["u"]["fallbacks"] == three["solver"]["u"]["fallbacks"] == 1
    for key in ("total", "newton", "applications"):
        assert three["solver"]["u"][key] == pytest.approx(one["solver"]["u"][key], abs=1)


MIXTURE = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [12, 12]}
physics: {type: cahn_hilliard, mobility: 1, interface: 0.06, splitting: true}
initial: {c: "0.1 + 0.5*cos(7*x)*cos(5*y) + 0.3*cos(13*x + 3)*cos(11*y)"}
time: {stepper: theta, end: 1, step: 0.05}
solver: {c: {snes_rtol: 1e-13, rtol: 1e-12, preconditioner: SPLIT}}
quantities:
  mass: {type: integral, of: c}
  energy: {type: integral, of: energy_density}
  potential: {type: maximum, of: mu}
"""
SPLIT = "{type: fieldsplit, variant: schur, fields: {c: bjacobi, mu: asm}}"


@pytest.mark.parametrize("split", ["asm", SPLIT])
def test_a_block_of_fields_on_three_ranks_and_from_a_checkpoint(tmp_path, split):
    """Energy falls, mass stays, on any number of ranks, also after a restart."""
    import h5py

    text = MIXTURE.replace("SPLIT", split) + "output: [{type: checkpoint, every: 12 steps, keep: 9}]\n"
    found = {}
    for ranks in (1, 3):
        done = plexus(tmp_path, text, "-o", f"out{ranks}", ranks=ranks)
        assert done.code == 0, done.err
        found[ranks] = summary(tmp_path / f"out{ranks}")
        with h5py.File(tmp_path / f"out{ranks}" / "series.h5") as file:
            energy, mass = file["quantities/energy"][()], file["quantities/mass"][()]
        assert len(energy) == 21 and max(energy[1:] - energy[:-1]) <= 1e-12
        assert max(abs(mass - mass[0])) <= 1e-12
    first = min((tmp_path / "out3").glob("checkpoint_*.h5"))
    done = plexus(tmp_path, text, "-o", "again", "--restart", str(first), ranks=2)
    assert done.code == 0, done.err
    for other in (found[3], summary(tmp_path / "again")):
        for name in ("energy", "potential"):
            assert other["quantities"][name] == pytest.approx(found[1]["quantities"][name], rel=1e-9)


def test_equations_iterate_alike_on_any_number_of_ranks(tmp_path):
    """Heat that depends on the displacement that it causes; the passes are told in summary and histories."""
    import h5py

    text = HEAT.replace("material:", 'source: "1 + 30*displacement_x"\n  material:', 1)
    text = text.replace("end: 0.4 s", "end: 0.1 s") + "coupling: {iterations: 30, tolerance: 1e-11}\n"
    found = []
    for ranks in (1, 3):
        done = plexus(tmp_path, text, "-o", f"out{ranks}", ranks=ranks)
        assert done.code == 0, done.err
        assert "coupling: " in done.out and "passes per step" in done.out
        found.append(summary(tmp_path / f"out{ranks}"))
        with h5py.File(tmp_path / f"out{ranks}" / "series.h5") as file:
            assert max(file["coupling/change"][()]) <= 1e-11
    one, three = found
    assert one["coupling"] == three["coupling"]
    assert one["coupling"]["steps"] == one["steps"] and one["coupling"]["mean"] > 2
    assert one["solver"]["temperature"]["solves"] == one["coupling"]["passes"]
    for name, value in one["quantities"].items():
        assert three["quantities"][name] == pytest.approx(value, rel=1e-9)
    done = plexus(tmp_path, text.replace("iterations: 30", "iterations: 2"), "-o", "failed")
    assert done.code == 3 and "coupling: after 2 passes" in done.err
    assert "coupling" not in summary(tmp_path / "failed")
