"""Plexus' multigrid in programs that know nothing of decks."""

import json
import re
import subprocess
from pathlib import Path

import yaml

from plexus.launch import environment, prefix
from plexus.runtime.interpreter import python

SCRIPT = Path(__file__).parents[2] / "docs/examples/poisson_petsc4py.py"


def started(*command):
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_petsc4py_program_takes_the_iterations_of_the_deck(tmp_path):
    """On two ranks; the script itself asserts that it has imported nothing of `plexus.deck`."""
    mat, rhs = str(tmp_path / "a.petsc"), str(tmp_path / "b.petsc")
    interpreter = python("unused")[0]
    said = started(*prefix(2), interpreter, str(SCRIPT), "-n", "16", "-save", mat, "-rhs", rhs)
    count, norm = re.search(r"(\d+) iterations, \|x\| = (\S+)", said).groups()
    deck = {
        "plexus": 1,
        "physics": {
            "type": "matrix",
            "problem": {"type": "file", "file": mat, "rhs": rhs, "cells": [16] * 3},
        },
        "solver": {"u": {"ksp": "cg", "rtol": 1e-6, "preconditioner": "aggregation"}},
        "quantities": {"norm": {"type": "norm", "of": "u"}},
        "output": [{"type": "series"}],
    }
    (tmp_path / "deck.yaml").write_text(yaml.safe_dump(deck))
    out = tmp_path / "run"
    started(*python("plexus", "run", str(tmp_path / "deck.yaml"), "-n", "2", "-o", str(out)))
    told = json.loads((out / "summary.json").read_text())
    assert told["solver"]["u"]["total"] == int(count)
    assert float(norm) > 0
