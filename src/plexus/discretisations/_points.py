"""A model without a mesh: members → equations → initial values, perturbed member by member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus import registry
from plexus.coupling.points import STATE, PointSystem
from plexus.coupling.starts import evaluated
from plexus.protocols import Assembled, Rates, Tangents
from plexus.spaces.members import Members

if TYPE_CHECKING:
    from plexus.deck.ensemble import Ensemble
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return system and initial values at time ``t``; there is no mesh. Collective.

    Raises
    ------
    InputError
        If an initial value cannot be computed.
    """
    physics, ensemble = registry.build("physics", deck.physics), deck.ensemble
    model: Rates = physics.model()
    longest = max(model.sizes.values())
    count, first = (ensemble.members, ensemble.first) if ensemble else (None, 0)
    members = Members(ctx.comm, count, first, longest)
    system = PointSystem(
        model, members, physics.fields(deck.physics), physics.derived_specs(), _after(deck), ctx.device
    )
    values = {name: x.expand(members.n_owned, -1).clone() for name, x in system.model.start().items()}
    values |= _given(deck, model, members, t)
    if ensemble:
        _perturb(values, model.sizes, members, ensemble, ctx.seed)
    return Assembled(None, system, {STATE: system.blocks.join(values).to(ctx.device)})


def _after(deck: Deck) -> list[float]:
    """Return the times from which quantities count the growth of a tangent."""
    kinds: list[tuple[Any, type]]
    kinds = [(p, registry.component("quantity", p.type).cls) for p in deck.quantities.values()]
    return [p.after for p, cls in kinds if getattr(cls, "needs", None) is Tangents]


def _given(deck: Deck, model: Rates, members: Members, t: float) -> dict[str, torch.Tensor]:
    """Return the initial values of the deck, (M, size): expressions of the index x and the member y."""
    found = {}
    for name, components in deck.initial.items():
        at = {"x": np.arange(float(model.sizes[name])), "t": t}
        if members.count is not None:
            at["y"] = members.names()[:, None].astype(float)
        shape = members.n_owned, model.sizes[name]
        value = np.broadcast_to(evaluated(components[0], at, name), shape)
        found[name] = torch.from_numpy(np.array(value, dtype=float))
    return found


def _perturb(
    values: dict[str, torch.Tensor], sizes: Mapping[str, int], members: Members, ensemble: Ensemble, seed: int
) -> None:
    """Add what tells the members apart, drawn by their numbers: the same on any number of ranks."""
    seed = seed if ensemble.seed is None else ensemble.seed
    for row, number in enumerate(members.names()):
        draw = np.random.default_rng([seed, number])
        for name, size in sizes.items():
            values[name][row] += ensemble.perturbation * torch.from_numpy(draw.standard_normal(size))
