"""Linear systems A u = b of members of kind `problem`, each with many seeds.

Nothing says what the part should answer: stages send conjugate gradients through it. A validation counts
their steps, beside those without learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import field_validator, model_validator

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.deck.values import refuse
from plexus.learning.data.base import DataBase
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {
    "type": "systems",
    "problems": [{"type": "channels", "cells": [16, 16, 16], "seed": 0}],
    "seeds": [0, 16],
}


class SystemsParams(Params):
    """Parameters of `Systems`."""

    problems: tuple[Annotated[Any, Component("problem")], ...] = Field(
        min_length=1, description="problems, each taken with every seed"
    )
    seeds: tuple[int, int] = Field(description="first seed, and the one behind the last")

    @field_validator("seeds")
    @classmethod
    def _ordered(cls, seeds: tuple[int, int]) -> tuple[int, int]:
        if not 0 <= seeds[0] < seeds[1]:
            raise refuse(f"expected two ascending whole numbers from 0 on, not {list(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _with_seeds(self) -> SystemsParams:
        for problem in self.problems:
            if getattr(problem, "seed", None) is None:
                raise refuse(
                    f"{problem.type} draws nothing: give it a seed, in whose place those of `seeds` go"
                )
        return self


@register("data", "systems", SystemsParams)
class Systems(DataBase):
    """Systems, numbered problem by problem."""

    offers = frozenset({"systems", "targets"})

    def words(self) -> str:
        """Return what they are."""
        return f"{self.total} linear systems"

    @property
    def groups(self) -> int:
        """Return the number of problems."""
        return len(self.params.problems)

    @property
    def total(self) -> int:
        """Return the number of systems."""
        return self.groups * (self.params.seeds[1] - self.params.seeds[0])

    def group(self, number: int) -> int:
        """Return the problem of a system."""
        return number // (self.total // self.groups)

    def system(self, number: int) -> Any:
        """Return matrix, cells and right-hand side of a system, all on this process."""
        from plexus.solvers.multigrid.trials import system_of

        problem = self.params.problems[self.group(number)]
        seed = self.params.seeds[0] + number % (self.total // self.groups)
        return system_of(registry.build("problem", problem.model_copy(update={"seed": seed})))

    def case(self, group: int) -> dict[str, Any]:
        """Return type and cells of a problem."""
        problem = self.params.problems[group]
        return {"problem": problem.type, "cells": "x".join(map(str, getattr(problem, "cells", ())))}

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return the numbers of this rank's systems."""
        import torch

        from plexus.learning.samples import Samples

        team, every = session.team, torch.arange(self.total)
        mine = every[team.rank :: team.size]
        group = torch.tensor([self.group(int(n)) for n in mine], dtype=torch.long)
        return Samples(mine, group, mine.double(), {"system": mine}, {}, {}, self.total, team.rank, team.size)

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return problems and seeds."""
        from plexus.deck.effective import to_data

        told = super().tell(session)
        told["training"] |= {"generator": "problems", "seeds": list(range(*self.params.seeds)),
                             "problems": to_data(self.params.problems)}  # fmt: skip
        return told
