"""Drawn paths of strain, see `plexus.learning.data.material_points`."""

from __future__ import annotations

from typing import Any

import numpy as np

from plexus import registry

_AXES, _PAIRS = np.eye(3), ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
_EVERY = [np.maximum(np.outer(_AXES[i], _AXES[j]), np.outer(_AXES[j], _AXES[i])) for i, j in _PAIRS]
BASES = {
    "random": _EVERY,
    "uniaxial": [np.diag([1.0, -0.5, -0.5])],
    "biaxial": [np.diag([0.5, 0.5, -1.0])],
    "shear": [_EVERY[3]],
    "volumetric": [np.eye(3)],
}
"""Mode -> tensors B_n."""


def drawn(p: Any) -> np.ndarray:
    """Return the strains at the ends of all steps, (paths, steps, 3, 3); ``p`` are the data's parameters."""
    s, found = np.linspace(0.0, 1.0, p.steps + 1), np.zeros((p.paths, p.steps, 3, 3))
    for path in range(p.paths):
        for n, base in enumerate(BASES[p.modes[path % len(p.modes)]]):
            number = p.strain.number + len(_EVERY) * path + n
            field = registry.build("sample", p.strain.model_copy(update={"number": number}))
            values = field(s) if field.axes else s * field()
            found[path] += (values[1:] - values[0])[:, None, None] * base
    mean = np.einsum("nsii->ns", found)[..., None, None] / 3.0
    return found + (p.volume - 1.0) * mean * np.eye(3)


def disturbed(stress: np.ndarray, p: Any) -> np.ndarray:
    """Return stresses with the noise that is asked for."""
    if p.noise == 0.0:
        return stress
    draw = np.random.default_rng([p.strain.seed, p.strain.number])
    size = p.noise * float(np.sqrt((stress**2).mean()))
    return stress + size * draw.standard_normal(stress.shape)
