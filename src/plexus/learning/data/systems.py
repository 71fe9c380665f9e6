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
    seeds: tuple[int, int] | None = Field(
        None, description="first seed, and the one behind the last; none: each problem as it stands"
    )

    @field_validator("seeds")
    @classmethod
    def _ordered(cls, seeds: tuple[int, int] | None) -> tuple[int, int] | None:
        if seeds is not None and not 0 <= seeds[0] < seeds[1]:
            raise refuse(f"expected two ascending whole numbers from 0 on, not {list(seeds)}")
        return seeds

    @model_validator(mode="after")
    def _with_seeds(self) -> SystemsParams:
        for problem in self.problems if self.seeds is not None else ():
            if getattr(problem, "seed", None) is None:
                raise refuse(
                    f"{problem.type} draws nothing: give it a seed, in whose place those of `seeds` go"
                )
        return self


@register("data", "systems", SystemsParams)
class Systems(DataBase):
    """Systems, numbered problem by problem."""

    offers = frozenset({"systems"})

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
        return self.groups * len(self._seeds)

    @property
    def _seeds(self) -> Sequence[int | None]:
        """The seeds of each problem; its own without any."""
        return [None] if self.params.seeds is None else range(*self.params.seeds)

    def group(self, number: int) -> int:
        """Return the problem of a system."""
        return number // len(self._seeds)

    def system(self, number: int) -> Any:
        """Return matrix, cells and right-hand side of a system, all on this process."""
        from plexus.solvers.multigrid.trials import system_of

        problem = self.params.problems[self.group(number)]
        seed = self._seeds[number % len(self._seeds)]
        drawn = problem if seed is None else problem.model_copy(update={"seed": seed})
        return system_of(registry.build("problem", drawn))

    def case(self, group: int) -> dict[str, Any]:
        """Return type and cells of a problem."""
        problem = self.params.problems[group]
        told = {"problem": problem.type, "cells": "x".join(map(str, getattr(problem, "cells", ())))}
        return told | {key: getattr(problem, key) for key in ("layout", "equation") if hasattr(problem, key)}

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
        told["training"] |= {"generator": "problems", "seeds": [s for s in self._seeds if s is not None],
                             "problems": to_data(self.params.problems)}  # fmt: skip
        return told
