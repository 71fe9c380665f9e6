"""The block `reduce` of a deck: how `plexus reduce` makes a reduced model of its run."""

from __future__ import annotations

from typing import Annotated, Literal

from plexus.deck.modelfile import ModelFile
from plexus.deck.params import Component, Field, Params


class Reduce(Params):
    """Basis and cubature from the steps of a run."""

    snapshots: Annotated[Params, Component("snapshots")] = Field(
        "run", description="where displacements come from; run: from the deck's own one"
    )
    balance: float = Field(
        0.01, gt=0, description="largest share of the deck's forces that a step may leave out of balance"
    )
    tolerance: float = Field(
        1e-6, ge=1e-7, lt=1, description="relative singular value below which modes are left out"
    )
    modes: int | None = Field(None, ge=1, description="most modes; absent: as many as the tolerance keeps")
    cubature: float = Field(
        1e-5, gt=0, lt=1, description="relative error of the integrals by the chosen points"
    )
    stalls: bool = Field(
        False, description="take a search for points that comes no further for what it reached"
    )
    responses: bool = Field(
        True, description="complete basis and cubature with the elastic response to each shape of the loads"
    )
    duals: Literal["scalars", "all"] = Field(
        "scalars",
        description="memory variables whose bases are kept; all are needed for `rom: {duals: gappy}`",
    )
    calibration: list[dict[str, str | float]] = Field(
        [],
        description="further trajectories, each as deck path: value, for `rom.indicator.coverage`",
    )
    draws: int | None = Field(
        None,
        ge=1,
        description="marched draws of the deck's sweep, those that differ most; absent: its own run",
    )
    file: ModelFile = Field("rom.h5", description="name of the result in the run folder")
