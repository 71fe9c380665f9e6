"""What stages share: a number of steps of an optimiser."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from plexus.deck.params import Component, Field, Params
from plexus.protocols.training import Wrong

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.session import Session


class StageParams(Params):
    """Parameters of every stage."""

    steps: int = Field(3000, ge=1, description="steps of the optimiser")
    optimizer: Annotated[Any, Component("optimizer")] = Field("adam", description="how variables are moved")


class StageBase:
    """A stage that looks at no roll-outs and has nothing to tell."""

    trains: ClassVar[bool] = True

    def __init__(self, params: Any):
        self.params = params

    @staticmethod
    def needs(params: Any, loss: Any) -> frozenset[str]:
        """Return what of `Data.offers` it needs: nothing."""
        return frozenset()

    @staticmethod
    def problems(params: Any, deck: Deck) -> Wrong:
        """Yield nothing."""
        yield from ()

    @staticmethod
    def leads(params: Any, loss: Any) -> tuple[int, ...]:
        """Return no lengths of roll-outs."""
        return ()

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return nothing."""
        return {}


def only_for(member: str, deck: Deck) -> Wrong:
    """Yield that a stage trains parts of one type, where that of the deck is of another."""
    from plexus.deck import parts
    from plexus.errors import InputError

    with suppress(InputError):  # of a deck without such a part something else is told
        found = parts.trained(deck)[1].type if deck.train and deck.train.part != parts.CONTROLS else ""
        if found != member:
            yield ("type",), f"is for a part {member}, and that of this training is {found or parts.CONTROLS}"
