"""What the equations of the physics leave over with the part's answers.

    L = 1/B Σ_b ⟨|R(inputs_b, answers_b)|²⟩ / w,   w = ⟨|R|²⟩ with the answers of the part as it begins

R is what the physics calls the residual of its gap (`plexus.protocols.Residual`): equations between what a
part sees and answers that hold whatever the data are. No targets are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.params import Params
from plexus.learning.losses.base import LossBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.batch import Batch
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "residual"}


class ResidualParams(Params):
    """Parameters of `ResidualLoss`: none."""


@register("loss", "residual", ResidualParams)
class ResidualLoss(LossBase):
    """L of the module's head."""

    needs = frozenset()

    def start(self, session: Session, chosen: torch.Tensor) -> None:
        """Set w over the chosen samples. Collective.

        Raises
        ------
        InputError
            If the physics states no residual for what the part answers.
        """
        import torch

        from plexus.errors import InputError
        from plexus.learning.squares import by_row, squares

        physics, samples = session.deck.physics, session.samples
        cls: Any = registry.component("physics", physics.type).cls
        self.residual = getattr(cls, "residual", None)
        self.physics = physics
        if self.residual is None:
            raise InputError(f"loss: {physics.type} states no residual of what it leaves open")
        inputs, _, place = samples.whole(chosen)
        with torch.no_grad():
            found = self.residual(physics, inputs, session.part.raw(inputs)) if len(place) else {}
        if len(place) and not found:
            raise InputError(f"loss: {physics.type} states no residual for {session.part.name}")
        mine = by_row(squares(found)).sum() if len(place) else torch.zeros(())
        self.size = float(session.team.sum(mine)) / max(len(chosen), 1) or 1.0

    def rows(self, batch: Batch) -> torch.Tensor:
        """Return R, divided by the root of w and of the number of rows."""
        import torch

        from plexus.learning.squares import real

        assert self.residual is not None
        found = self.residual(self.physics, batch.inputs, batch.part.raw(batch.inputs))
        scale = [(self.size * batch.size * value[0].numel()) ** -0.5 for value in found.values()]
        return torch.cat([(real(v) * s).flatten() for v, s in zip(found.values(), scale, strict=True)])
