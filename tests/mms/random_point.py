"""A point with random values of all fields, for tests of pointwise formulas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plexus.formulation.points import Values, View
from plexus.protocols import FieldSpec


def random_point(
    specs: list[FieldSpec],
    own: str | list[str],
    dim: int,
    seed: int = 1,
    normal: bool = False,
    internal: Sequence[FieldSpec] = (),
) -> View:
    """Return a point of 3 cells with 4 points each; x in (0.5, 1.5), values near 1, internal below 0.5.

    Gradients are so small that no body is turned inside out.

    A list of names is a block of scalars.
    """
    rng = np.random.default_rng(seed)
    x = 0.5 + rng.random((3, 4, dim))
    samples = {}
    for spec in specs:
        tail = () if spec.shape == "scalar" else (dim,)
        value, grad = 1 + 0.3 * rng.random((3, 4, *tail)), 0.25 * rng.standard_normal((3, 4, *tail, dim))
        samples[spec.name] = Values(value, grad)
    if isinstance(own, str):
        u = samples[own]
    else:
        u = Values(
            np.stack([samples[n].value for n in own], -1), np.stack([samples[n].grad for n in own], -2)
        )
    members = {"u": u.value, "grad": u.grad, "rate": rng.standard_normal(u.value.shape)}
    if normal:
        n = rng.standard_normal((3, 4, dim))
        members["normal"] = n / np.linalg.norm(n, axis=-1, keepdims=True)
    members |= {"dt": 0.2, "small": 0.0, "inside": None}
    members["before"] = {s.name: 0.5 * rng.random((3, 4, *([9] * (s.shape == "tensor")))) for s in internal}
    return View(None, fields=samples, x=x, t=0.3, dim=dim, regions={}, **members)
