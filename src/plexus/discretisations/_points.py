"""A model without a mesh: members → equations → initial values, perturbed member by member."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus import registry
from plexus.coupling.coefficients import Coefficients
from plexus.coupling.points import PointSystem
from plexus.coupling.stages import STATE
from plexus.coupling.starts import evaluated
from plexus.discretisations._controls import controls_of
from plexus.discretisations._fields import NO_CELLS
from plexus.protocols import Assembled, Tangents
from plexus.spaces.controls import Sampled
from plexus.spaces.grounds import GridGround
from plexus.spaces.members import Members

if TYPE_CHECKING:
    from plexus.deck.ensemble import Ensemble
    from plexus.deck.schema import Deck
    from plexus.protocols import Array
    from plexus.runtime.context import Context


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return system and initial values at time ``t``; there is no mesh. Collective.

    Raises
    ------
    InputError
        If an initial value cannot be computed.
    """
    physics, ensemble = registry.build("physics", deck.physics), deck.ensemble
    longest = max(physics.unknowns(deck.physics).values())
    count, first = (ensemble.members, ensemble.first) if ensemble else (None, 0)
    members = Members(ctx.comm, count, first, longest)
    controls = controls_of(deck, _ground(members, ctx.device))
    model = Coefficients(deck.physics, members.indices, Sampled(controls), t, ctx.device)
    system = PointSystem(
        model, members, physics.fields(deck.physics), physics.derived_specs(), _after(deck), ctx.device,
        controls, partial(_opening, deck, ctx.seed, t),
    )  # fmt: skip
    return Assembled(None, system, system.start())


def _ground(members: Members, device: str) -> GridGround:
    """Return where fields of controls stand: a value per index and member."""

    def array(values: Array) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=device)

    return GridGround(members.indices, array, lambda own: own, {"cell": NO_CELLS})


def _opening(deck: Deck, seed: int, t: float, system: PointSystem) -> dict[str, torch.Tensor]:
    """Return the values with which a run begins at time ``t``."""
    members, ensemble, sizes = system.members, deck.ensemble, system.equations.sizes
    values = {name: x.expand(members.n_owned, -1).clone() for name, x in system.model.start().items()}
    values |= _given(deck, system.equations, members, t)
    if ensemble:
        _perturb(values, sizes, members, ensemble, seed)
    return {STATE: system.blocks.join(values).to(system.device)}


def _after(deck: Deck) -> list[float]:
    """Return the times from which quantities count the growth of a tangent."""
    kinds: list[tuple[Any, type]]
    kinds = [(p, registry.component("quantity", p.type).cls) for p in deck.quantities.values()]
    return [p.after for p, cls in kinds if getattr(cls, "needs", None) is Tangents]


def _given(deck: Deck, model: Any, members: Members, t: float) -> dict[str, torch.Tensor]:
    """Return the initial values of the deck, (M, size): expressions of the index x and the member y."""
    found = {}
    for name, components in deck.initial.items():
        size = model.sizes[name]
        at: dict[str, Any] = {"x": torch.arange(float(size), dtype=torch.float64), "t": t}
        if members.count is not None:
            at["y"] = torch.from_numpy(members.names()[:, None].astype(float))
        known = model.given.at(model.place(t)) if model.given.members else {}
        at |= {n: known[n].value.cpu()[..., :size] if known[n].value.ndim else known[n].value.cpu()
               for n in components[0].names & known.keys()}  # fmt: skip
        value = torch.as_tensor(evaluated(components[0], at, name), dtype=torch.float64)
        found[name] = value.broadcast_to(members.n_owned, size).clone()
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
