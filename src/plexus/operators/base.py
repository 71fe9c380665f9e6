"""What operators share: ports as the physics names them, the grid, scales, range and rivals.

An operator maps the fields at the start of a step to those at its end. Its ports are the unknowns of the
model, scalar fields on a grid; fields are tensors (N, *own cells) for N samples. Features, by which its range
is told, are of the whole domain: mean, deviation from the mean and largest deviation of each field. In a
run on several ranks the sums go over the ranks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.params import Field, Property
from plexus.errors import InputError
from plexus.learned import part
from plexus.learned.part import Fields
from plexus.learned.ports import Properties
from plexus.learned.steps import StepGuardParams, StepWatch
from plexus.mesh.alone import Alone
from plexus.protocols import GridSource, Port, Setting

if TYPE_CHECKING:
    import torch

    from plexus.mesh.grid import Grid

MEASURES = ("mean", "deviation", "peak")
"""Features of each field."""
SAME = 1e-6
"""Relative difference up to which lengths of steps and boxes are the same."""


class OperatorParams(part.LearnedParams):
    """Parameters of operators."""

    guard: StepGuardParams = Field(  # type: ignore[assignment]  # operators are watched by steps
        StepGuardParams(), description="what happens to steps that the operator should not take"
    )


@dataclass(frozen=True)
class Cells:
    """A grid and the cells along its first axis that this rank holds."""

    mesh: Grid
    rows: tuple[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Own cells per axis."""
        return (self.rows[1] - self.rows[0], *self.mesh.cells[1:])


class OperatorPart(part.Part):
    """Base of operators (`plexus.protocols.Operator`)."""

    kind = "operator"
    training_units = "SI"
    ports: tuple[Port, ...] = ()
    """What it takes and gives; those of the model, or of its bundle."""
    guard: StepWatch  # type: ignore[assignment]

    # what a member says

    def respond(self, u: torch.Tensor) -> torch.Tensor:
        """Return the scaled fields at the end (ports, N, *own cells) of those at the start. Collective."""
        raise NotImplementedError

    def bind(self) -> None:
        """Take up the grid and the ranks of `setting`; nothing for operators that look at neither."""

    def unfit(self, grid: Grid) -> str | None:
        """Return why it does not answer on a grid, None where it does."""
        return None

    # what surrounds it

    @classmethod
    def surroundings(cls, deck: Any) -> Setting:
        """Return what the operator of a deck is asked for: ports, whole grid, constants, step; no MPI."""
        physics: Any = registry.component("physics", deck.physics.type).cls
        specs = physics.fields(deck.physics)
        try:
            source: Any = None if deck.mesh is None else registry.build("mesh", deck.mesh)
            if not isinstance(source, GridSource):
                return Setting()
            grid = source.grid(Alone())  # type: ignore[arg-type]  # it asks its ranks nothing
        except InputError:  # which the discretisation tells
            return Setting()
        ports = tuple(Port(s.name, s.unit, s.shape) for s in specs)
        step = None if deck.time is None else deck.time.step
        return Setting(_constants(deck.physics), (ports,), Cells(grid, (0, grid.cells[0])), dt=step)

    @property
    def properties(self) -> Properties:
        """Return what it declares: a global map from all unknowns to all unknowns."""
        return Properties("step", "global", self.ports, self.ports, (), "none", "independent of the grid")

    def misfit(self, setting: Setting) -> str | None:
        """Return why the operator is not for a model, its step or its grid, None where it is."""
        if not setting.missing:
            return None
        wrong = next(self._misfits(setting), None)
        return wrong or (self.unfit(setting.space.mesh) if setting.space is not None else None)

    def _misfits(self, setting: Setting) -> Iterator[str]:
        """Yield what of ports, step, box and constants is not that of the bundle."""
        (ports,) = setting.missing
        vectors = [port.name for port in ports if port.shape != "scalar"]
        if vectors:
            yield f"{self.name} takes scalar fields; {vectors[0]} is none"
        free = [name for name, value in setting.constants.items() if math.isnan(value)]
        if free and not self.metadata:
            yield f"operators know numbers of the physics only; {free[0]} is an expression"
        if not self.metadata:
            return
        found, asked = ({p.name: p.unit for p in given} for given in (self.ports, ports))
        if found != asked:
            told = [", ".join(f"{n} [{u}]" for n, u in each.items()) for each in (found, asked)]
            yield f"the bundle maps {told[0]}; the model has {told[1]}"
        step = self.metadata["window"]["step"]
        if setting.dt is not None and not math.isclose(step, setting.dt, rel_tol=SAME):
            yield f"the bundle takes steps of {step:g} s, the run {setting.dt:g} s"
        grid, size = setting.space.mesh, self.metadata["domain"]["size"]
        if len(size) != grid.dim or not all(map(_alike, size, grid.size)):
            boxes = [" x ".join(f"{length:g}" for length in each) for each in (size, grid.size)]
            yield f"the bundle was trained on a box of {boxes[0]} m, the mesh is one of {boxes[1]} m"
        if list(self.metadata["window"]["bounded"]) != _bounded(grid):
            yield "the bundle was trained on a box that is periodic along other axes than the mesh"
        trained = self.metadata["training"]["parameters"]
        for name in sorted({*trained, *setting.constants}):
            if wrong := _outside(name, trained.get(name), setting.constants.get(name, math.nan)):
                yield wrong

    def take(self, metadata: Mapping[str, Any]) -> None:
        """Take ports, hyper-parameters and scales of a bundle.

        Raises
        ------
        InputError
            Naming the field that does not fit.
        """
        self.ports = tuple(Port(**port) for port in metadata["ports"]["inputs"])
        super().take(metadata)

    def accept(self, setting: Setting) -> None:
        """Take up model and grid.

        Raises
        ------
        InputError
            If the operator is not for them.
        """
        super().accept(setting)
        if setting.missing and not self.metadata:
            (self.ports,) = setting.missing
            self.scales = dict.fromkeys(self.scale_units, 1.0)

    def prepare(self, setting: Setting) -> None:
        """Prepare as all learned parts do and take up the grid. Collective.

        Raises
        ------
        InputError
            If bundle, model or grid do not fit.
        """
        super().prepare(setting)
        self.bind()

    def _watcher(self, setting: Setting) -> StepWatch:
        """Return what judges whole steps."""
        return StepWatch(self.params.guard, setting.comm, type(self).__name__, self._told())

    # scales and range

    @property
    def scale_units(self) -> dict[str, str]:  # type: ignore[override]  # as many as the model has fields
        """Return the sizes of the fields before and after, and their units."""
        return {f"{end} {port.name}": port.unit for end in ("start", "end") for port in self.ports}

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Keep the root mean square of each field as its size, and the classical rival of the data."""
        for end, fields in (("start", inputs), ("end", targets)):
            for name, value in fields.items():
                self.scales[f"{end} {name}"] = float(value.double().square().mean().sqrt()) or 1.0
        self._known = inputs, targets

    _known: tuple[Fields, Fields] | None = None

    def rivals(self) -> dict[str, Any]:
        """Return the linear regression between principal components of the same data."""
        if self._known is None:
            return {}
        component = registry.component("operator", "pca")
        rival: Any = component.cls(component.params())
        rival.prepare(replace(self.setting, comm=None))
        rival.calibrate(*self._known)
        rival.solve(*self._known)
        return {"pca": rival}

    def default_fallback(self) -> str:
        """Return the name of the rival; in a run the stepper names what takes the step instead."""
        return "pca"

    def feature_units(self) -> dict[str, str]:
        """Return the features and their units."""
        return {f"{measure} {port.name}": port.unit for port in self.ports for measure in MEASURES}

    def features(self, fields: Fields) -> torch.Tensor:
        """Return mean, deviation and peak of each field, (features, N), of the whole domain. Collective."""
        import torch

        rows = []
        for port in self.ports:
            u = fields[port.name].detach().double().flatten(1)
            mean = self.mean(u)
            away = u - mean[:, None]
            peak = away.abs().amax(1) if u.shape[1] else torch.zeros_like(mean)
            rows += [mean, self.mean(away.square()).sqrt(), self.over_ranks(peak, largest=True)]
        return torch.stack(rows)

    def mean(self, u: torch.Tensor) -> torch.Tensor:
        """Return the means over the domain of values (N, own points), (N,). Collective."""
        count = u.new_tensor([float(u.shape[1])])
        return self.over_ranks(u.sum(1)) / self.over_ranks(count)

    def over_ranks(self, value: torch.Tensor, largest: bool = False) -> torch.Tensor:
        """Return the sum, or the largest value, over the ranks that share the fields. Collective."""
        comm = self.setting.comm
        if comm is None or comm.size == 1:
            return value
        import torch

        parts = torch.stack([torch.as_tensor(v) for v in comm.allgather(value.cpu().numpy())])
        return (parts.amax(0) if largest else parts.sum(0)).to(value.device)

    # answers

    @property
    def loose(self) -> bool:
        """Return False: fields are whole."""
        return False

    def apply(self, fields: Fields) -> dict[str, torch.Tensor]:
        """Return the fields at the end of a step, shaped as those at its start. Collective."""
        return self._applied(fields, self.setting.space.shape)

    def _applied(self, fields: Fields, shape: tuple[int, ...]) -> dict[str, torch.Tensor]:
        """Return the answers to fields on a grid of so many own cells. Collective."""
        import torch

        names = [port.name for port in self.ports]
        u = torch.stack([fields[n].reshape(-1, *shape) / self.scales[f"start {n}"] for n in names])
        v = self.respond(u.to(self.setting.device, self.dtype)).to(fields[names[0]])
        return {n: (v[k] * self.scales[f"end {n}"]).reshape(fields[n].shape) for k, n in enumerate(names)}

    def raw(self, fields: Fields) -> dict[str, Any]:
        """Return the fields at the end, for training."""
        return self.apply(fields)

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return the answers to a validation as they are: only runs have a method that could stand in."""
        return self.apply(fields)

    def describe(self, box: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what the part knows of its bundle, the step that it takes among it."""
        window = {"step": self.setting.dt, "unit": "s", "bounded": _bounded(self.setting.space.mesh)}
        return {**super().describe(box), "window": window}

    def answers(self, inputs: Fields) -> dict[str, Any]:
        """Return the answer to a golden pair, on a grid of its own which belongs to this rank alone."""
        import torch

        here, cells = self.setting, tuple(next(iter(inputs.values())).shape[1:])
        space = Cells(replace(here.space.mesh, cells=cells), (0, cells[0]))
        self.setting = replace(here, comm=None, space=space)
        self.bind()
        try:
            with torch.no_grad():
                return self._applied(inputs, cells)
        finally:
            self.setting = here
            self.bind()

    def few(self, inputs: Fields) -> dict[str, Any]:
        """Return the fields of one sample."""
        shape = self.setting.space.shape
        return {name: value.reshape(-1, *shape)[:1].clone() for name, value in inputs.items()}


def _bounded(grid: Grid) -> list[bool]:
    """Return which axes end at sides."""
    return [grid.ends(axis) for axis in range(grid.dim)]


def _alike(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=SAME)


def _outside(name: str, trained: Mapping[str, float] | None, value: float) -> str | None:
    """Return why a number of the physics is not one that a training had, None where it is."""
    has = "an expression" if math.isnan(value) else f"{value:g}"
    if trained is None:
        return f"the bundle was trained without {name}, the run has {has}"
    low, high = trained["low"], trained["high"]
    room = SAME * max(abs(low), abs(high))
    if low - room <= value <= high + room:
        return None
    span = " to ".join(dict.fromkeys(f"{bound:g}" for bound in (low, high)))
    return f"the bundle was trained for {name} {span}, the run has {has}"


def _constants(physics: Any) -> dict[str, float]:
    """Return the numbers of a physics block; of what is no number everywhere and at all times, NaN."""
    found = {}
    for name in type(physics).model_fields:
        value = getattr(physics, name)
        if isinstance(value, Property):
            found[name] = math.nan if value.constant is None else float(value.constant)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    return found
