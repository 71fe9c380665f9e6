"""A model in Fourier space: grid → closure → model → initial values, of all members of an ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from plexus import registry
from plexus.coupling.constants import moved
from plexus.coupling.spectral import SpectralSystem
from plexus.coupling.starts import evaluated
from plexus.discretisations._closures import closures_of
from plexus.discretisations._controls import controls_of, unchanging
from plexus.discretisations._fields import NO_CELLS
from plexus.discretisations._starts import NOWHERE, told
from plexus.errors import InputError, at_path
from plexus.protocols import Assembled, Trims
from plexus.spaces.controls import Controls, Sampled
from plexus.spaces.fourier import Fourier
from plexus.spaces.grid import GridSpace
from plexus.spaces.grounds import GridGround
from plexus.spaces.noise import Noise

if TYPE_CHECKING:
    from plexus.deck.ensemble import Ensemble
    from plexus.deck.params import Expression
    from plexus.deck.schema import Deck
    from plexus.protocols import Array, Closure, SpectralModel
    from plexus.runtime.context import Context


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return grid, system and initial values at time ``t``. Collective.

    Raises
    ------
    InputError
        If the deck does not fit the ranks or this machine.
    """
    with ctx.timers("mesh"):
        grid = registry.build("mesh", deck.mesh).periodic(ctx.comm)
    with ctx.timers("spaces"):
        physics = registry.build("physics", deck.physics)
        dealias: Any = getattr(deck.physics, "dealias", "two_thirds")
        with at_path("mesh"):
            space = Fourier(grid.cells, grid.size, ctx.comm, ctx.device, dealias=dealias)
        controls = controls_of(deck, _ground(GridSpace(grid, space.rows), ctx.device))
        made = partial(_made, deck, space, controls, ctx.seed, t)
        model, closures = made(controls.values)
        shown = physics.fields(deck.physics)
        sizes = physics.unknowns(deck.physics, grid.dim)
        ensemble = deck.ensemble
        members = ensemble.members if ensemble else None
        noise = _noise(ensemble, space, ctx.seed) if ensemble else None
        system = SpectralSystem(
            model, grid, sizes, shown, physics.derived_specs(), members, controls, made,
            partial(_opening, noise), unchanging(deck, deck.physics),
        )  # fmt: skip
        system.include(closures, {})
        values, model = system.start(), system.model
        text = told(model.lost) if isinstance(model, Trims) else None
        if text:
            place = f"initial.{model.unknown}" if deck.initial else "physics.start"
            ctx.log.info(f"warning: {deck.placed(f'{place}: {text}')}")
        return Assembled(grid, system, values)


def _ground(points: GridSpace, device: str) -> GridGround:
    """Return where fields of controls stand."""

    def array(values: Array) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float64, device=device)

    return GridGround(points, array, lambda own: own, {"cell": NO_CELLS})


def _made(
    deck: Deck, space: Fourier, controls: Controls, seed: int, t: float, values: Mapping[str, torch.Tensor]
) -> tuple[SpectralModel, Mapping[str, Closure]]:
    """Return the model for values of controls, and its closures. Collective."""
    here, closures = space.reading(Sampled(controls, values)), closures_of(deck)
    # a run has plain numbers, as if they were written into its deck
    scalars: dict[str, Any] = {
        name: a.reshape(()) if a.requires_grad else float(a) for name, a in values.items() if a.numel() == 1
    }
    physics = registry.build("physics", moved(deck.physics, scalars))
    given = _initial(deck, here, t)
    # the model prepares the closure: a bundle that cannot be used is told at its place
    with at_path("closure" if closures else "physics"):
        model: SpectralModel = physics.model(here, seed=seed, initial=given, **closures)
    return model, closures


def _opening(noise: Noise | None, model: SpectralModel) -> dict[str, torch.Tensor]:
    """Return the modes with which a run begins. Collective."""
    return {model.unknown: model.initial(noise)}


def _noise(ensemble: Ensemble, space: Fourier, seed: int) -> Noise:
    """Return what tells the members of an ensemble apart."""
    numbers = range(ensemble.first, ensemble.first + ensemble.members)
    return Noise(space, numbers, ensemble.perturbation, seed if ensemble.seed is None else ensemble.seed)


def _initial(deck: Deck, space: Fourier, t: float) -> dict[str, torch.Tensor] | None:
    """Return the fields that the deck gives, (m, *shape) in physical space; None without any. Collective."""
    found = {}
    at = dict(zip("xyz", space.points(), strict=False)) | {"t": t}
    for name, components in deck.initial.items():
        values = [0.0 if e is None else evaluated(e, at | _read(e, space, t), name) for e in components]
        fields = [torch.as_tensor(v, dtype=space.dtype, device=space.device) for v in values]
        found[name] = torch.stack([field.expand(space.shape) for field in fields])
        # every rank has its own points: all of them refuse what one of them sees
        if float(space.sum((~found[name].isfinite()).sum().to(space.dtype))):
            raise InputError(f"initial.{name}: {NOWHERE}")
    return found or None


def _read(expression: Expression, space: Fourier, t: float) -> dict[str, torch.Tensor]:
    """Return the controls that an initial value reads, at the grid points."""
    fields = space.place(t).fields if expression.names & space.given.members.keys() else {}
    return {name: fields[name].value for name in expression.names & fields.keys()}
