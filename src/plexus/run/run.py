"""A run: everything that was built from a deck, and the loop that marches it.

The time loop proposes a step, takes it, lets the controller accept or repeat it, shows the new state to
the observers that are due, and asks all ranks once per step whether to go on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.errors import GuardError, SolveError, at_path
from plexus.fields.keys import Key, by_field, keyed, of_group
from plexus.fields.state import State
from plexus.fileformat import SERIES
from plexus.protocols import Keeps
from plexus.run import inspect, rescue
from plexus.run.bounds import Bounds
from plexus.stepping.clock import Clock
from plexus.stepping.march import March
from plexus.stepping.schedules import Moment

if TYPE_CHECKING:
    import numpy as np

    from plexus.coupling.base import BaseSystem, Packed
    from plexus.deck.schema import Deck
    from plexus.io.lineage import Lineage
    from plexus.io.series import Series
    from plexus.mesh.grid import Grid
    from plexus.mesh.mesh import Mesh
    from plexus.protocols import Controller, Evaluation, Observer, Quantity, Stepper, StepResult
    from plexus.runtime.context import Context
    from plexus.runtime.stop import Verdict


@dataclass(eq=False)
class Run(March):
    """One run on one rank: a march that is watched.

    Attributes
    ----------
    deck, ctx, mesh : what the run is made of, besides system, state, clock, stepper and controller.
    lineage : what tells its checkpoints from those of other runs.
    traced : makes of it the same run at its beginning, on tensors of controls (`plexus.run.trace`).
    quantities : name -> member of kind ``quantity``.
    observers : members of kind ``output``.
    places : deck paths of the observers that the deck names.
    replaced : why learned parts gave way to their fallbacks, in order; such a run ends as degraded.
    stop_reason : why the run stopped early, None while it goes on or when it is done.
    restarted : True when the state came from a checkpoint.
    dry : True when at most two steps are taken and nothing is written.
    """

    system: BaseSystem
    deck: Deck = field(kw_only=True)
    ctx: Context = field(kw_only=True)
    mesh: Mesh | Grid | None = field(kw_only=True)
    lineage: Lineage = field(kw_only=True)
    traced: Callable[[Run, Mapping[str, Any]], Run] | None = field(default=None, kw_only=True)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    observers: list[Observer] = field(default_factory=list)
    places: dict[Observer, str] = field(default_factory=dict)
    stop_reason: str | None = None
    dry: bool = False
    restarted: bool = False
    wall: float = 0.0
    replaced: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the evaluation of fields."""
        self._fields = self.system.evaluation(self.deck.constants)
        self.bounds = Bounds(self)
        self._values: tuple[State, dict[str, float]] | None = None
        self._begin: tuple[dict[str, float], dict[str, float], State] | None = None

    @property
    def fields(self) -> Evaluation:
        """All fields of the present state by name, and what is computed from them."""
        # every step makes a new state: whoever asks sees the present one, and what is known of it is kept
        self._fields.look(self.state)
        return self._fields

    def values(self, cheap: bool = False) -> dict[str, float]:
        """Return all quantities of the deck in the present state; computed once per state. Collective.

        With ``cheap`` without those that need fields of the whole body where a model marches without these.
        """
        # the series and the summary both ask; the state object is replaced by every step
        if self._values is None or self._values[0] is not self.state:
            self._values = self.state, {}
        found = self._values[1]
        with self.ctx.timers("quantities"):
            for name, quantity in self.quantities.items():
                with at_path(f"quantities.{name}"):
                    if name in found or (
                        cheap and not self.system.affords(name, partial(quantity.evaluate, self))
                    ):
                        continue
                    found[name] = float(quantity.evaluate(self))
        return {name: found[name] for name in self.quantities if name in found}

    @cached_property
    def units(self) -> dict[str, str]:
        """Units of the quantities; empty where it is not known or there is none."""
        return {name: q.unit(self) for name, q in self.quantities.items()}

    @cached_property
    def series(self) -> Series:
        """The histories of the run, opened when first asked for; a restart goes on in the file of its folder.

        Ranks other than 0 get empty ones that are never written.
        """
        from plexus.io.series import Series

        path, root = self.ctx.folder / SERIES, self.ctx.root
        earlier = root and self.restarted
        series = Series.resume(path, self.clock.step) if earlier else Series(path if root else None)
        series.texts = dict(self.ctx.texts)
        return series

    @property
    def steps(self) -> int:
        """Number of accepted steps since the start time."""
        return self.clock.step

    @property
    def moment(self) -> Moment:
        """The present instant, as schedules judge it."""
        return Moment(self.clock.step, self.clock.t, self.wall, self.last)

    @property
    def last(self) -> bool:
        """True when no further step follows."""
        return self.clock.done or self.stop_reason is not None

    def checkpoint_state(self) -> tuple[dict[str, Any], Packed]:
        """Return what a restart needs: plain data, and field arrays by name with their spaces. Collective.

        The arrays are those of the state (``state/<field>``), its internal variables
        (``internal/<name>``), of the stepper's memory (``history/<age>/<field>``), of the model's
        (``memory/<name>``) and of outputs (``observed/<name>``), (n_local, m).
        """
        memory, arrays = self.stepper.history()
        meta = {
            "clock": self.clock.state(),
            "stepper": {"type": self._stepper_name, **memory},
            "controller": self.controller.state(),
            "observers": {key: o.state() for key, o in self._keyed()},
            "random": self.ctx.rng.bit_generator.state,
            "model": self.system.facts(),
            "totals": self.system.totals(),
            "replaced": list(self.replaced),
            "bounds": self.bounds.state(),
        }
        state = keyed("state", self.state.values) | keyed("internal", self.state.internal)
        return meta, self.system.pack(state | arrays) | self.system.memory() | self._watched()

    def expect(self, meta: Mapping[str, Any]) -> None:
        """Make room for what `restore_state` is to take, where a model may have grown. Collective."""
        self.system.expect(meta.get("model", {}))

    def layout(self) -> dict[Key, Any]:
        """Return the space of every array of the state, as a checkpoint of this run has them."""
        # how wide the rows of observers are depends on what they have seen
        rooms = [keyed("room", o.rooms(self)) for o in self.observers if isinstance(o, Keeps)]
        return self.system.layout(self.state) | {key: space for room in rooms for key, space in room.items()}

    def _watched(self) -> Packed:
        """Return what observers remember at points. Collective."""
        found: Packed = {}
        for o in self.observers:
            if isinstance(o, Keeps):
                rooms = o.rooms(self)
                found |= {Key("observed", n): (rooms[n], rows) for n, rows in o.kept(self).items()}
        return found

    def restore_state(self, meta: Mapping[str, Any], fields: Mapping[Key, np.ndarray]) -> None:
        """Continue from what `checkpoint_state` returned, read back on any number of ranks. Collective.

        Unknowns that the checkpoint does not hold keep their initial values, those that the run does not have
        are left out; another stepper than the checkpoint's starts without memory.
        """
        self.clock.restore(meta["clock"])
        self.system.adopt(meta.get("model", {}))
        self.system.add_up(meta.get("totals", {}))
        self.replaced = list(meta.get("replaced", ()))
        self.bounds.restore(meta.get("bounds", {}))
        own = {key: a for key, a in fields.items() if key.field in self.state.values}
        values = {**self.state.values, **by_field("state", self.system.unpack(of_group("state", own)))}
        internal = by_field("internal", fields)
        self.state = State(values, self.clock.t, self.clock.step, internal)
        self.system.recall(of_group("memory", fields))
        # another formula cannot use this memory; it starts as at the beginning, from the restored state
        if meta["stepper"].get("type") == self._stepper_name:
            self.stepper.restore(meta["stepper"], self.system.unpack(of_group("history", own)))
            self.controller.restore({**self.controller.state(), **meta["controller"]})
        self.controller.rejected = int(meta["controller"].get("rejected", 0))
        for key, observer in self._keyed():
            if key in meta["observers"]:
                observer.restore(meta["observers"][key])
            if isinstance(observer, Keeps):
                self._hand_back(observer, by_field("observed", fields))
        self.ctx.rng.bit_generator.state = meta["random"]
        self.restarted = True

    def _hand_back(self, observer: Keeps, rows: Mapping[str, np.ndarray]) -> None:
        """Give an observer the rows that it kept, where the checkpoint has all of them. Collective."""
        mine = observer.rooms(self)
        if mine.keys() <= rows.keys():
            observer.take({name: rows[name] for name in mine})

    @property
    def _stepper_name(self) -> str:
        """Name of the stepper in the deck."""
        return self.deck.time.stepper.type if self.deck.time else "steady"

    def _keyed(self) -> list[tuple[str, Observer]]:
        """Return the observers with keys that survive other outputs being added behind them."""
        names = [type(o).__name__ for o in self.observers]
        return [(f"{name} {names[:i].count(name)}", self.observers[i]) for i, name in enumerate(names)]

    def execute(self) -> None:
        """March to the end, or until a stop is requested; observers look on. Collective."""
        if self.system.parts:
            self._begin = self.clock.state(), self.controller.state(), self.state
        self.bounds.begin()
        self._observe(lambda o: o.start(self), every=True)
        # the guess of a steady solve is no result, the initial state of a march is one
        if self.stepper.marches:
            self._observe(lambda o: o.observe(self))
        for state in self.march():
            if self.dry and state.step >= 2:
                break
        self._observe(lambda o: o.finish(self), every=True)

    def march(self, until: float = math.inf) -> Iterator[State]:
        """Yield the state after each step, up to the time ``until`` [s] or the end of the run. Collective.

        Observers that are due see the state first.
        """
        while not self.last and self.clock.t < until:
            verdict = self._step(until)
            # a request that comes with the last step changes nothing: the run is done, not stopped
            self.wall, self.stop_reason = verdict.wall, None if self.clock.done else verdict.reason
            self._observe(lambda o: o.observe(self))
            yield self.state

    def limit(self) -> float:
        """Return the longest stable step of explicit methods [s]. Collective."""
        return self.system.longest(self.state.values, self.clock.t)

    def attempt(self, t: float, dt: float) -> StepResult:
        """Return what one step of length ``dt`` from ``t`` leads to. Collective."""
        with self.ctx.timers("solve"):
            return super().attempt(t, dt)

    def repeat(self, dt: float, failure: SolveError | GuardError) -> None:
        """Let the controller choose a shorter step; where it cannot, say which coefficients are zero."""
        try:
            super().repeat(dt, failure)
        except GuardError as error:
            lost = inspect.lost(self)
            raise type(error)("\n".join([str(error), *lost])) from error
        except SolveError as error:
            zeros = inspect.lost(self) or inspect.vanishing(self)
            raise type(error)("\n".join([str(error), *zeros])) from error
        self.ctx.log.info(f"step of {dt:.4g} s repeated: {failure}")

    def _line(self, dt: float, result: StepResult) -> str:
        """Return one line about an accepted step for the log file."""
        told = [f"{name} {n} iterations" for name, n in result.iterations.items()]
        told += [] if result.error is None else [f"error {result.error:.3g}"]
        line = f"step {self.clock.step}, t = {self.clock.t:.6g} s, dt = {dt:.4g} s"
        return ": ".join(filter(None, [line, ", ".join(told)]))

    def _target(self, until: float) -> float:
        """Return the next time that an observer or a load prescribes, at most ``until``."""
        times = [self.events.next_time(self.clock.t)]
        times += [o.schedule.next_time(self.clock.t) for o in self.observers]
        return min([until, *(t for t in times if t is not None)])

    def _step(self, until: float) -> Verdict:
        """Take one step, let guards judge it and decide together whether to go on. Collective.

        Where a learned part may have spoiled the state, it gives way to its fallback and the run goes back to
        the last checkpoint.
        """
        try:
            before, result = self.clock.t, self.advance(self._target(until))
            self.ctx.log.detail(self._line(self.clock.t - before, result))
            verdict = self._agree()
            self.bounds.look()
        # a failed solve and a lost value are known to all ranks alike
        except (SolveError, GuardError) as error:
            if self.dry or not rescue.rescue(self, str(error)):
                raise
            verdict = self._agree()
        for happened in self.system.watch(self.clock.step):
            self.note_replacement(happened)
        return verdict

    def begin_again(self) -> None:
        """Go back to the state with which this process began; stepper and model forget what they remember."""
        assert self._begin is not None, "only systems with learned parts keep their first state"
        clock, controller, state = self._begin
        self.clock.restore(clock)
        self.controller.restore(controller)
        self.state = replace(state)
        self.stepper = stepper_of(self.deck, self.controller.tolerance)
        self.system.recall({})
        self.restarted = True

    def note_replacement(self, why: str) -> None:
        """Remember and tell that a learned part was replaced."""
        self.replaced.append(why)
        self.ctx.log.info(f"warning: at t = {self.clock.t:.6g} s: {why}")

    def _agree(self) -> Verdict:
        """Decide together whether to go on; name field and place where a value is not finite. Collective."""
        try:
            with self.ctx.timers("agreement"):
                every = {**self.state.values, **self.state.internal}
                finite = not self.deck.runtime.nan_guard or self.system.finite(every)
                return self.ctx.stop.agree(finite)
        except GuardError as error:
            blamed = self.system.blame(self.state)
            text = next((text for text in blamed if text), str(error))
            raise GuardError("\n".join([text, *inspect.lost(self)])) from None

    def _observe(self, act: Callable[[Observer], None], every: bool = False) -> None:
        """Call the observers: all of them, or those that are due."""
        if self.dry:
            return
        # one moment for all: an observer that takes long must not make the next one due
        now = self.moment
        for observer in self.observers:
            if every or observer.schedule.due(now):
                place = self.places.get(observer)
                with self.ctx.timers("output"), at_path(place) if place else nullcontext():
                    act(observer)


def stepper_of(deck: Deck, tolerance: float | None) -> Stepper:
    """Return the stepper of a deck; without a ``time`` block the steady one."""
    if deck.time is None:
        steady = registry.component("stepper", "steady")
        made: Stepper = steady.cls(steady.params())
    else:
        made = registry.build("stepper", deck.time.stepper, tolerance)
    return made


def marching(deck: Deck) -> tuple[Clock, Controller]:
    """Return clock and step control of a deck; one step at the start time where nothing marches."""
    time = deck.time
    # a steady stepper inside a time block solves once, under the loads of the start time
    method: Any = registry.component("stepper", time.stepper.type).cls if time else None
    if time is None or not method.marches:
        start, fixed = time.start if time else 0.0, registry.component("controller", "fixed")
        return Clock(start, start), fixed.cls(fixed.params(), 0.0, 0.0)
    control = registry.build("controller", time.control, time.step, time.end - time.start)
    return Clock(time.start, time.end), control
