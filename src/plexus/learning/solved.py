"""The controls of a deck as a part that is trained: what it answers are the unknowns of the deck's run.

    answer(run) = H u(t; θ),    θ = S q

θ are the numbers of all controls, S their sizes, q the variables that optimisers move, H the interpolation at
the places of the data. A run is marched on tensors by the ranks of a group, which cut its mesh among them
(`plexus.run.trace`); every one of them gets the whole answer. What is compared with it comes back to each as
the part of its own cells, times the number of ranks (`plexus.learning.team`).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from plexus.compose import compose
from plexus.coupling.numbers import Numbers
from plexus.deck.controls import moving
from plexus.deck.load import load
from plexus.deck.solved import answers
from plexus.errors import GuardError, InputError, SolveError, at_path
from plexus.protocols import Port
from plexus.run.trace import Trace
from plexus.runtime import context
from plexus.runtime.log import Log
from plexus.spaces.shared import Total

if TYPE_CHECKING:
    from plexus.coupling.readers import Reader
    from plexus.deck.schema import Deck
    from plexus.learning.team import Team
    from plexus.run import Run
    from plexus.runtime.context import Context

Tensor = torch.Tensor
Named = Mapping[str, Tensor]


class Asked(NamedTuple):
    """A run: what it changes in the deck, when it is looked at [s], and where, (n, d) [m]."""

    changes: list[str]
    times: list[float]
    places: np.ndarray


class Solved:
    """The controls of a deck (`plexus.protocols.Trainable`). Construction is collective.

    Attributes
    ----------
    network : q of each control by name, the same on all ranks.
    scales : S of each control by name.

    Raises
    ------
    InputError
        If the deck does not fit the mesh.
    """

    loose, judged_by = False, "targets"
    inputs = (Port("run", "1"),)

    def __init__(self, deck: Deck, ctx: Context, team: Team):
        self.deck, self.team, self.outputs = deck, team, answers(deck)
        comm = team.group
        assert comm is not None
        self._ctx = context.create(comm, ctx.folder, seed=ctx.seed, device=ctx.device)
        self._ctx.log = Log(comm, None, io.StringIO())
        self.metadata: dict[str, Any] = {}
        self._asked: list[tuple[Asked, list[str]]] = []
        self._members: dict[int, Member] = {}
        self.stated = moving(deck)
        self.numbers = Numbers(self.stated, compose(deck, self._ctx).system.controls)
        start, size = self.numbers.present(), self.numbers.scale()
        first = {name: int(part.start) for name, part in self.numbers.parts.items()}
        self.scales = {name: float(size[at]) for name, at in first.items()}
        q = {name: torch.from_numpy(start[p] / size[p]) for name, p in self.numbers.parts.items()}
        self.start = {name: value.clone() for name, value in q.items()}
        self.network = torch.nn.ParameterDict(q)

    def calibrate(self, inputs: Named, targets: Named) -> None:
        """Keep the sizes, which the deck tells."""

    def rivals(self) -> dict[str, Any]:
        """Return the run with the controls that the deck starts from."""
        return {"start": Start(self)}

    def compared(self, inputs: Named, given: Named, targets: Named) -> dict[str, list[tuple[Tensor, Tensor]]]:
        """Return metric -> pairs (found, true), one metric per unknown."""
        return {f"{name} relative MSE": [(given[name], true)] for name, true in targets.items()}

    def enlist(self, asked: Sequence[Asked], names: list[str]) -> int:
        """Note runs and the unknowns that are looked at in them; return the number of the first."""
        first = len(self._asked)
        self._asked += [(one, names) for one in asked]
        return first

    def raw(self, inputs: Named) -> dict[str, Tensor]:
        """Return the unknowns of the numbered runs, (runs, times, places). Collective in the group."""
        return self.answer(inputs, dict(self.network.items()))

    evaluate = raw

    def admitted(self, inputs: Named, out: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the answers as they are."""
        return out

    def answer(self, inputs: Named, q: Named) -> dict[str, Tensor]:
        """Return the unknowns for given variables; of runs that fail NaN. Collective in the group."""
        theta = torch.cat([q[name] * self.scales[name] for name in self.numbers.parts])
        found = [self._answer(int(number), theta) for number in inputs["run"]]
        return {name: torch.stack([one[name] for one in found]) for name in found[0]}

    def _answer(self, number: int, theta: Tensor) -> dict[str, Tensor]:
        asked, names = self._asked[number]
        try:
            return self._member(number).answer(theta)
        except (SolveError, GuardError) as error:
            self.team.why = self.team.why or f"{', '.join(asked.changes) or self.deck.name}: {error}"
            lost = torch.full((len(asked.times), len(asked.places)), torch.nan, dtype=torch.float64)
            return dict.fromkeys(names, lost)

    def _member(self, number: int) -> Member:
        """Return a run, composed when it is first asked for. Collective in the group."""
        if number not in self._members:
            asked, names = self._asked[number]
            with at_path(f"train.data: {', '.join(asked.changes)}"):
                deck = load(self.deck.path, [*self.deck.overrides, *asked.changes])
                member = Member(compose(deck, self._ctx), self.stated, asked, names)
                if member.numbers.size != self.numbers.size:
                    raise InputError("controls have other numbers on the mesh of this run")
            self._members[number] = member
        return self._members[number]

    def stored(self) -> tuple[dict[str, np.ndarray], dict[str, dict[str, str]]]:
        """Return what `plexus.io.fitted` writes: arrays by place, facts by group. Collective in the group."""
        data, facts = {}, {}
        for name, control in self.stated.items():
            group = f"controls/{name}"
            facts[group] = {"unit": control.params.unit, "location": control.location}
            data[f"{group}/values"] = (self.network[name].detach() * self.scales[name]).numpy()
            data[f"{group}/start"] = (self.start[name] * self.scales[name]).numpy()
            if control.location != "own":
                data[f"{group}/places"] = self.numbers.places(name)
            elif control.kinks:
                data[f"{group}/knots"] = np.array(control.kinks)
        return data, facts


class Start:
    """The controls as they start, beside which the trained ones are judged."""

    def __init__(self, part: Solved):
        self.part = part

    def evaluate(self, inputs: Named) -> dict[str, Tensor]:
        """Return the unknowns. Collective in the group."""
        return self.part.answer(inputs, self.part.start)


class Member:
    """One run on the ranks of a group, looked at in some places. Construction is collective."""

    def __init__(self, run: Run, stated: Mapping[str, Any], asked: Asked, names: list[str]):
        marches = run.stepper.marches
        self.run, self.times = run, asked.times if marches else [np.inf] * len(asked.times)
        run.observers = []
        late = [t for t in asked.times if np.inf > t > run.clock.end * (1 + 1e-12)]
        if late and marches:
            raise InputError(f"{late[0]:g} s is after the end of the deck's run, {run.clock.end:g} s")
        self.numbers = Numbers(stated, run.system.controls)
        self.readers = {name: run.system.reader(name, asked.places) for name in names}
        self.count = len(asked.places)

    def answer(self, theta: Tensor) -> dict[str, Tensor]:
        """Return unknown -> values (times, places), whole on every rank. Collective."""
        trace, rows = Trace.of(self.run, self.numbers.own(theta)), []
        for t in self.times:
            for _ in trace.march(t):
                pass
            rows.append(torch.stack([self._share(reader, trace) for reader in self.readers.values()]))
        found = Total.apply(torch.stack(rows, dim=1), self.run.ctx.comm)
        return dict(zip(self.readers, found, strict=True))

    def _share(self, reader: Reader, trace: Trace) -> Tensor:
        """Return what this rank adds to the values at all places, (places,). Collective."""
        share = reader.look(trace.system, trace.state, np.arange(len(reader.which)))
        return share.new_zeros(self.count).index_add(0, torch.from_numpy(reader.which), share)
