"""A preconditioner with a context is one file and one deck: nothing else is edited."""

import json
import sys
from pathlib import Path

import pytest

from plexus import registry
from plexus.cli import main

MEMBER = '''
"""Symmetric Richardson sweeps: y = Σ_k (I - ω A)^k ω x, k < sweeps."""

from typing import Any

from plexus.deck.params import Field, Params
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase

EXAMPLE: dict[str, Any] = {"type": "sweeps", "number": 2}


class SweepsParams(Params):
    """Parameters of the sweeps."""

    number: int = Field(2, ge=1, description="sweeps per application")


@register("preconditioner", "sweeps", SweepsParams)
class Sweeps(PreconditionerBase):
    """Sweeps scaled by a norm of the matrix."""

    def context(self, target):
        """Return the sweeps."""
        return Context(self.params.number)


class Context:
    """Sweeps over one matrix."""

    def __init__(self, number):
        self.number = number

    def setUp(self, pc):
        """Scale by the largest row sum."""
        self.omega = 1 / pc.getOperators()[1].norm(3)

    def apply(self, pc, x, y):
        """Sweep from zero."""
        mat, r = pc.getOperators()[1], x.duplicate()
        y.set(0)
        for _ in range(self.number):
            mat.mult(y, r)
            r.aypx(-1, x)
            y.axpy(self.omega, r)
        r.destroy()
'''
DECK = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [16, 16]}
physics: {type: diffusion, coefficient: 1, source: 1}
boundary: [{on: exterior, u: 0}]
solver: {u: {ksp: cg, preconditioner: {type: sweeps, number: NUMBER}}}
quantities: {top: {type: maximum, of: u}}
verification: [{quantity: top, reference: 0.0736713, tolerance: 0.01, source: series of sines}]
"""


@pytest.fixture
def _file(tmp_path, monkeypatch):
    """Write the file into a package of its own, known by its entry point."""
    (tmp_path / "newcomer_sweeps.py").write_text(MEMBER)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = registry.installed()
    monkeypatch.setattr(registry, "_installed", {**found, "preconditioner": {"sweeps": "newcomer_sweeps"}})
    registry._modules.cache_clear()
    yield
    monkeypatch.undo()  # first, or a listing would find the file again
    registry.forget("preconditioner", "sweeps")
    registry._modules.cache_clear()
    sys.modules.pop("newcomer_sweeps", None)


@pytest.mark.usefixtures("_file")
def test_one_file_and_one_deck(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    iterations = {}
    for number in (1, 4):
        Path("deck.yaml").write_text(DECK.replace("NUMBER", str(number)))
        assert main(["check", "deck.yaml"]) == 0
        assert main(["run", "deck.yaml", "-o", f"out{number}"]) == 0
        told = json.loads(Path(f"out{number}/summary.json").read_text())
        assert told["verification"][0]["holds"]
        assert told["solver"]["u"]["applications"] > 0
        iterations[number] = told["solver"]["u"]["total"]
    assert iterations[4] < 0.6 * iterations[1]
    assert main(["explain", "preconditioner.sweeps"]) == 0
    assert "Symmetric Richardson sweeps" in capsys.readouterr().out
