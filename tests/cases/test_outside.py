"""Plexus' multigrid in programs that know nothing of decks."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import plexus
import plexus_kernels
from plexus.bench.assembly import interpreter
from plexus.launch import environment, prefix
from plexus.runtime.interpreter import python

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


def started(*command):
    """Return what a command says; other interpreters find the packages of this one's tests, too."""
    folders = [str(Path(package.__file__).parents[1]) for package in (plexus, plexus_kernels)]
    env = environment() | {"PYTHONPATH": os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dolfinx():
    """Return an interpreter that has DOLFINx, or skip."""
    found = interpreter()
    if found is None:
        pytest.skip("no interpreter here has DOLFINx (Debian: python3-dolfinx)")
    return found


@pytest.mark.parametrize(
    ("script", "size", "told", "using"),
    [
        ("poisson_petsc4py.py", 16, {"cells": [16] * 3}, lambda: python("unused")[0]),
        ("poisson_dolfinx.py", 12, {}, dolfinx),
    ],
    ids=["petsc4py", "dolfinx"],
)
def test_a_program_takes_the_iterations_of_the_deck(script, size, told, using, tmp_path):
    """On two ranks; the scripts themselves assert that they have imported nothing of `plexus.deck`."""
    mat, rhs = str(tmp_path / "a.petsc"), str(tmp_path / "b.petsc")
    command = [using(), str(EXAMPLES / script), "-n", str(size), "-save", mat, "-rhs", rhs]
    said = started(*prefix(2), *command)
    count, norm = re.search(r"(\d+) iterations, \|x\| = (\S+)", said).groups()
    deck = {
        "plexus": 1,
        "physics": {"type": "matrix", "problem": {"type": "file", "file": mat, "rhs": rhs, **told}},
        "solver": {"u": {"ksp": "cg", "rtol": 1e-6, "preconditioner": "aggregation"}},
        "quantities": {"norm": {"type": "norm", "of": "u"}},
        "output": [{"type": "series"}],
    }
    (tmp_path / "deck.yaml").write_text(yaml.safe_dump(deck))
    out = tmp_path / "run"
    started(*python("plexus", "run", str(tmp_path / "deck.yaml"), "-n", "2", "-o", str(out)))
    solved = json.loads((out / "summary.json").read_text())["solver"]["u"]
    assert solved["total"] == int(count)
    assert float(norm) > 0
