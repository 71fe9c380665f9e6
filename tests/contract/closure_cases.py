"""Closures and states for tests: every member of the registry, learned ones with random weights."""

import importlib
import math

import torch

from plexus import registry
from plexus.deck.context import Context
from plexus.protocols import Setting

ALL_INPUTS = {"inputs": ["zeta", "d_R", "gradient", "vorticity"]}
VARIANTS = [
    ("spin_network", {"moment": 2}),
    ("spin_network", {"moment": 2, **ALL_INPUTS}),
    ("spin_network", {"moment": 3, **ALL_INPUTS}),
    ("spin_network", {"moment": 3, "precision": "fp64"}),
    ("tensor_basis", {"precision": "fp64"}),
]


def examples():
    """Return name and parameters of every member, then the variants."""
    found = []
    for name in registry.names("closure"):
        module = importlib.import_module(registry.component("closure", name).cls.__module__)
        found.append((name, {k: v for k, v in module.EXAMPLE.items() if k != "type"}))
    return found + VARIANTS


def params(name, given, folder=None):
    model = registry.component("closure", name).params
    return model.model_validate(given, context=Context(folder=folder) if folder else None)


class Cells:
    """What a closure asks of a grid on one process."""

    def __init__(self, *cells, rows=None):
        self.cells, self.rows = cells, rows or (0, cells[0])


def make(name, given=None, order=None, space=None, comm=None, folder=None, seed=1, device="cpu"):
    """Return a prepared closure; a network gets random weights unless it comes from a file."""
    given = given or {}
    chosen = params(name, given, folder)
    closure = registry.component("closure", name).cls(chosen)
    if order is None:
        order = closure.closes - 1 if isinstance(closure.closes, int) else 1
    constants = {"zeta": 1.0, "d_R": 0.05}
    closure.prepare(Setting(constants, order, space or Cells(16, 16), device, comm))
    if getattr(closure, "network", None) is not None and "checkpoint" not in given:
        generator = torch.Generator().manual_seed(seed)
        for p in closure.network.parameters():
            p.data.copy_(0.5 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return closure


def state(shape, highest, seed=0, largest=0.98, device="cpu"):
    """Return fields of admissible moments up to `highest`, with everything that a closure may ask for."""
    generator = torch.Generator().manual_seed(seed)

    def real():
        return torch.rand(shape, generator=generator, dtype=torch.float64)

    def phase():
        return torch.polar(torch.ones(shape, dtype=torch.float64), 2 * math.pi * real())

    fields = {"c": 0.8 + 0.4 * real(), "W": 4 * real() - 2, "e": 2 * real() * phase(), "grad_f1": real()}
    fields |= {"zeta": 0.2 + real(), "d_R": 0.02 + 0.1 * real()}
    reflections = [largest * real().sqrt() * phase() for _ in range(highest)]
    for m, moment in enumerate(moments(reflections), start=1):
        fields[f"f{m}"] = fields["c"] * moment
    return {name: value.to(device) for name, value in fields.items()}


def moments(reflections):
    """Return c_1..c_K of reflection coefficients, by Levinson's recursion written out for tests."""
    known, predictor, room = [], [], 1.0
    for k in reflections:
        guess = sum(a * c for a, c in zip(predictor, known[::-1], strict=True))
        known.append(guess + room * k)
        turned = [x.conj() for x in predictor[::-1]]
        predictor = [a - k * b for a, b in zip(predictor, turned, strict=True)] + [k]
        room = room * (1 - k.abs() ** 2)
    return known


def toeplitz_margin(fields, highest):
    """Return the smallest eigenvalue of the moments' Toeplitz matrix, relative to c."""
    c = [torch.ones_like(fields["f1"]), *(fields[f"f{m}"] / fields["c"] for m in range(1, highest + 1))]
    rows = [
        torch.stack([c[i - j] if i >= j else c[j - i].conj() for j in range(highest + 1)], -1)
        for i in range(highest + 1)
    ]
    return torch.linalg.eigvalsh(torch.stack(rows, -2))[..., 0]


def turned(fields, ports, angle):
    """Return fields seen from axes that are turned by `angle`."""
    spins = {p.name: p.spin for p in ports}
    one = torch.ones((), dtype=torch.float64)
    return {
        k: v * torch.polar(one, -angle * spins[k] * one) if spins.get(k) else v for k, v in fields.items()
    }


def mirrored(fields, ports):
    """Return fields seen in a mirror: conjugates, odd ones with the other sign."""
    odd = {p.name for p in ports if p.parity == "odd"}
    return {k: -v if k in odd else v.conj() if v.is_complex() else v for k, v in fields.items()}
