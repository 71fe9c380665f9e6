"""A part that is solved for: all its weights follow from all samples at once, without steps.

For least squares in closed form, such as the operator ``pca``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.errors import InputError
from plexus.learning.stages.base import StageBase
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "direct"}


class DirectParams(Params):
    """Parameters of `Direct`: none."""


@register("stage", "direct", DirectParams)
class Direct(StageBase):
    """One solve for all weights."""

    @staticmethod
    def needs(params: Any, loss: Any) -> frozenset[str]:
        """Return answers."""
        return frozenset({"targets"})

    @staticmethod
    def problems(params: Any, deck: Deck) -> Wrong:
        """Yield that the part is none that is solved for."""
        from plexus.deck import parts

        try:
            part = parts.trained(deck)[1]
        except InputError:
            return  # told elsewhere
        if not hasattr(parts.component(part).cls, "solve"):
            yield ("type",), f"{part.type} is not solved for but fitted in steps: use the stage fit"

    def work(self, session: Session) -> float:
        """Solve, and return the relative mean square error on the chosen samples. Collective."""
        from plexus.learning.judging import by_sample
        from plexus.learning.samples import everywhere

        every = [everywhere(session.team, session.samples, side) for side in ("inputs", "targets")]
        chosen = session.chosen()
        session.part.solve(*({name: value[chosen] for name, value in one.items()} for one in every))
        return float(by_sample(session, session.part, chosen).mean())
