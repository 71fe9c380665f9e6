"""Kinetic runs as a source of samples, straight from the solver into memory.

A sample is a frame of a run: the moments and the flow that closures see, what they should answer, and where
the run is some steps later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from plexus import registry
from plexus.errors import GuardError
from plexus.fields.state import State
from plexus.learning import kept
from plexus.learning.samples import Named, Samples
from plexus.models.suspension.stress import closed_stress
from plexus.spaces.fourier import Fourier
from plexus.stepping.march import march

Tensor = torch.Tensor
ROUNDING = 1e-6
"""By how much the order of aligned rods may pass 1."""


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

    def record(self, case: Any, index: int, times: Sequence[float]) -> Samples:
        """Return the frames of a kinetic run near the given times.

        Raises
        ------
        GuardError
            If the run does not stay finite.
        """
        fine = case.substeps
        at = [round(t / self.dt) * fine for t in times]
        wanted = {n + lead * fine for n in at for lead in (0, *self.leads)}
        seen: dict[int, _Look] = {}
        model = self.model(case, self.moments)
        with torch.no_grad():
            for state in march(model, _sbdf2(), model.initial(), self.dt / fine, max(wanted)):
                if state.step in wanted:
                    seen[state.step] = self._look(model, state)
        found = _together([seen[n] for n in at])
        later = {lead: self._later(_together([seen[n + lead * fine] for n in at])) for lead in self.leads}
        count, fields = len(at), self._fields(found, case)
        return Samples(
            torch.arange(count),
            torch.full((count,), index),
            torch.tensor(at, dtype=torch.float64) * (self.dt / fine),
            fields,
            self._target(found, case.zeta),
            later,
            count,
            measured=tuple(name for name, value in fields.items() if value.is_complex()),
        )

    def told(self, case: Any, times: Sequence[float]) -> dict[str, Any]:
        """Return all that the frames of a case depend on, as JSON has it."""
        space, physics = self.space, self.physics.model_dump(mode="json")
        grid = [list(space.cells), list(space.lengths), space.dealias]
        own = [self.closes, self.moments, self.dt, list(self.leads), list(self.constants)]
        return {"kinetic": [grid, physics, own, case.model_dump(mode="json"), list(times)]}

    def _look(self, model: Any, state: State) -> _Look:
        s = model.now(state.values[model.unknown], state.t)
        if not bool(s.f.isfinite().all()):
            raise GuardError(
                f"the kinetic run is not finite at t = {state.t:g}: raise substeps, or lower the time step"
            )
        return _Look(s.f[: self.physics.order + 2].clone(), s.flow.e, s.flow.w.clone())

    def _fields(self, found: _Look, case: Any) -> dict[str, Tensor]:
        fields = {"c": found.moments[:, 0].real.clone(), "e": found.e, "W": found.w}
        fields |= {f"f{m}": found.moments[:, m] for m in range(1, self.physics.order + 1)}
        every = {"zeta": case.zeta, "alpha": case.alpha, "d_R": self.physics.d_R}
        return fields | {name: torch.full_like(fields["c"], every[name]) for name in self.constants}

    def _target(self, found: _Look, zeta: float) -> dict[str, Tensor]:
        if isinstance(self.closes, int):
            return {f"f{self.closes}": found.moments[:, self.closes]}
        c, f1, f2 = found.moments[:, 0].real, found.moments[:, 1], found.moments[:, 2]
        spin, trace = closed_stress({"c": c, "f1": f1, "e": found.e}, f2, zeta)
        return {"st": spin, "trace": trace}

    def _later(self, found: _Look) -> dict[str, Tensor]:
        return {"moments": found.moments[:, : self.physics.order + 1], "e": found.e}


def recorded(
    source: Source, case: Any, index: int, times: Sequence[float], folder: Path
) -> tuple[Samples, bool]:
    """Return the frames of a kinetic run, and whether they were there: members of a sweep share them.

    ``folder`` is that of the training.
    """
    place = kept.shared(folder)
    if place is None:
        return source.record(case, index, times), False
    found, there = kept.once(place, source.told(case, times), lambda: source.record(case, index, times))
    # the same run may have another number in another training
    return _moved(found, index, source.space.device), there


def _moved(samples: Samples, index: int, device: Any) -> Samples:
    """Return samples of another case, their fields on a device."""

    def there(fields: Named) -> Named:
        return {name: value.to(device) for name, value in fields.items()}

    later = {lead: there(fields) for lead, fields in samples.later.items()}
    return replace(samples, group=torch.full_like(samples.group, index), inputs=there(samples.inputs),
                   targets=there(samples.targets), later=later)  # fmt: skip


class _Look(NamedTuple):
    """What is kept of a kinetic run at one time, or at several along a first axis."""

    moments: Tensor
    """f_0..f_(K+1), (..., K+2, nx, ny)."""
    e: Tensor
    """Strain rate, (..., nx, ny)."""
    w: Tensor
    """Half the vorticity, (..., nx, ny)."""


def _together(looks: Sequence[_Look]) -> _Look:
    return _Look(*(torch.stack(parts) for parts in zip(*looks, strict=True)))


def _sbdf2() -> Any:
    member = registry.component("stepper", "sbdf2")
    return member.cls(member.params())


def impossible(fields: Mapping[str, Tensor]) -> str | None:
    """Return how many points have an order |f_1|/c above 1, as no distribution has; None without any."""
    if not {"c", "f1"} <= fields.keys():
        return None
    order = fields["f1"].abs() / fields["c"]
    # a training must not learn from what truncation and grid have made up
    outside = int((order > 1 + ROUNDING).sum())
    if not outside:
        return None
    share, most = outside / order.numel(), float(order.max())
    what = f"{outside:,} of {order.numel():,} points ({share:.2%}) have an order above 1, up to {most:.4g}"
    return f"{what}: no distribution has these moments; a finer grid, more moments or more substeps help"
