"""The block `reduce` of a deck: how `plexus reduce` makes a reduced model of its run."""

from __future__ import annotations

from plexus.deck.dictionary import Dictionary
from plexus.deck.params import NAME, Field, Params


class Reduce(Params):
    """Basis and cubature from the steps of a run."""

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
    file: str = Field("rom.h5", pattern=NAME, description="name of the result in the run folder")
    dictionary: Dictionary | None = Field(
        None,
        description="several models, of clusters of the runs of `sweep`, and what recommends one of them",
    )
