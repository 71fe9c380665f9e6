"""Kinetic runs as a source of frames, straight from the solver into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from plexus import registry
from plexus.errors import GuardError
from plexus.fields.state import State
from plexus.learning.frames import Frames
from plexus.learning.metrics import closed_stress
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor


@dataclass(frozen=True)
class Source:
    """What the kinetic runs of a training have in common.

    Attributes
    ----------
    space :
        Grid of one process.
    physics :
        Parameters of the model that is trained; its order K decides what a frame holds.
    closes :
        What the closure gives: m for f_m, or ``"st"``.
    moments, dt :
        Moments of the kinetic run, and step of the model.
    leads :
        After how many steps of the model a frame looks at the kinetic run again.
    constants :
        Physical constants that frames carry as fields.
    """

    space: Fourier
    physics: Any
    closes: int | str
    moments: int
    dt: float
    leads: tuple[int, ...] = ()
    constants: tuple[str, ...] = ("alpha", "zeta", "d_R")

    def model(self, case: Any, order: int, closure: Any = None) -> Any:
        """Return a model of a case."""
        given = {"alpha": case.alpha, "zeta": case.zeta, "order": order}
        params = self.physics.model_copy(update=given)
        member = registry.component("physics", self.physics.type)
        return member.cls(params).model(self.space, closure, seed=case.seed)

    def record(self, case: Any, index: int, times: Sequence[float]) -> Frames:
        """Return the frames of a kinetic run near the given times.

        Raises
        ------
        GuardError
            If the run does not stay finite.
        """
        fine = case.substeps
        at = [round(t / self.dt) * fine for t in times]
        wanted = {n + lead * fine for n in at for lead in (0, *self.leads)}
        seen: dict[int, Tensor] = {}
        model = self.model(case, self.moments)
        for n, state in _marched(model, self.dt / fine, max(wanted)):
            if n in wanted:
                seen[n] = self._look(model, state)
        found = torch.stack([seen[n] for n in at])
        later = {lead: torch.stack([self._later(seen[n + lead * fine]) for n in at]) for lead in self.leads}
        count = len(at)
        return Frames(
            torch.arange(count),
            torch.full((count,), index),
            torch.tensor(at, dtype=torch.float64) * (self.dt / fine),
            self._fields(found, case),
            self._target(found, case.zeta),
            later,
            count,
        )

    def _look(self, model: Any, state: State) -> Tensor:
        """Return f_0..f_(K+1), e and W as one tensor; W is put into the last entry's real part."""
        s = model.now(state.values[model.unknown], state.t)
        if not bool(s.f.isfinite().all()):
            raise GuardError(
                f"the kinetic run is not finite at t = {state.t:g}: raise substeps, or lower the time step"
            )
        return torch.cat([s.f[: self.physics.order + 2], torch.stack([s.flow.e, s.flow.w + 0j])])

    def _fields(self, found: Tensor, case: Any) -> dict[str, Tensor]:
        fields = {"c": found[:, 0].real.clone(), "e": found[:, -2], "W": found[:, -1].real.clone()}
        fields |= {f"f{m}": found[:, m] for m in range(1, self.physics.order + 1)}
        every = {"zeta": case.zeta, "alpha": case.alpha, "d_R": self.physics.d_R}
        return fields | {name: torch.full_like(fields["c"], every[name]) for name in self.constants}

    def _target(self, found: Tensor, zeta: float) -> dict[str, Tensor]:
        if isinstance(self.closes, int):
            return {f"f{self.closes}": found[:, self.closes]}
        seen = {"c": found[:, 0].real, "f1": found[:, 1], "e": found[:, -2]}
        spin, trace = closed_stress(seen, found[:, 2], zeta)
        return {"st": spin, "trace": trace}

    def _later(self, seen: Tensor) -> Tensor:
        """Return f_0..f_K and e."""
        return torch.cat([seen[: self.physics.order + 1], seen[-2:-1]])


def _marched(model: Any, dt: float, steps: int) -> Iterator[tuple[int, State]]:
    """Yield step and state of a march by SBDF2."""
    member = registry.component("stepper", "sbdf2")
    stepper: Any = member.cls(member.params())
    state = State({model.unknown: model.initial()}, 0.0, 0)
    with torch.no_grad():
        yield 0, state
        for n in range(1, steps + 1):
            state = State(stepper.step(model, state, state.t, dt).values, n * dt, n)
            yield n, state
