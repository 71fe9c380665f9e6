"""What stands for the part of a model that the model does not carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from plexus.protocols.fields import Array


@dataclass(frozen=True)
class ClosureSetting:
    """What a closure is prepared for, once per run.

    ``parameters`` are the physical constants of the model by name (``zeta``, ``d_R``, ...), ``order`` the
    highest moment that the model carries, ``space`` the grid on which fields live (None for loose points),
    ``dt`` and ``integrator`` the time step and stepper, for closures that were trained inside a solver.
    """

    parameters: Mapping[str, float] = field(default_factory=dict)
    order: int = 1
    space: Any = None
    device: str = "cpu"
    comm: Any = None
    dt: float | None = None
    integrator: str = ""


class Closure(Protocol):
    """What stands for the part of a model that the model does not carry, classical or learned.

    Fields and results are torch tensors in physical space, by name, with any leading batch axes.
    """

    closes: int | str | None
    """The spin moment f_m that it gives (2, 3, ...), ``"st"`` for the stress S:T, None for any next one."""

    def prepare(self, setting: ClosureSetting) -> None:
        """Get ready for one model and grid. Collective."""

    def evaluate(self, fields: Mapping[str, Array]) -> dict[str, Array]:
        """Return the closure fields; pure, batched, differentiable by torch."""

    def project(
        self, fields: Mapping[str, Array], out: Mapping[str, Array]
    ) -> tuple[dict[str, Array], Array]:
        """Return the nearest admissible closure fields and the fraction of points that moved; idempotent."""

    def report(self) -> dict[str, float]:
        """Return scalars for the log and the summary. Collective."""
