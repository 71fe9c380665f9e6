"""Who answers at material points: a law along paths of strain, a potential at deformations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from plexus import registry
from plexus.formulation.points import Values, View
from plexus.protocols import Law, Potential

Array = np.ndarray


class Teacher(Protocol):
    """A classical material."""

    inputs: Sequence[str]
    """Ports that it is asked by, in the order of `places`."""
    outputs: Sequence[str]
    """Ports that it answers."""
    places: Sequence[tuple[int, int]]
    """Rows and columns of the ports."""

    def asked(self, strain: Array) -> Array:
        """Return the tensors (..., 3, 3) that it is asked for, of strains."""

    def answer(self, at: Any, asked: Array) -> Array:
        """Return the stress [Pa] at the end of a step, (paths, 3, 3); ``at`` is the point (`View`)."""


class OfLaw:
    """A law, which begins each path without memory."""

    def __init__(self, params: Any, paths: int):
        from plexus.laws._learned import PAIRS, STRAINS, STRESSES

        self.inputs: Sequence[str] = STRAINS
        self.outputs: Sequence[str] = STRESSES
        self.places: Sequence[tuple[int, int]] = PAIRS
        self.law: Law = registry.build("law", params)
        size = {"scalar": (paths, 1), "tensor": (paths, 1, 9)}
        self.before = {spec.name: np.full(size[spec.shape], spec.start) for spec in self.law.internal}

    def asked(self, strain: Array) -> Array:
        """Return the strains."""
        return strain

    def answer(self, at: Any, asked: Array) -> Array:
        """Return σ and remember the step."""
        found = self.law.respond(View(at, before=self.before), asked[:, None], memory=True)
        self.before = {**self.before, **found.memory}
        return np.asarray(found.stress[:, 0])


class OfPotential:
    """A potential, asked for stretches F = exp ε: what is turned in addition is turned in its answer."""

    def __init__(self, params: Any, paths: int):
        from plexus.potentials._learned import GRADIENTS, STRESSES

        self.inputs: Sequence[str] = GRADIENTS
        self.outputs: Sequence[str] = STRESSES
        self.places: Sequence[tuple[int, int]] = [(i, j) for i in range(3) for j in range(3)]
        self.potential: Potential = registry.build("potential", params)

    def asked(self, strain: Array) -> Array:
        """Return exp ε."""
        sizes, axes = np.linalg.eigh(strain)
        return np.asarray(np.einsum("...ia,...a,...ja->...ij", axes, np.exp(sizes), axes))

    def answer(self, at: Any, asked: Array) -> Array:
        """Return P."""
        return np.asarray(self.potential.respond(at, asked[:, None])[0][:, 0])


def answers(teacher: Teacher, asked: Array, duration: float, temperature: float | None) -> Array:
    """Return the stresses along all paths at once, (paths, steps, 3, 3) [Pa]."""
    count, steps = asked.shape[:2]
    heat = {} if temperature is None else {"temperature": Values(np.full((count, 1), temperature))}
    known = {"x": np.zeros((count, 1, 3)), "one": np.ones((1, 1)), "dim": 3, "regions": {}}
    stress = np.empty_like(asked)
    for k in range(steps):
        at = View(None, heat, dt=duration / steps, t=duration * (k + 1) / steps, **known)
        stress[:, k] = teacher.answer(at, asked[:, k])
    return stress
