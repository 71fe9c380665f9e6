"""A training of controls, through the solver: what it compares with its data, and what it cannot have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.controls import moving
from plexus.deck.parts import CONTROLS

if TYPE_CHECKING:
    from plexus.protocols import Found, Port


def answers(deck: Any) -> tuple[Port, ...]:
    """Return the unknowns of a deck, vectors by component: what its run can be compared in."""
    from plexus.protocols import Port

    cls: Any = registry.component("physics", deck.physics.type).cls
    every = []
    for spec in cls.fields(deck.physics):
        names = [f"{spec.name}_{axis}" for axis in "xyz"] if spec.shape == "vector" else [spec.name]
        every += [Port(name, spec.unit) for name in names]
    return tuple(every)


def problems(deck: Any) -> Iterator[Found]:
    """Yield what does not go together in a valid deck."""
    train = deck.train
    if train is None:
        return
    yield from _ranks(deck)
    if train.part != CONTROLS:
        return
    if deck.mesh is None:
        text = "controls are trained on runs with a mesh, at whose nodes they are compared"
        yield ("train", "part"), f"{text}; `plexus calibrate` fits those of this model"
        return
    if not moving(deck):
        yield ("train", "part"), "the deck has no `controls`: name what shall be trained"
    for name, params in deck.controls.items():
        for key, absent in (("bounds", (None, None)), ("regularisation", None)):
            if getattr(params, key) != absent:
                yield ("controls", name, key), f"a training knows no {key}: `plexus calibrate` does"
    yield from _data(train)
    for n, stage in enumerate(train.stages):
        optimizer: Any = registry.component("optimizer", stage.optimizer.type).cls
        if "rows" in optimizer.needs:
            text = f"{stage.optimizer.type} needs the slope of every reading, each one march back: use lbfgs"
            yield ("train", "stages", n, "optimizer"), f"{text}, or `plexus calibrate`"


def _ranks(deck: Any) -> Iterator[Found]:
    """Yield groups of ranks that there are no runs for, or that those of the job do not fill."""
    train, job = deck.train, deck.job
    per, place = train.ranks.per_sample, ("train", "ranks", "per_sample")
    if per > 1 and train.part != CONTROLS:
        text = f"every rank has whole samples of data of type {train.data.type}"
        yield place, f"{text}: leave it at 1; only runs of controls (`part: {CONTROLS}`) are cut among ranks"
    if job.ranks_per_node and (ranks := job.ranks_per_node * (job.nodes or 1)) % per:
        yield place, uneven(per, ranks)


def uneven(per: int, ranks: int) -> str:
    """Return what is said of ranks that are no whole number of groups."""
    return f"{ranks} rank{'s'[: ranks > 1]} are no whole number of groups of {per}"


def _data(train: Any) -> Iterator[Found]:
    """Yield data without runs."""
    for key, params in (("data", train.data), ("validation", train.validation)):
        if params is not None and not _runs(params.type):
            able = " or ".join(name for name in registry.names("data") if _runs(name))
            text = f"controls are trained on runs, which data of type {params.type} lack; {able} has"
            yield ("train", key, "type"), text


def _runs(name: str) -> bool:
    cls: Any = registry.component("data", name).cls
    return "runs" in cls.offers
