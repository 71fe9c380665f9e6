"""`plexus reduce` of some draws of a sweep: one basis and one cubature for fields that are drawn at random.

Marched by the full model are the draws that differ most. The elastic responses of all draws whose values the
others are sums of join the displacements and stresses of these marches, so that what the body does while it
is elastic is known for every draw.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.compose import compose
from plexus.deck.reduce import Reduce
from plexus.offline.drawn import Drawn, deck_of
from plexus.offline.history import History
from plexus.offline.main import finished, kept_of, reducible, require_balance, solved
from plexus.offline.snapshots import Snapshots
from plexus.offline.whole import let_go, require_end, require_held
from plexus.reduction.loads import Loads, require_separable
from plexus.reduction.measures import mass
from plexus.reduction.model import Kept
from plexus.reduction.origin import material
from plexus.reduction.pod import pod
from plexus.reduction.responses import Elastic, span, spans
from plexus.reduction.times import few, sampled

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context

Array = np.ndarray


class Gathered:
    """What marches and responses leave. Construction is collective.

    Parameters
    ----------
    run : Run
        A run of the deck's full model.
    block : Reduce
        What the deck says.
    """

    def __init__(self, run: Run, block: Reduce):
        system: Any = run.system
        equation = system.equations[0]
        self.name, self.block = equation.field.name, block
        self.form, self.points = system.forms[self.name], system.quadrature
        self.comm = self.form.space.comm
        self.snapshots = Snapshots(self.form, self.points, kept_of(equation, block.duals), block)
        self.forces = self.imbalance = 0.0
        self.temperatures = np.zeros((self.points.n_owned, 0))
        self.spans: tuple[Array, Array] | None = None
        self.responses = 0

    def march(self, run: Run) -> None:
        """March a draw to its end and keep what it leaves. Collective."""
        found = History(run.system, self.name, self.snapshots)  # type: ignore[arg-type]
        run.observers = []
        for _ in run.march():
            found.keep(run)
        require_end(run)
        require_balance(found.balance, self.block.balance)
        self.forces = max(self.forces, found.balance.scale)
        self.imbalance = max(self.imbalance, found.balance.worst)

    def respond(self, run: Run, drawn: Drawn, numbers: list[int]) -> None:
        """Keep the elastic responses to all loads and to the temperatures of some draws. Collective."""
        system: Any = run.system
        start, times, instants = run.deck.time.start, sampled(run.deck), few(run.deck)  # type: ignore[union-attr]
        elastic, space = Elastic(system, start), self.form.space
        loads = Loads(self.form, self.form.equation.load, elastic.given, times, space.zeros()[:, :, None])
        warm = []
        for number in numbers:
            drawn.put(number)
            elastic = Elastic(system, start)
            if self.spans is None:
                self.spans = spans(loads, elastic, times)
                shapes = elastic.shapes(loads, instants)
            else:
                shapes = elastic.thermal(loads, instants)
            warm.append(elastic.warmth(times))
            if self.block.responses and shapes:
                answers = elastic.respond(shapes)
                for u, stress in zip(answers.fields.T, answers.stresses, strict=True):
                    self.snapshots.fields.add(u.reshape(space.n_local, space.components).copy())
                    self.snapshots.stresses.add(stress)
                self.responses += len(answers.stresses)
        self.temperatures = span(self.comm, np.concatenate(warm, axis=1))
        solved(system, self.name)


def reduce(deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any]]:
    """March draws of the deck's sweep and write one model of them; return the last run and facts. Collective.

    Raises
    ------
    InputError
        If the physics cannot be reduced, draws go below absolute zero, or forces are out of balance.
    SolveError
        If a march or the cubature fails.
    """
    block = deck.reduce
    assert isinstance(block, Reduce) and block.draws is not None
    run = compose(deck_of(deck, 0), ctx)
    system: Any = run.system
    require_separable(system.forms[reducible(run).field.name])
    found = Gathered(run, block)
    require_held(run, found.name)
    drawn = Drawn(deck, system)
    drawn.require_warm()
    numbers = drawn.farthest
    trained = numbers[: block.draws]
    ctx.log.info(f"{deck.sweep.samples} draws are sums of {len(numbers)} of them")  # type: ignore[union-attr]
    for place, number in enumerate(trained):
        ctx.log.info(f"training draw {place + 1} of {len(trained)}: number {number}")
        # what one draw comes to is no result of their model
        run = compose(deck_of(deck, number).model_copy(update={"quantities": {}}), ctx)
        found.march(run)
        let_go()
    told = {"draws": trained, "shapes": len(numbers), "material": material(deck)}
    with ctx.timers("reduction"):
        found.respond(run, Drawn(deck, run.system), numbers)  # type: ignore[arg-type]
        facts = _written(run, found, ctx, told)
    return run, facts


def _written(run: Run, found: Gathered, ctx: Context, told: dict[str, Any]) -> dict[str, Any]:
    """Make basis and cubature of what was found, write them, and return the facts. Collective."""
    block, form, comm, space = found.block, found.form, found.comm, found.form.space
    snapshots, fields = found.snapshots, found.snapshots.fields
    columns = np.column_stack([u.ravel() for u in fields.rows])
    basis = pod(comm, columns, partial(mass, form), block.tolerance, block.modes, fields.left)
    assert found.spans is not None
    kept = Kept(
        snapshots.stresses.decomposed(),
        {n: rows.decomposed(block.tolerance) for n, rows in snapshots.memory.items()},
        found.spans[0],
        found.temperatures,
        np.zeros((space.n_local, space.components, 0)),
    )
    told |= {
        "snapshots": snapshots.count, "forces": found.forces, "imbalance": found.imbalance,
        "responses": found.responses, "lifts": 0, "spectrum": basis.spectrum.tolist(), "left": fields.left,
        "largest": snapshots.largest, "memory_tolerance": block.tolerance,
    }  # fmt: skip
    return finished(run, ctx.folder / block.file, basis.modes, kept, told).facts
