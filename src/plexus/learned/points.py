"""What watches a learned material: how many points of a solution lie outside of the range of its training.

A law or a potential answers at the quadrature points of every guess of Newton's method, and only a solution
counts. The system therefore shows each solution to the guard (`Watch.begin`, `note`, `verdict`). What is
outside is not replaced point by point: two laws that meet at the edge of a range would leave a stress that
jumps with the strain. Either the fallback answers everywhere, after the run went back to its last checkpoint,
or the run stops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plexus.bundles.fields import ordered
from plexus.bundles.kinds import Own
from plexus.deck.params import Field, Params
from plexus.learned.account import Shares
from plexus.learned.box import middle_of

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
EDGE = 1e-9
"""What a point may be outside by, in half widths: rounding of features that end where bodies are at rest."""


class WatchParams(Params):
    """What happens where a solution leaves the range that a material was trained for.

    A kind of part says in a subclass which components may be its fallback.
    """

    outside: Literal["fallback", "log", "stop"] = Field(
        "fallback",
        description="solution outside: computed again with the fallback, counted only, or the run stops",
    )
    fallback: Params | None = Field(None, description="classical part that stands in; none: the kind's usual")
    max_fraction: float = Field(
        0.0, ge=0, le=1, description="largest tolerable share of quadrature points outside"
    )


class Watch(Shares):
    """Shares of points outside, and what follows from them (`plexus.protocols.Guarded`).

    Parameters
    ----------
    params : WatchParams
        Policy and limit.
    comm : Comm, optional
        Ranks that share the points; None for this process alone.
    name : str
        Name of the part.
    beyond : sequence of str
        What of the model lies outside of the training.
    """

    def __init__(
        self, params: WatchParams, comm: Comm | None = None, name: str = "", beyond: Sequence[str] = ()
    ):
        super().__init__(params, comm, name, beyond)
        self.farthest = 0.0
        self.replaced: Any = None
        """Which samples the fallback has answered in the latest evaluation of a training's validation."""
        self._range: tuple[Array, Array] | None = None
        self._counts = np.zeros(2)
        self._far = 0.0

    def use_box(self, low: Sequence[float], high: Sequence[float]) -> None:
        """Take the range of the features."""
        middle, half = zip(*map(middle_of, low, high), strict=True)
        self._range = np.asarray(middle)[:, None], np.asarray(half)[:, None]

    def away(self, features: Array) -> Array:
        """Return how far points (features, n) are outside, in half widths of the range; <= 0 inside."""
        if self._range is None:
            return np.full(features.shape[1], -1.0)
        middle, half = self._range
        return np.asarray((np.abs(features - middle) / half - 1.0 - EDGE).max(0))

    def begin(self) -> None:
        """Forget the solution before."""
        self._counts[:], self._far = 0.0, 0.0

    def note(self, features: Array) -> None:
        """Count points (features, n) of this rank."""
        away = self.away(features)
        # what is no number is outside
        self._counts += np.count_nonzero(~(away <= 0.0)), away.size
        self._far = max(self._far, float(np.nan_to_num(away, nan=np.inf).max(initial=0.0)))

    def verdict(self) -> str | None:
        """Return why the part must not answer this solution, None where it may. Collective."""
        told = [(*self._counts.tolist(), self._far)]
        if self.comm is not None and self.comm.size > 1:
            told = self.comm.allgather(told[0])
        outside, points, far = zip(*told, strict=True)
        self.share, self.farthest = sum(outside) / max(sum(points), 1.0), max(far)
        if self.params.outside == "log" or not self.suspect:
            return None
        return (
            f"{100 * self.share:.3g} % of the points are outside of the range of its training, by up to "
            f"{self.farthest:.3g} half widths"
        )

    @property
    def suspect(self) -> bool:
        """Return whether too many points of the latest solution are outside."""
        return self.share > self.params.max_fraction

    def look(self, step: int) -> str | None:
        """Return None: solutions are judged as they are found."""
        return None

    def details(self) -> dict[str, float]:
        """Return how far the farthest point is outside."""
        return {"farthest": self.farthest}

    def state(self) -> dict[str, Any]:
        """Return what a restart needs, plain numbers, the same on all ranks."""
        return {**super().state(), "farthest": self.farthest}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` returned, on any number of ranks."""
        super().restore(state)
        self.farthest = float(state["farthest"])


def _check(metadata: dict[str, Any]) -> None:
    """Check the range of the features."""
    for name, entry in metadata["box"].items():
        ordered(f"box.{name}", entry)


OWN = Own(
    {
        "properties": (dict, ("kind", "locality", "symmetry", "conservation", "resolution")),
        "box": (dict, ()),
        "guard": (dict, ()),
        "stepping": (dict, ("dt", "integrator")),
    },
    _check,
)
"""What a bundle of such a part tells beside the common fields. Declared properties; box: feature -> {low,
high, unit, percentiles} of the training; the guard's settings; time steps and stepper of a training inside
of a solver, null without one."""
