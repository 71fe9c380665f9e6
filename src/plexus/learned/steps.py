"""What watches an operator that takes whole steps of a run: each step is judged on the whole domain.

Before a step the features of the fields are compared with the range of the training; after it the fields must
be finite, and, where the deck asks for it, keep their totals and leave little of the equations. A step that
fails is not taken: the classical method takes it in its place, and it is counted. Members of an ensemble are
judged one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.learned.account import Shares
from plexus.learned.box import middle_of

if TYPE_CHECKING:
    import torch
    from mpi4py.MPI import Comm


class StepGuardParams(Params):
    """What happens to steps that an operator should not take."""

    outside: Literal["fallback", "log", "stop"] = Field(
        "fallback",
        description="a step that fails: taken by the classical method, counted only, or the run stops",
    )
    balance: float | None = Field(
        None,
        gt=0,
        description="largest drift of means in a closed domain, in root mean squares; none: not looked at",
    )
    residual: float | None = Field(
        None,
        gt=0,
        description="largest residual of the midpoint rule, relative to the change; none: not computed",
    )
    max_fraction: float = Field(
        0.1, ge=0, le=1, description="share of steps that may fail; with more the run ends as degraded"
    )


class StepWatch(Shares):
    """Counts of the steps of one operator (`plexus.protocols.Guarded`).

    Parameters
    ----------
    params : StepGuardParams
        Policy and limits.
    comm : Comm, optional
        Ranks that share the fields; None for this process alone.
    name : str
        Class of the part.
    beyond : sequence of str
        What of the model lies outside of the training.
    """

    def __init__(
        self, params: StepGuardParams, comm: Comm | None = None, name: str = "", beyond: Sequence[str] = ()
    ):
        super().__init__(params, comm, name, beyond)
        self.worst: dict[str, float] = {}
        """Largest value of each measure so far."""
        self.replaced: torch.Tensor | None = None
        """Which samples of the latest step have failed, (N,)."""
        self._box: tuple[Any, Any] | None = None

    def use_box(self, low: Sequence[float], high: Sequence[float], like: torch.Tensor) -> None:
        """Take the training range of the features."""
        middle, half = zip(*map(middle_of, low, high), strict=True)
        self._box = like.new_tensor(middle)[:, None], like.new_tensor(half)[:, None]

    def away(self, features: torch.Tensor) -> torch.Tensor:
        """Return how far samples (features, N) are outside, in half widths of the range; <= 0 inside."""
        if self._box is None:
            return features.new_full(features.shape[1:], -1.0)
        middle, half = (b.to(features) for b in self._box)
        return ((features - middle).abs() / half - 1.0).amax(0)

    def judge(self, features: torch.Tensor, measures: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return which samples fail, (N,), and note how bad they are. The same on all ranks.

        Parameters
        ----------
        features : Tensor
            What the range is about, (features, N), of the whole domain.
        measures : mapping of str to Tensor
            ``balance`` and ``residual`` where they are looked at, and ``finite``: 0 where all values are so,
            (N,) each, of the whole domain.
        """
        away = self.away(features)
        # what is no number fails
        failed = ~(away <= 0)
        for name, value in measures.items():
            failed |= ~(value <= (getattr(self.params, name, None) or 0.0))
        for name, value in {"range": away + 1.0, **measures}.items():
            top = float(value.nan_to_num(float("inf")).max())
            self.worst[name] = max(self.worst.get(name, 0.0), top)
        self.replaced, self.share = failed, float(failed.double().mean())
        return failed

    @property
    def suspect(self) -> bool:
        """Return whether the latest step has failed."""
        return self.share > 0.0

    def look(self, step: int) -> str | None:
        """Return why the run must stop; a step that the classical method took is no reason to."""
        return "a step was outside of its range" if self.stops and self.suspect else None

    def details(self) -> dict[str, float]:
        """Return the worst measures."""
        return {f"largest_{name}": min(value, 1e300) for name, value in self.worst.items()}

    def summary(self) -> dict[str, Any]:
        """Return the entry of ``summary.json``."""
        return super().summary() | {"what": "of the steps failed its checks"}

    def state(self) -> dict[str, Any]:
        """Return what a restart needs, plain numbers, the same on all ranks."""
        return {**super().state(), "worst": {name: min(value, 1e300) for name, value in self.worst.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, on any number of ranks."""
        super().restore(state)
        self.worst = {name: float(value) for name, value in state["worst"].items()}
