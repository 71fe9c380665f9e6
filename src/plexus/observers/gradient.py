"""Gradient of a quantity at the end of a run with respect to controls, in ``gradient.h5``.

    (g, δm) = J'(m) δm  for all δm,    (a, b) = ∫ a b            L2
                                       (a, b) = ∫ a b + ℓ² ∫ ∇a·∇b    H1

The Riesz map makes the derivative a field g: on a finer mesh it is the same one. The run is marched once more
on tensors, from its start, and back. Groups ``<control>`` hold ``gradient`` and ``derivative`` dJ/dθ (n,), of
fields ``places`` (n, d) [m], of tables ``knots`` [s]; the attribute ``unit`` is that of the gradient in L2
where it is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import model_validator

from plexus.deck.controls import moving
from plexus.deck.params import NAME, Field, Params, QuantityName, ScheduleText, Unit
from plexus.deck.schedules import parse_schedule
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.observers.base import Scheduled
from plexus.protocols import Controlled
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class GradientParams(Params):
    """Parameters of gradients."""

    name: str = Field("gradient", pattern=NAME, description="name of the file, without .h5")
    of: QuantityName = Field(description="quantity, at the end of the run")
    to: tuple[str, ...] = Field((), description="controls; empty: all")
    norm: Literal["L2", "H1"] = Field("L2", description="inner product that makes the derivative a field")
    length: Annotated[float, Unit("m")] | None = Field(None, description="length ℓ of H1")

    @model_validator(mode="after")
    def _whole(self) -> GradientParams:
        if (self.norm == "H1") != (self.length is not None):
            raise refuse("H1 needs a length, and L2 has none")
        return self

    @property
    def every(self) -> ScheduleText:
        """The end: a gradient needs the whole run."""
        return parse_schedule("end")


@register("output", "gradient", GradientParams)
class Gradient(Scheduled):
    """The gradient of one quantity."""

    needs = Controlled

    def __init__(self, params: GradientParams):
        super().__init__(params)
        self.params = params

    def observe(self, run: Run) -> None:
        """March once more, back, and write. Collective.

        Raises
        ------
        InputError
            If no gradient leads through the model or the quantity.
        """
        from plexus.coupling.numbers import Numbers
        from plexus.io import fitted as files
        from plexus.io.hdf5 import on_root

        known = moving(run.deck)
        numbers = Numbers({n: known[n] for n in self.params.to or known}, run.system.controls)
        value, slope = derivative(run, numbers, self.params.of)
        data: dict[str, Any] = {"value": value}
        facts = {}
        for name, part in numbers.parts.items():
            stated = numbers.stated[name]
            fits = stated.location == "node" or stated.kinks
            length = (self.params.length or 0.0) if fits else 0.0
            group = {"derivative": slope[part], "gradient": numbers.gram(name, length).solve(slope[part])}
            if stated.location != "own":
                group["places"] = numbers.places(name)
            elif stated.kinks:
                group["knots"] = np.array(stated.kinks)
            data |= {f"{name}/{key}": values for key, values in group.items()}
            facts[name] = {"unit": f"({run.units[self.params.of] or '1'})/({stated.params.unit})"}
        path = run.ctx.folder / f"{self.params.name}.h5"
        on_root(run.ctx.comm, lambda: files.write(path, data, facts))


def derivative(run: Run, numbers: Any, name: str) -> tuple[float, np.ndarray]:
    """Return a quantity at the end of the run and its derivative in all numbers. Collective.

    Raises
    ------
    InputError
        If no gradient leads through the model or the quantity.
    """
    import torch

    start = numbers.present()
    m = torch.tensor(start, requires_grad=True)
    value = evaluated(run, numbers, name, m)
    if not value.requires_grad:
        raise InputError(f"quantities.{name}: it depends on no control, or no gradient leads through it")
    seed = torch.full_like(value, 1 / run.ctx.comm.size)
    (part,) = torch.autograd.grad(value, m, seed, allow_unused=True)
    return float(value.detach()), numbers.total(np.zeros(len(start)) if part is None else part.numpy())


def evaluated(run: Run, numbers: Any, name: str, m: Any) -> Any:
    """Return a quantity at the end of a run with other numbers, a tensor (). Collective."""
    assert run.traced is not None, "runs of decks can be traced"
    trace: Any = run.traced(run, numbers.own(m))
    for _ in trace.march():
        pass
    return trace.quantity(name)


EXAMPLE: dict[str, Any] = {"type": "gradient", "of": "mean", "norm": "L2"}
