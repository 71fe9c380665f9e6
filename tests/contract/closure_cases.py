"""Closures and states for tests: every member of the registry, learned ones with random weights."""

import importlib

import torch

from plexus import registry
from plexus.deck.context import Context

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


def gap(order):
    """Return what a suspension of so many moments leaves open, as its physics says it."""
    component = registry.component("physics", "active_fluid")
    return component.cls.gap(component.params(order=order, zeta=1.0, d_R=0.05))


def make(name, given=None, order=None, space=None, comm=None, folder=None, seed=1, device="cpu"):
    """Return a prepared closure; a network gets random weights unless it comes from a file."""
    given = given or {}
    chosen = params(name, given, folder)
    closure = registry.component("closure", name).cls(chosen)
    setting = gap(order or order_of(closure)).setting(space=space or Cells(16, 16), device=device, comm=comm)
    closure.prepare(setting)
    if getattr(closure, "network", None) is not None and "checkpoint" not in given:
        generator = torch.Generator().manual_seed(seed)
        for p in closure.network.parameters():
            p.data.copy_(0.5 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return closure


def orders(name, given):
    """Return the numbers of moments of models whose gap a closure fills."""
    closure = registry.component("closure", name).cls(params(name, given))
    return [order for order in (1, 2, 3) if closure.misfit(gap(order).setting()) is None]


def order_of(closure):
    """Return the least number of moments of a model whose gap a closure fills."""
    return next(order for order in (1, 2, 3) if closure.misfit(gap(order).setting()) is None)


def state(shape, highest, seed=0, largest=0.98, device="cpu"):
    """Return the example state of a suspension of so many moments."""
    return {k: v.to(device) for k, v in gap(highest).states(shape, seed, largest).items()}


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
