"""A linear system: problem → rows → form → solver → first guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.coupling.algebraic import AlgebraicSystem
from plexus.models.algebraic.form import AlgebraicForm
from plexus.protocols import Assembled
from plexus.solvers.packages import available
from plexus.solvers.systems import SystemSolver
from plexus.solvers.target import Target

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


def assemble(deck: Deck, ctx: Context, t: float) -> Assembled:
    """Return the system and its first guess at time ``t``; there is no mesh. Collective."""
    model: Any = registry.build("physics", deck.physics)
    with ctx.timers("matrix"):
        layout = model.problem.layout(ctx.comm)
        form = AlgebraicForm(model.problem, layout, t)
    (spec,) = model.fields(deck.physics)
    target = _target(form, spec.name, ctx.comm.size)
    path = "solver." + (spec.name if spec.name in deck.solver or "default" not in deck.solver else "default")
    solver = SystemSolver(form, deck.solver_for(spec.name), target, ctx, path)
    system = AlgebraicSystem(spec, form, solver, deck.initial.get(spec.name, ()))
    system.include({}, solver.contexts.parts)
    return Assembled(None, system, system.start())


def _target(form: AlgebraicForm, name: str, ranks: int) -> Target:
    """Return the facts that defaults depend on."""
    space = form.space
    return Target(
        name=name,
        size=space.n_global * space.components,
        # without a place the fill of a factorisation is anyone's guess: that of a body
        dim=len(form.layout.cells) or 3,
        components=space.components,
        ranks=ranks,
        rigid=form.system.near is not None and form.system.near.shape[1] > space.components,
        linear=True,
        singular=not form.problem.definite,
        packages=available(),
        definite=form.problem.definite,
    )
