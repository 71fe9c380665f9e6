"""Pictures of preconditioners beside each other, from the benchmark's files and from runs."""

import json
from pathlib import Path

import pytest

from plexus_post.cli import main
from plexus_post.recipes._solves import read


def solve(method, iterations, at=None, system="channels 8^3", converged=True):
    return {
        "system": system, "method": method, "at": at, "along": "contrast" if at else "",
        "iterations": iterations, "converged": converged, "work": 9.0 * iterations,
        "setup": 0.1, "solve": 0.2, "held": None, "ranks": 1,
        "history": [10.0**-k for k in range(iterations + 1)],
    }  # fmt: skip


def written(path, *every):
    path.write_text(json.dumps({"machine": {}, "solves": every}))
    return str(path)


def test_pictures_of_a_benchmark(tmp_path, capsys):
    grown = [solve(m, k + j, 10.0**k, f"channels 8^3, contrast 1e{k}")
             for j, m in enumerate(("two_step", "GAMG")) for k in (2, 4, 6)]  # fmt: skip
    one = written(tmp_path / "a.json", *grown, solve("ICC", 90), solve("v", 3, converged=False))
    out = tmp_path / "pictures"
    assert main(["linear", one, "-o", str(out)]) == 0
    assert [p.split("/")[-1] for p in capsys.readouterr().out.split()] == [
        "convergence.png", "growth.png", "seconds.png",
    ]  # fmt: skip
    assert len(list(out.glob("*.png"))) == 3


def test_pictures_of_spectra(tmp_path, capsys):
    path, half = tmp_path / "spectra.json", [[0.5, None], [1.0, 2.0]]
    told = {
        "spectra": [{"system": "channels 8^3", "method": m, "values": [0.4, 1.0, 1.2]}
                    for m in ("v", "v, learned")],
        "slices": [{"system": "channels 8^3", "beside": "fluid", "coefficient": half, "factors": half}],
    }  # fmt: skip
    path.write_text(json.dumps(told))
    assert main(["linear", str(path), "-o", str(tmp_path / "p")]) == 0
    assert [p.split("/")[-1] for p in capsys.readouterr().out.split()] == ["spectra.png", "conductances.png"]
    assert len(list((tmp_path / "p").glob("*.png"))) == 2


def test_the_system_can_be_chosen(tmp_path, capsys):
    one = written(tmp_path / "a.json", solve("v", 4), solve("v", 5, system="plates 8^3"))
    assert main(["linear", one, "-o", str(tmp_path / "p"), "--system", "plates 8^3"]) == 0
    assert main(["linear", one, "-o", str(tmp_path / "p"), "--system", "pipes"]) == 2
    assert "there are channels 8^3, plates 8^3" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", '{"solves": 3}', '{"solves": [{}]}', '{"solves": []}'])
def test_other_files_are_refused(tmp_path, capsys, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    assert main(["linear", str(path)]) == 2
    assert "a.json" in capsys.readouterr().err


def test_runs_beside_each_other(tmp_path):
    from plexus.cli import main as plexus

    folders = []
    for name in ("icc", "jacobi"):
        deck = tmp_path / f"{name}.yaml"
        deck.write_text(
            "plexus: 1\nphysics: {type: matrix, problem: {type: channels, cells: [8, 8, 8], seed: 1}}\n"
            f"solver: {{u: {{ksp: cg, rtol: 1e-6, preconditioner: {name}}}}}\n"
        )
        assert plexus(["run", str(deck), "-o", str(tmp_path / name)]) == 0
        folders.append(str(tmp_path / name))
    assert main(["linear", *folders, "-o", str(tmp_path / "p")]) == 0
    assert (tmp_path / "p" / "convergence.png").is_file()
    for folder in folders:
        (found,) = read(Path(folder))
        assert len(found.history) == found.iterations + 1
        assert found.history[0] == 1 and found.history[-1] <= 1e-6 < found.history[-2]


def test_where_nothing_is_solved_nothing_is_drawn(tmp_path, capsys):
    one = written(tmp_path / "a.json", solve("v", 3, converged=False))
    assert main(["linear", one, "-o", str(tmp_path / "p")]) == 2
    assert "no method has solved channels 8^3" in capsys.readouterr().err
