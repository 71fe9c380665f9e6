"""No data: the part is tried on states that the model makes up, and nothing says what it should answer.

The states are those of the model's gap (`plexus.protocols.Gap.states`), admissible and drawn by seed and
number of the sample, the same on any ranks. A loss that needs no targets, such as `residual`, learns from
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck import parts
from plexus.deck.params import Field, Params
from plexus.learning.data.base import DataBase
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "none", "points": 2048}


class NoneParams(Params):
    """Parameters of `Nothing`."""

    points: int = Field(4096, ge=1, description="states that are drawn")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(0, description="seed of the states")
    reach: float = Field(
        0.98, gt=0, lt=1, description="how near they come to the edge of what the model allows"
    )


@register("data", "none", NoneParams)
class Nothing(DataBase):
    """States without answers."""

    @staticmethod
    def problems(params: NoneParams, deck: Deck) -> Wrong:
        """Yield a model that leaves nothing open."""
        if parts.gap(deck.physics) is None:
            yield ("type",), f"{deck.physics.type} leaves nothing open, so that it makes up no states"

    def words(self) -> str:
        """Return the number of states."""
        return f"{self.params.points} states without answers"

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return every n-th state for n ranks."""
        import torch

        from plexus.learning.samples import Samples

        p, team, gap = self.params, session.team, parts.gap(session.deck.physics)
        assert gap is not None
        mine = slice(team.rank, None, team.size)
        states = gap.states((p.points,), seed=p.seed, reach=p.reach)
        own = {name: value[mine].to(session.ctx.device) for name, value in states.items()}
        count = len(torch.arange(p.points)[mine])
        group = torch.zeros(count, dtype=torch.long)
        return Samples(torch.arange(p.points)[mine], group, group.double(), own, {}, {}, p.points,
                       team.rank, team.size)  # fmt: skip

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return how the states were drawn."""
        told = super().tell(session)
        told["training"] |= {"generator": "states of the model's gap", "seeds": [self.params.seed]}
        return told
