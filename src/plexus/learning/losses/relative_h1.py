"""Mean square error of the answers and of their gradients, relative to those of what they should be.

    L = 1/B Σ_b ⟨|e_b|² + ℓ²|∇e_b|²⟩ / w,   e = answer - target,   w = ⟨|target|² + ℓ²|∇target|²⟩

over all samples; ∇ by Fourier series on the grid of the samples. The gradient counts fine structure, which
the plain square error all but ignores. Source: W. Czarnecki et al., Sobolev Training, NeurIPS 2017,
doi:10.48550/arXiv.1706.04859.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck.params import Field, Params, Unit
from plexus.learning.losses.base import LossBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.batch import Batch
    from plexus.learning.samples import Named
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "relative_h1", "length": 0.5}


class RelativeH1Params(Params):
    """Parameters of `RelativeH1`."""

    length: Annotated[float, Unit("m")] = Field(1.0, gt=0, description="length ℓ that weighs the gradient")


@register("loss", "relative_h1", RelativeH1Params)
class RelativeH1(LossBase):
    """L of the module's head."""

    needs = frozenset({"targets", "grid"})
    fields = True

    def start(self, session: Session, chosen: torch.Tensor) -> None:
        """Set w over the chosen samples. Collective."""
        from plexus.learning.squares import by_row, squares

        self.space = session.space
        _, targets, place = session.samples.whole(chosen)
        mine = by_row(squares(self._graded(targets))).sum() if len(place) else place.double().sum()
        self.size = float(session.team.sum(mine)) / max(len(chosen), 1) or 1.0

    def rows(self, batch: Batch) -> torch.Tensor:
        """Return the errors and their gradients, divided by the root of w and of the number of points."""
        import torch

        from plexus.learning.squares import real

        errors = batch.errors()
        found, cells = self._graded(errors), next(iter(errors.values()))[0].numel()
        scale = (self.size * batch.size * cells) ** -0.5
        return torch.cat([real(value).flatten() for value in found.values()]) * scale

    def _graded(self, fields: Named) -> Named:
        """Return fields (B, ...) and ℓ times their derivatives, by name."""
        found, length = dict(fields), self.params.length
        for name, value in fields.items():
            space = self.space.sibling(real=not value.is_complex())
            hat = space.forward(value)
            for axis in range(value.dim() - 1):
                found[f"{name},{axis}"] = length * space.inverse(space.ik(axis) * hat)
        return found
