"""A stepper is one file and one deck: it works on everything that offers what it needs."""

import math

MEMBER = '''
"""Leap of order two over two steps with an explicit start: u_(n+1) = u_n + dt (3 f_n - f_(n-1))/2.

On modes f = L u + N(u), all of it explicit. Source: F. Bashforth, J. C. Adams (1883).
"""

from typing import Any

from plexus.deck.params import Params
from plexus.fields.keys import Key
from plexus.protocols import Split, StepResult
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "leap"}


class LeapParams(Params):
    """There is nothing to choose."""


@register("stepper", "leap", LeapParams)
class Leap:
    """Two values of f, the older one remembered."""

    needs, marches, order = Split, True, 2

    def __init__(self, params, tolerance=None):
        self.times, self.rates = [], []

    def step(self, system, state, t, dt):
        """Return the values at t + dt."""
        u = state.values[system.unknown]
        if not self.times or self.times[0] != t:
            self.times = [t, *self.times[:1]]
            self.rates = [self._rate(system, u, t), *self.rates[:1]]
        new = u + dt * self.rates[0]
        if len(self.rates) == 1:  # the start: Heun's method
            new = u + dt / 2 * (self.rates[0] + self._rate(system, new, t + dt))
        else:
            new = new + dt**2 / 2 * (self.rates[0] - self.rates[1]) / (self.times[0] - self.times[1])
        self.unknown = system.unknown
        return StepResult({**state.values, system.unknown: new})

    def _rate(self, system, u, t):
        return system.linear * u + system.explicit(u, t)

    def history(self):
        """Return the rates by their age."""
        if not self.times:
            return {"times": []}, {}
        keys = [Key("history", self.unknown, str(i)) for i in range(len(self.rates))]
        return {"times": list(self.times)}, dict(zip(keys, self.rates))

    def restore(self, meta, arrays):
        """Take them back."""
        self.times = list(meta["times"])
        self.rates = [arrays[key] for key in sorted(arrays, key=lambda k: int(k.label))]
        self.unknown = next(iter(arrays)).field if arrays else ""
'''
DECK = """
plexus: 1
mesh: {type: periodic, cells: [16, 16], size: [1, 1]}
physics: {type: navier_stokes, viscosity: 0.01}
time: {stepper: leap, end: END s, step: STEP s}
quantities: {energy: {type: mean, of: kinetic_energy}}
output: [{type: checkpoint, every: 0.25 s, keep: 99}]
"""


def deck(step, end=0.5):
    return DECK.replace("STEP", str(step)).replace("END", str(end))


def energy(newcomer, text, *arguments, out):
    return newcomer.run(text, *arguments, out=out)["quantities"]["energy"]


def test_one_file_and_one_deck(newcomer):
    """Taylor-Green vortices decay as exp(-2 ν k² t) in velocity, k² = 2 (2π)² in energy twice."""
    newcomer.install("stepper", "leap", MEMBER)
    coarse, fine, none = (
        energy(newcomer, deck(step, end), out=f"out{i}")
        for i, (step, end) in enumerate(((0.025, 0.5), (0.0125, 0.5), (1e-9, 1e-9)))
    )
    exact = none * math.exp(-2 * 0.01 * 2 * (2 * math.pi) ** 2 * 0.5)
    assert math.log2(abs(coarse - exact) / abs(fine - exact)) > 1.85
    assert "Bashforth" in newcomer.explained()


def test_its_memory_is_in_the_checkpoint(newcomer):
    newcomer.install("stepper", "leap", MEMBER)
    whole = energy(newcomer, deck(0.025), out="whole")
    energy(newcomer, deck(0.025, 0.25), out="half")
    again = energy(newcomer, deck(0.025), "--restart", "latest", out="half")
    assert abs(again - whole) <= 1e-14 * whole
