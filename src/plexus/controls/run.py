"""A field that another run has computed, a scalar at its nodes over its times: nothing is fitted to it.

    m(x, t) = (1 - s) v_k(x) + s v_{k+1}(x),    s = (t - t_k)/(t_{k+1} - t_k)

v_k is what the other run wrote at its time t_k. On its own mesh, with elements of the same degree, its nodes
are found by name; on another mesh the nodes are looked for in its cells. A steady run has one state, for all
times; a steady deck takes the last state of a run. Outside of the run's times nothing is known, and that is
refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from plexus.controls.base import ControlParams
from plexus.deck.params import Field, InputFile, Unit
from plexus.deck.units import parse_unit, same_dimension
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.fileformat import SUMMARY
from plexus.protocols import Found
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"unit": "K", "file": "fields.vtkhdf", "field": "temperature"}


class RunParams(ControlParams):
    """Parameters of a field of another run."""

    file: InputFile = Field(description="fields.vtkhdf of the other run, in its folder")
    field: str = Field(description="name of the field there, a scalar at nodes")
    period: Annotated[float, Unit("s")] | None = Field(
        None, gt=0, description="the run's first times up to here repeat themselves; absent: they do not"
    )
    reach: float = Field(
        1e-6, gt=0, le=0.5, description="how far outside of the run's cells nodes may lie, in sizes of a cell"
    )

    @model_validator(mode="after")
    def _given(self) -> RunParams:
        for name in ("bounds", "fitted", "regularisation", "fitted_to"):
            if name in self.model_fields_set:
                raise refuse(f"{name}: what another run has computed is not fitted: leave it out")
        return self


@register("control", "run", RunParams)
class OfRun:
    """A field of another run."""

    location: ClassVar[Literal["given"]] = "given"
    at_nodes: ClassVar[bool] = True
    constant: ClassVar[bool] = False
    ports: Mapping[str, tuple[float, float]] = {}
    kinks: Sequence[float] = ()
    sizes = None

    def __init__(self, params: RunParams):
        self.params = params

    @staticmethod
    def problems(params: RunParams) -> Iterator[Found]:
        """Yield that the run has not come to its end."""
        try:
            status = json.loads((Path(params.file).parent / SUMMARY).read_text("utf-8"))["status"]
        except (OSError, ValueError, KeyError, TypeError):
            status = "not done: its folder has no summary.json"
        if status not in ("done", "degraded"):
            yield ("file",), f"the run of {params.file} is {status}"

    def place(self, ground: Any) -> Any:
        """Return the field on the ground. Collective.

        Raises
        ------
        InputError
            If the run has no such field, its mesh does not hold the nodes, or its times not the march.
        """
        from plexus.io.history import History, read
        from plexus.runtime.first import on_first
        from plexus.spaces.grounds import ElementGround
        from plexus.spaces.recorded import Recorded

        if not isinstance(ground, ElementGround):
            raise InputError("type: a field of another run is read on elements only")
        p = self.params
        history: History = on_first(ground.comm, lambda: read(Path(p.file), p.field))
        if not same_dimension(history.unit, parse_unit(p.unit)):
            raise InputError(f"field: {p.field} is in {history.unit}, not in {p.unit}")
        if ground.span is None:
            history = History(history.levels[-1:], history.unit, True)
        found = Recorded(ground.space, history, p.reach, p.period)
        found.require(*(ground.span or (0.0, 0.0)))
        return found

    def begin(self, ground: Any) -> np.ndarray:
        """Return no numbers."""
        return np.zeros(0)

    def grams(self) -> tuple[np.ndarray, np.ndarray]:
        """Return matrices of no numbers."""
        return np.zeros((0, 0)), np.zeros((0, 0))
