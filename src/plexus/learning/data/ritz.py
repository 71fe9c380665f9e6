"""Right-hand sides of one linear system on a cube of cells, mixed from its Ritz vectors.

Smooth ones are many among them, as residuals of a conjugate gradient method are smooth where it is slow
(`plexus.solvers.directions.ritz`). Nothing says what the part should answer; the loss `one_step` needs only
the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.learning.data.base import DataBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session
    from plexus.solvers.directions.stencil import Stencil

EXAMPLE: dict[str, Any] = {
    "type": "ritz",
    "problem": {"type": "plume", "cells": [16, 16, 16], "layout": "empty"},
    "vectors": 100,
    "samples": 200,
}


class RitzParams(Params):
    """Parameters of `RitzData`."""

    problem: Annotated[Any, Component("problem")] = Field(description="the system whose matrix is taken")
    vectors: int = Field(1000, ge=2, le=20_000, description="Lanczos steps, all of whose vectors are kept")
    samples: int = Field(2000, ge=1, description="right-hand sides")
    low: float = Field(
        0.55, ge=0, le=1, description="share of the Ritz vectors, from the smoothest on, that counts more"
    )
    weight: float = Field(9.0, gt=0, description="how many times as much they count")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(0, description="seed of start vector and mixtures")


@register("data", "ritz", RitzParams)
class RitzData(DataBase):
    """Mixtures of Ritz vectors."""

    offers = frozenset({"operator"})

    @staticmethod
    def room(params: RitzParams, unknowns: int) -> float:
        """Return the bytes of Lanczos vectors and samples."""
        outline = registry.build("problem", params.problem).outline()
        n = outline.blocks * outline.components
        return 8.0 * n * params.vectors + 4.0 * n * params.samples

    def words(self) -> str:
        """Return what they are."""
        p = self.params
        return f"{p.samples} mixtures of {p.vectors} Ritz vectors of {p.problem.type}"

    @cached_property
    def operator(self) -> Stencil:
        """The matrix on the grid, all of it on this process."""
        from plexus.solvers.directions.stencil import stencil_of
        from plexus.solvers.multigrid.trials import system_of

        return stencil_of(system_of(registry.build("problem", self.params.problem)))

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return every n-th of them for n ranks; the first rank computes. Collective."""
        import torch

        from plexus.learning.samples import Samples

        team, p = session.team, self.params
        every: Any = self._mixed() if team.rank == 0 else None
        every = every if team.comm is None else team.comm.bcast(every)
        mine = torch.arange(p.samples)[team.rank :: team.size]
        own = torch.from_numpy(every[team.rank :: team.size]).to(session.ctx.device)
        group = torch.zeros(len(mine), dtype=torch.long)
        fields = {"residual": self.operator.on(own).spread(own)}
        return Samples(mine, group, group.double(), fields, {}, {}, p.samples, team.rank, team.size)

    def _mixed(self) -> Any:
        """Return all right-hand sides, (samples, rows)."""
        import numpy as np

        from plexus.solvers.directions.ritz import mixtures, ritz

        p, draw = self.params, np.random.default_rng(self.params.seed)
        found = ritz(self.operator.times, self.operator.n, p.vectors, draw)
        return mixtures(found, p.samples, p.low, p.weight, draw)

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return the problem and how its vectors are mixed."""
        from plexus.deck.effective import to_data

        told = super().tell(session)
        told["training"] |= {
            "generator": "Ritz vectors",
            "seeds": [self.params.seed],
            "data": to_data(self.params),
        }
        return told
