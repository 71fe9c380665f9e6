"""An operator is one file and one deck: here one number, found by least squares."""

MEMBER = '''
"""Damping: u(t + dt) = a u(t), with the one factor a that fits the samples best.

Exact for one mode of diffusion, where a = exp(-ν k² dt).
"""

from typing import Any

from plexus.operators.base import OperatorParams, OperatorPart
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "damping"}


class DampingParams(OperatorParams):
    """Parameters of the operator: none of its own."""


@register("operator", "damping", DampingParams)
class Damping(OperatorPart):
    """u -> a u."""

    def chosen(self):
        """Return nothing."""
        return {}

    def make(self):
        """Return the factor."""
        import torch

        return torch.nn.ParameterDict({"a": torch.nn.Parameter(torch.ones(()))})

    def solve(self, inputs, targets):
        """Find the factor of the scaled fields."""
        (name,) = (port.name for port in self.ports)
        u, v = inputs[name] / self.scales[f"start {name}"], targets[name] / self.scales[f"end {name}"]
        self.network["a"].data.copy_((u * v).sum() / (u * u).sum())

    def respond(self, u):
        """Return a u."""
        return self.network["a"] * u
'''
DECK = """
plexus: 1
parameters: {size: 1}
mesh: {type: periodic, cells: [16], size: [1 m]}
physics: {type: advection_diffusion, velocity: [0], diffusivity: 0.01}
initial: {concentration: size*sin(2*pi*x)}
time: {stepper: STEPPER, end: 1 s, step: STEP}
quantities: {top: {type: maximum, of: concentration}}
"""
TRAIN = """
train:
  data:
    type: runs
    deck: reference.yaml
    vary: {parameters: {parameters.size: [0.5, 1, 2]}}
    fields: {concentration: concentration}
    times: {start: 0, end: 1 s, every: 1 s}
    lead: 1
  stages: [direct]
"""


def test_one_file_and_one_deck(newcomer):
    newcomer.install("operator", "damping", MEMBER)
    surrogate = "{type: surrogate, operator: OPERATOR}"
    reference = DECK.replace("STEPPER", "ssp_rk").replace("STEP", "0.05 s")
    (newcomer.folder / "reference.yaml").write_text(reference)
    deck = DECK.replace("STEPPER", surrogate).replace("STEP", "1 s")
    precise = "{type: damping, precision: fp64MORE}"
    trained = newcomer.run(
        deck.replace("OPERATOR", precise.replace("MORE", "")) + TRAIN, task="train", out="made"
    )
    more = f", checkpoint: {trained['bundle']}, sha256: {trained['sha256']}"
    found = newcomer.run(deck.replace("OPERATOR", precise.replace("MORE", more)))
    true = newcomer.run(reference, out="true")["quantities"]["top"]
    assert abs(found["quantities"]["top"] - true) <= 1e-9 * true
    assert found["guards"]["time.stepper.operator"]["mean_outside"] == 0
