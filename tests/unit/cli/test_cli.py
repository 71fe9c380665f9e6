"""The command line: help, exit codes, and what each command hands to the parts below."""

from pathlib import Path

import pytest

from plexus import cli
from plexus.errors import GuardError, OutputError, SolveError
from plexus.tasks import Request

ROOT = Path(__file__).parents[3]
DECK = str(ROOT / "src/plexus/templates/heat.yaml")


def plexus(*arguments) -> int:
    try:
        return cli.main(list(arguments))
    except SystemExit as stop:  # argparse's own
        return int(stop.code or 0)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["run"],
        ["check"],
        ["list"],
        ["explain"],
        ["schema"],
        ["new"],
        ["bench"],
        ["mesh"],
        ["mesh", "convert"],
    ],
)
def test_every_command_has_help(words, capsys):
    assert plexus(*words, "--help") == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: plexus")
    assert all(len(line) <= 110 for line in text.splitlines())


@pytest.mark.parametrize(
    "words", [[], ["nonsense"], ["run"], ["run", "x", "-n", "0"], ["run", "x", "-n", "a"], ["explain"]]
)
def test_wrong_usage_is_exit_2(words, capsys):
    assert plexus(*words) == 2
    assert "usage:" in capsys.readouterr().err


def test_version(capsys):
    assert plexus("--version") == 0
    assert capsys.readouterr().out.startswith("plexus 0.")


def test_check(capsys):
    assert plexus("check", DECK, "-s", "mesh.cells=[3, 3]") == 0
    *seen, last = capsys.readouterr().out.splitlines()
    assert seen[:2] == [
        "cells        9 quadrilateral cells, 16 points",
        "extent       100 mm × 20 mm, from (0, 0) mm",
    ]
    assert last == f"{DECK}: good (box mesh, heat, steady)"
    assert plexus("check", DECK, "-s", "mesh.cells=[3, x]") == 2
    assert capsys.readouterr().err.startswith("command line:1:12: mesh.cells[1]: expected a whole number")


def test_check_mesh(capsys):
    assert plexus("check", DECK, "--mesh", "-n", "2") == 0
    text = capsys.readouterr().out
    assert text.count("good") == 1 and text.splitlines()[-1].startswith(f"{DECK}: good")
    assert "500 quadrilateral cells" in text
    assert "temperature  2," in text
    assert "MB per rank on 2 ranks" in text
    assert "fields.vtkhdf" in text


def test_check_effective(capsys):
    assert plexus("check", DECK, "--effective") == 0
    assert "degree: 2  # " in capsys.readouterr().out


def test_dry_run_is_handed_to_the_driver(monkeypatch):
    from plexus import driver

    calls = []
    monkeypatch.setattr(driver, "run", lambda *a, **k: calls.append((a, k)) or 0)
    assert plexus("check", DECK, "--dry-run", "-s", "runtime.seed=1") == 0
    assert calls == [((DECK, ["runtime.seed=1"]), {"dry": True})]


def test_run_is_handed_to_the_driver(monkeypatch):
    from plexus import driver

    calls = []
    monkeypatch.setattr(driver, "perform", lambda request, task: calls.append((request, task.name)) or 75)
    assert plexus("run", DECK, "-o", "there", "--restart") == 75
    assert plexus("run", DECK, "--restart", "c.h5", "-s", "a=1") == 75
    asked = [Request(DECK, [], "there", "latest"), Request(DECK, ["a=1"], None, "c.h5")]
    assert calls == [(request, "run") for request in asked]


@pytest.mark.parametrize("ranks", [["-n", "3"], ["-n3"]])
def test_ranks_are_handed_to_the_launcher(monkeypatch, ranks):
    from plexus import launch

    calls = []
    monkeypatch.setattr(launch, "inside", lambda: False)
    monkeypatch.setattr(launch, "launch", lambda n, a: calls.append((n, a)) or 0)
    assert plexus("run", *ranks, DECK, "-s", "mesh.refine=1") == 0
    assert calls == [(3, ["run", DECK, "-s", "mesh.refine=1"])]


def test_inside_a_launcher_the_ranks_join(monkeypatch):
    from plexus import driver, launch

    monkeypatch.setattr(launch, "inside", lambda: True)
    monkeypatch.setattr(driver, "perform", lambda *a: 0)
    assert plexus("run", "-n", "3", DECK) == 0


@pytest.mark.parametrize(("error", "code"), [(SolveError, 3), (OutputError, 4), (GuardError, 5)])
def test_errors_become_exit_codes(monkeypatch, capsys, error, code):
    from plexus import driver

    def fail(*arguments, **more):
        raise error("no luck")

    monkeypatch.setattr(driver, "perform", fail)
    assert plexus("run", DECK) == code
    assert capsys.readouterr() == ("", "no luck\n")


def test_citations(monkeypatch, capsys):
    from plexus import driver

    monkeypatch.setattr(driver, "perform", lambda *a: 0)
    monkeypatch.delenv("OMPI_COMM_WORLD_RANK", raising=False)
    assert plexus("run", DECK, "--citations") == 0
    text = capsys.readouterr().out
    assert "PETSc" in text
    assert "physics.heat: " in text
    assert "Carslaw" in text


def test_list_and_explain(capsys):
    assert plexus("list") == 0
    assert "physics" in capsys.readouterr().out
    assert plexus("list", "physics") == 0
    assert "physics.heat" in capsys.readouterr().out
    assert plexus("list", "phisics") == 2
    assert "did you mean 'physics'" in capsys.readouterr().err
    for topic in ("physics.heat", "physics", "solver", "deck", "time", "boundary", "mesh.box", "property"):
        assert plexus("explain", topic) == 0
        assert capsys.readouterr().out.startswith(topic)
    for topic, told in (
        ("reduce", "reduction.galerkin"),
        ("samples", "sample.gaussian_field"),
        ("tables", "period"),
    ):
        assert plexus("explain", topic) == 0
        assert told in capsys.readouterr().out
    assert plexus("explain", "physics.hat") == 2
    assert "did you mean 'physics.heat'" in capsys.readouterr().err
    assert plexus("explain", "error") == 2
    assert "did you mean 'controller.error' or 'quantity.error'? `plexus list`" in capsys.readouterr().err


def test_new(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert plexus("new") == 0
    assert "heat" in capsys.readouterr().out
    assert plexus("new", "heat") == 0
    assert plexus("check", "heat.yaml") == 0
    assert plexus("new", "heat") == 2
    assert "exists already" in capsys.readouterr().err
    assert not Path("heat.yaml").read_text().startswith("# yaml-language-server")
    Path("plexus.schema.json").touch()
    assert plexus("new", "heat", "-o", "y.yaml") == 0
    assert Path("y.yaml").read_text().startswith("# yaml-language-server: $schema=plexus.schema.json\n")
    assert plexus("new", "heet", "-o", "x.yaml") == 2
    assert plexus("new", "heat", "-o", "no/where.yaml") == 4


def test_schema(tmp_path, capsys):
    target = tmp_path / "schema.json"
    assert plexus("schema", "-o", str(target)) == 0
    assert plexus("schema", "--check", str(target)) == 0
    target.write_text("{}")
    assert plexus("schema", "--check", str(target)) == 2
    assert "is stale" in capsys.readouterr().err
    assert plexus("schema", "--check", "missing.json") == 2
    assert plexus("schema") == 0
    assert '"Plexus deck"' in capsys.readouterr().out


def test_mesh_convert_and_bench_are_handed_on(monkeypatch, capsys, tmp_path):
    from plexus import bench
    from plexus.mesh import convert

    calls = []
    monkeypatch.setattr(convert, "convert", lambda *given: calls.append(given))
    monkeypatch.setattr(bench, "main", lambda names: len(names))
    assert plexus("mesh", "convert", "a.msh", "b.h5") == 0
    assert plexus("mesh", "convert", "a.msh", "b.h5", "--scale", "1 mm") == 0
    assert calls == [(Path("a.msh"), Path("b.h5"), 1.0), (Path("a.msh"), Path("b.h5"), pytest.approx(1e-3))]
    assert plexus("mesh", "convert", "a.msh", "b.h5", "--scale", "-1 mm") == 2
    assert plexus("mesh", "convert", "a.msh", "b.h5", "--scale", "1 K") == 2
    assert plexus("bench", "assembly", "output") == 2


@pytest.mark.parametrize(("name", "told"), [("petsc4py", True), ("mpi4py.MPI", True), ("plexus.x", False)])
def test_a_machine_without_mpi_or_petsc_is_told_what_is_missing(name, told, monkeypatch, capsys):
    from plexus import driver

    def perform(*_, **__):
        raise ImportError("libmpi.so.40: cannot open shared object file", name=name)

    monkeypatch.setattr(driver, "perform", perform)
    if told:
        assert plexus("run", DECK) == 2
        assert "libmpi.so.40" in capsys.readouterr().err
    else:
        with pytest.raises(ImportError):
            plexus("run", DECK)
