"""Finite volume schemes without decks: made from members by name, marched by the scheme's own steppers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from mpi4py import MPI

from plexus import registry
from plexus.coupling.volumes import VolumeSystem
from plexus.deck.params import Expression
from plexus.fields.state import State
from plexus.mesh.grid import Grid
from plexus.models.volumes.places import Place, Places, Where
from plexus.models.volumes.scheme import Scheme, reach
from plexus.models.volumes.sides import Rule, Side
from plexus.spaces.slabs import Slab

Rules = Mapping[tuple[int, int], Rule]


def build(kind: str, block: Any) -> Any:
    """Return a member from its name or its parameters with `type`."""
    block = {"type": block} if isinstance(block, str) else block
    component = registry.component(kind, block["type"])
    params = component.params.model_validate({k: v for k, v in block.items() if k != "type"})
    return component.cls(params), params


def scheme(
    physics: dict[str, Any],
    cells: tuple[int, ...],
    reconstruction: Any = "muscl",
    riemann: Any = "rusanov",
    rules: Rules | None = None,
    size: tuple[float, ...] | None = None,
    comm: Any = None,
) -> Scheme:
    """Return a scheme on a periodic box of length one, or with rules on all sides on a bounded one."""
    law, params = build("physics", physics)
    bounded = (True,) * len(cells) if rules else ()
    grid = Grid(comm or MPI.COMM_SELF, cells, size or (1.0,) * len(cells), bounded=bounded)
    kernel, _ = build("reconstruction", reconstruction)
    sides = {
        key: Side(*key, [rule], kernel.order, grid.spacing[key[0]]) for key, rule in (rules or {}).items()
    }
    return Scheme(
        law,
        law.fields(params),
        Places(Slab(grid), reach(kernel)),
        kernel,
        build("riemann", riemann)[0],
        sides,
    )


def function(text: str) -> Callable[[Place], Any]:
    """Return an expression of x, y, z, t as a function of a point."""
    expression = Expression(text)
    return lambda p: expression(dict(zip("xyz", p.x.unbind(-1), strict=False)) | {"t": p.t})


def means(made: Scheme, text: str, t: float = 0.0) -> torch.Tensor:
    """Return the cell means of an expression, (1, 1, *cells)."""
    return made.places.mean(function(text), Where((0,) * made.dim), range(made.dim), t)[
        None, None
    ].contiguous()


def march(
    made: Scheme,
    u: torch.Tensor,
    end: float,
    courant: float = 0.4,
    order: int = 3,
    look: Callable[[torch.Tensor], None] | None = None,
    dt: float | None = None,
) -> torch.Tensor:
    """Return the means at ``end``, by equal steps of at most a Courant number at the start, or ``dt``."""
    system = VolumeSystem(made, {})
    stepper, _ = build("stepper", {"type": "ssp_rk", "order": order})
    name = system.evolving[0]
    longest = dt or courant * system.longest({name: u}, 0.0)
    steps = max(1, math.ceil(end / longest - 1e-9))
    for n in range(steps):
        t = n * end / steps
        u = stepper.step(system, State({name: u}, t, n), t, end / steps).values[name]
        if look is not None:
            look(u)
    return u


def orders(run: Callable[[int], torch.Tensor], cells: tuple[int, int]) -> SimpleNamespace:
    """Return the observed orders in L1 and L2 from the errors of all cells on two grids."""
    coarse, fine = (run(n) for n in cells)
    ratio = math.log(cells[1] / cells[0])
    first = math.log(float(coarse.abs().mean() / fine.abs().mean())) / ratio
    second = math.log(float((coarse.square().mean() / fine.square().mean()).sqrt())) / ratio
    return SimpleNamespace(L1=first, L2=second)
