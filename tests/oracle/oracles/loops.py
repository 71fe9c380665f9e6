"""Periodic meshes: bodies some of whose axes have no ends, with solutions that do not vary along these."""

from __future__ import annotations

import random
from dataclasses import replace

from oracles.cases import Case
from oracles.scalars import _Scalar
from oracles.shapes import Shape, graded, shape
from oracles.solids import _Solid


def circles(seed: int) -> Case:
    """Return heat or diffusion on a periodic mesh."""
    return _Circles(seed).case()


def strips(seed: int) -> Case:
    """Return an elastic body on a periodic mesh."""
    return _Strips(seed).case()


def closed(draw: random.Random, body: Shape) -> Shape:
    """Return the body without turn, some of its axes closed: not all, and not one with regions along it."""
    axes = [i for i in range(body.dim) if body.split is None or i > 0]
    around = draw.sample(axes, draw.randint(1, min(len(axes), body.dim - 1)))
    grading = body.grading or (1.0,) * body.dim
    ticks = [
        graded(t[0], t[-1], max(3, len(t) - 1), q) if i in around else t
        for i, (t, q) in enumerate(zip(body.ticks, grading, strict=True))
    ]
    unit = tuple(tuple(float(i == j) for j in range(body.dim)) for i in range(body.dim))
    return replace(
        body, ticks=tuple(ticks), matrix=unit, shift=(0.0,) * body.dim, around=tuple(sorted(around))
    )


class _Circles(_Scalar):
    def __init__(self, seed: int):
        super().__init__(seed, random.Random(f"circles{seed}").choice(("heat", "diffusion")))

    def _body(self) -> Shape:
        self.radial = False
        return closed(self.draw, shape(self.draw, self.draw.choice((2, 2, 3))))


class _Strips(_Solid):
    def __init__(self, seed: int):
        geometries = ("solid", "plane_strain", "plane_stress")
        super().__init__(seed, random.Random(f"strips{seed}").choice(geometries))

    def _body(self) -> Shape:
        return closed(self.draw, super()._body())
