"""What reduced models of conservation laws share: which decks they take, and the line of their nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.errors import InputError
from plexus.protocols import Found

if TYPE_CHECKING:
    import numpy as np

    from plexus.coupling.volumes import VolumeSystem
    from plexus.deck.schema import Deck
    from plexus.reduction.moving import MovingLine

INSTANTS = 17
"""Times at which what flows in is compared with the start."""
SAME = 1e-6
"""Largest difference of what flows in to the start, relative to the range of the start."""


def problems(deck: Any, block: str, dims: tuple[int, ...] = (1,)) -> Iterator[Found]:
    """Yield what a deck on cells has that no reduced model of a line takes."""
    if deck.time is None:
        yield (block,), "a reduced model marches in time, and the deck is steady"
    if deck.ensemble is not None:
        yield ("ensemble",), "a reduced model of a line stands for one run, not for members"
    if deck.controls:
        yield ("controls",), "a reduced model of a line takes no controls"
    cls: Any = registry.component("physics", deck.physics.type).cls
    dim = registry.build("mesh", deck.mesh).estimate().dim
    if dim not in dims:
        yield ("mesh",), f"this reduced model takes one axis, and the mesh has {dim}"
    specs = cls.fields(deck.physics)
    if len(specs) > 1 or specs[0].components(dim) > 1:
        yield ("physics",), "a reduced model of a line takes one unknown with one component"


def moving_line(full: VolumeSystem, deck: Deck, spacing: float) -> MovingLine:
    """Return the line whose nodes start in the middles of the cells.

    Raises
    ------
    InputError
        If sides are periodic, or let something in that the start does not have at them.
    """
    import numpy as np

    from plexus.coupling.starts import evaluated
    from plexus.reduction.moving import MovingLine

    grid, spec = full.cells.mesh, full.scheme.specs[0]
    if not grid.ends(0):
        raise InputError("mesh: a Lagrangian model takes a line with two ends, not a periodic one")
    h = grid.spacing[0]
    x = grid.corner[0] + (np.arange(grid.cells[0]) + 0.5) * h
    given = deck.initial.get(spec.name, (None,))[0]
    assert deck.time is not None
    known = {"x": x, "t": deck.time.start}
    w = np.full(len(x), spec.start) if given is None else evaluated(given, known, spec.name) + 0 * x
    line = MovingLine(full.scheme.law, spec.name, np.column_stack([x, w]), (w[0], w[-1]), spacing)
    for end in (0, 1):
        _require_quiet(full, deck, line, w, end)
    return line


def _require_quiet(full: VolumeSystem, deck: Deck, line: MovingLine, w: np.ndarray, end: int) -> None:
    """Refuse a side through which anything comes in but the value that stands there at the start."""
    import numpy as np
    import torch

    from plexus.models.volumes.sides import Outflow, Prescribed
    from plexus.reduction.moving import Nodes

    assert deck.time is not None
    rule, grid, span = full.scheme.sides[0, end].rules[0], full.cells.mesh, float(np.ptp(w)) or 1.0
    side, value = ("left", "right")[end], float(w[-end])
    x = grid.corner[0] + end * grid.size[0]
    for t in np.linspace(deck.time.start, deck.time.end, INSTANTS):
        speed = (-1.0, 1.0)[end] * line.speed(value, x, float(t))
        if speed > 0 and not isinstance(rule, Outflow):
            raise InputError(
                f"boundary: waves leave through {side}: a Lagrangian model needs `outflow` there"
            )
        if speed > 0:
            continue
        if not isinstance(rule, Prescribed):
            raise InputError(f"boundary: a Lagrangian model needs the value that comes in through {side}")
        p: Any = Nodes(float(t), torch.tensor([[x]], dtype=torch.float64))
        if abs(float(torch.as_tensor(rule.value(p)).reshape(-1)[0]) - value) > SAME * span:
            raise InputError(
                f"boundary: at t = {t:.4g} s something else comes in through {side} than stands there at the "
                f"start ({value:g}): a Lagrangian model has no nodes for it"
            )
