"""A model without a mesh as the time loop, outputs and quantities see it.

It is one of `plexus.protocols.Explicit` and `plexus.protocols.Implicit`. The state is one tensor (M, n) on
the device, the members of this rank times all unknowns one behind the other: an implicit step solves them
together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from mpi4py import MPI

from plexus.coupling.base import BaseSystem, Packed
from plexus.coupling.pointfields import PointFields
from plexus.coupling.stages import STATE, Stage
from plexus.devices.tensors import to_device, to_host
from plexus.errors import InputError, SolveError
from plexus.fields.keys import Key
from plexus.models.tangent import WithTangent
from plexus.protocols.fields import of_ensemble
from plexus.solvers.batched.dense import of_batch
from plexus.spaces.blocks import Blocks
from plexus.spaces.controls import Controls, Sampled
from plexus.spaces.members import MemberPlaces, Members

if TYPE_CHECKING:
    from plexus.coupling.readers import RowReader
    from plexus.coupling.tracedpoints import TracedPoints
    from plexus.fields.state import State
    from plexus.protocols import FieldSpec, Instant, Rates


class PointSystem(BaseSystem):
    """All unknowns of one model, for the members of an ensemble.

    Parameters
    ----------
    model
        The equations.
    members
        The members of this rank.
    unknowns, derived
        Fields that outputs show by default, and all others that the model can compute.
    after
        Times [s] from which the growth of a tangent is counted; without any there is no tangent.
    """

    solvers: Mapping[str, Any] = {}
    evolving: Sequence[str] = (STATE,)
    instantaneous: Sequence[str] = ()
    together: Mapping[str, Sequence[str]] = {}
    algebraic: frozenset[str] = frozenset()
    passes = None

    def __init__(
        self,
        model: Rates,
        members: Members,
        unknowns: Sequence[FieldSpec],
        derived: Sequence[FieldSpec],
        after: Sequence[float] = (),
        device: str = "cpu",
        controls: Controls | None = None,
        opening: Callable[[PointSystem], dict[str, torch.Tensor]] | None = None,
    ):
        self.controls, self.opening = controls or Controls(), opening
        self.after = sorted(set(after))
        self.equations = model
        self.model: Rates = WithTangent(model, self.after) if self.after else model
        self.members, self.device, self.comm = members, device, members.comm
        self.blocks = Blocks(self.model.sizes)
        # a model has a start of its own
        self.starting: list[FieldSpec] = []
        self.shown = {spec.name: spec for spec in unknowns}
        self.statistics = {} if members.count is None else of_ensemble(unknowns)
        self.derived = {spec.name: spec for spec in derived} | self.statistics
        self.spaces = {name: members.with_components(n) for name, n in model.sizes.items()}
        like = torch.zeros(0, dtype=torch.float64, device=device)
        # an infinite scale takes an unknown out of all norms
        self._weights = 1 / self.blocks.each(self.model.scales, like)
        self._count = int((self._weights > 0).sum())

    def values(self, state: State) -> dict[str, torch.Tensor]:
        """Return the unknowns of a state, each (M, size)."""
        return self.blocks.split(state.values[STATE])

    def start(self) -> dict[str, torch.Tensor]:
        """Return the values with which a run begins, for the present values of controls."""
        assert self.opening is not None, "the system of a deck knows its beginning"
        return self.opening(self)

    def traced(self, own: Mapping[str, torch.Tensor]) -> TracedPoints:
        """Return the system on tensors, with own values of controls."""
        from plexus.coupling.tracedpoints import TracedPoints

        def model(**values: torch.Tensor) -> Rates:
            made: Any = self.equations
            found: Rates = made.reading(Sampled(self.controls, values))
            return found

        return TracedPoints(self, model, self.controls.values | self.controls.spread(own))

    def reader(self, of: str, x: np.ndarray) -> RowReader:
        """Return what reads an unknown at places (k, d)."""
        from plexus.coupling.readers import RowReader

        indices = self.members.indices

        def rows(system: Any, state: State) -> torch.Tensor:
            u = self.values(state)[of]
            return u.repeat_interleave(indices.length // u.shape[-1], dim=-1).reshape(-1, 1)

        return RowReader(indices, partial(MemberPlaces, indices), rows, indices.dim, x)

    # what steppers ask

    def rates(self, values: Mapping[str, torch.Tensor], t: float) -> dict[str, torch.Tensor]:
        """Return dX/dt."""
        # a run never goes backwards: gradients would keep every step in memory
        with torch.no_grad():
            return {STATE: self.joined(values[STATE], t)}

    def joined(self, x: torch.Tensor, t: float) -> torch.Tensor:
        """Return dX/dt (M, n) of all unknowns one behind the other; differentiable."""
        return self.blocks.join(self.model.rates(self.blocks.split(x), t))

    def jacobian(self, x: torch.Tensor, t: float) -> torch.Tensor:
        """Return the derivative of `joined`, (M, n, n)."""
        given = self.model.jacobian(self.blocks.split(x), t)
        return of_batch(lambda x: self.joined(x, t), x) if given is None else given

    def with_model(self, model: Rates) -> PointSystem:
        """Return the system with other equations of the same unknowns."""
        other = copy(self)
        other.equations = model
        other.model = WithTangent(model, self.after) if self.after else model
        return other

    def solve(self, name: str, values: dict[str, torch.Tensor], at: Instant, held: bool = False) -> int:
        """Solve shift·X + offset = f(X, t) for every member in place; return Newton steps. Collective.

        Raises
        ------
        SolveError
            On all ranks, if a member does not converge.
        """
        guess = values[name]
        offset = torch.zeros_like(guess) if at.offset is None else at.offset
        with torch.no_grad():
            found, taken, lost = Stage(self, at).iterate(guess, [offset])
        mine = bool(lost.any()), int(taken.max()) if len(taken) else 0
        failed, steps = self.comm.allreduce(mine, MPI.MAX)
        if failed:
            raise SolveError(f"{name} at t = {at.t:.6g} s: Newton's method did not converge in {steps} steps")
        values[name].copy_(found)
        return steps

    def complete(self, name: str, values: Mapping[str, torch.Tensor], t: float) -> None:
        """Complete nothing: every unknown has a rate."""
        return

    def advance(self, name: str, values: Mapping[str, torch.Tensor], at: Instant) -> dict[str, torch.Tensor]:
        """Return nothing: there are no internal variables."""
        return {}

    def prescribe(self, name: str, t: float, array: torch.Tensor) -> None:
        """Prescribe nothing: there are no boundaries."""
        return

    def rms(self, name: str, array: torch.Tensor) -> float:
        """Return the largest root mean square of a member, each unknown in its scale. Collective."""
        squares = (array * self._weights) ** 2
        return math.sqrt(self._most(squares.sum(-1)) / self._count)

    def largest(self, name: str, array: torch.Tensor) -> float:
        """Return the largest magnitude of all members, each unknown in its scale. Collective."""
        return self._most((array * self._weights).abs())

    def _most(self, values: torch.Tensor) -> float:
        """Return the largest of numbers >= 0 on all ranks; one that is not a number wins. Collective."""
        mine = float(values.max()) if values.numel() else 0.0
        found = float(self.comm.allreduce(math.inf if math.isnan(mine) else mine, MPI.MAX))
        return math.nan if math.isinf(found) else found

    # what the time loop asks

    def finite(self, values: Mapping[str, torch.Tensor]) -> bool:
        """Return whether all values on this rank are finite; one that is not spoils the sum."""
        return all(bool(torch.isfinite(x.abs().sum())) for x in values.values())

    def blame(self, state: State) -> list[str | None]:
        """Return a sentence on the first value that is not finite. Collective."""
        mine: str | None = None
        lost = torch.nonzero(~torch.isfinite(state.values[STATE]))
        if len(lost):
            row, column = (int(i) for i in lost[0])
            name, index = self.blocks.place(column)
            whose = "" if self.members.count is None else f" of member {self.members.names()[row]}"
            mine = f"{name}[{index}]{whose} at t = {state.t:.6g} s: not finite (NaN or infinite); "
            mine += "a shorter time step may help"
        return list(self.comm.allgather(mine))

    def layout(self, state: State) -> dict[Key, Members]:
        """Return the members with the numbers of values of the state."""
        return {Key("state", STATE): self.members.with_components(self.blocks.total)}

    def pack(self, arrays: Mapping[Key, torch.Tensor]) -> Packed:
        """Return tensors as rows of members."""
        return {key: (self.members.with_components(a.shape[1]), to_host(a)) for key, a in arrays.items()}

    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, torch.Tensor]:
        """Return the tensors of `pack`, read back on any number of ranks."""
        return {key: to_device(array.copy(), self.device) for key, array in rows.items()}

    def facts(self) -> dict[str, Any]:
        """Return the times from which growth is counted."""
        return {"after": self.after}

    def adopt(self, facts: Mapping[str, Any]) -> None:
        """Refuse growth that was counted from other times.

        Raises
        ------
        InputError
            If the times are others than those of this deck.
        """
        told = facts.get("after", self.after)
        if told != self.after:
            raise InputError(
                f"the checkpoint counts growth of the tangent after {_times(told)} s, the deck's lyapunov "
                f"after {_times(self.after)} s"
            )

    # what outputs and quantities ask

    def evaluation(self, constants: Mapping[str, float]) -> PointFields:
        """Return the values by index and member."""
        return PointFields(self, constants)


def _times(times: Sequence[float]) -> str:
    return ", ".join(f"{t:g}" for t in times)
