"""A preconditioner with a context is one file and one deck: nothing else is edited."""

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


def test_one_file_and_one_deck(newcomer):
    newcomer.install("preconditioner", "sweeps", MEMBER)
    iterations = {}
    for number in (1, 4):
        told = newcomer.run(DECK.replace("NUMBER", str(number)), out=f"out{number}")
        assert told["solver"]["u"]["applications"] > 0
        iterations[number] = told["solver"]["u"]["total"]
    assert iterations[4] < 0.6 * iterations[1]
    assert "Symmetric Richardson sweeps" in newcomer.explained()
