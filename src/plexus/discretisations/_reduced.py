"""What no reduced model of a solid is made of, and what it does not take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plexus import registry
from plexus.protocols import Balances, Equation, Found, Reducible
from plexus.reduction.terms import TAKEN


def reduced(deck: Any, equations: Sequence[Equation]) -> Iterator[Found]:
    """Yield what no reduced model is made of, and what it does not take."""
    block = "rom" if deck.rom is not None else "reduce"
    params = getattr(deck, block)
    if params is None or params.type not in ("galerkin", "dictionary"):
        return
    if len(equations) > 1 or not isinstance(equations[0], Reducible):
        yield (block,), f"reduced models are made of elastoviscoplastic, not of {deck.physics.type}"
        return
    if not equations[0].internal:
        why = "a law without memory is marched by few linear solves, and there are no points to choose by"
        yield ("physics", "law"), f"a reduced model needs a law with memory: {why}"
    if deck.time is None:
        yield (block,), "a reduced model marches in time, and the deck is steady"
    if deck.reduce is not None and deck.reduce.type == "dictionary":
        yield from several(deck.reduce, equations[0])
    if getattr(deck.rom, "duals", "") == "none":
        yield from forgetful(deck, equations[0])
    several_models = "dictionary" in (getattr(deck.rom, "type", ""), getattr(deck.reduce, "type", ""))
    for i, condition in enumerate(deck.boundary):
        for name, entries in condition.values.items():
            if several_models and any(e is not None and e.constant != 0 for e in entries):
                yield ("boundary", i, name), "models of a dictionary take no prescribed value but 0"
        for entry in condition.normals.values():
            if entry.constant != 0:
                yield ("boundary", i, "normal"), "a reduced model takes no value along a normal but 0"
        for kind in sorted(set(condition.terms) - set(TAKEN)):
            yield ("boundary", i, kind), f"a reduced model takes {', '.join(TAKEN)}, and no {kind}"


def several(block: Any, equation: Equation) -> Iterator[Found]:
    """Yield what a dictionary compares or reads and the equation does not have."""
    unknown = equation.field.name
    known = [unknown, *(spec.name for spec in equation.internal)]
    if block.of not in known:
        yield ("reduce", "of"), f"there is no {block.of!r}; there are {', '.join(known)}"
    elif block.dissimilarity == "angles" and block.of != unknown:
        yield ("reduce", "of"), f"angles compares spaces of the unknown: say of: {unknown}"
    shown = [derived.spec.name for derived in equation.derived()]
    if block.load not in shown:
        yield ("reduce", "load"), f"there is no field {block.load!r}; there are {', '.join(shown)}"
    if block.clusters is not None and block.clusters > block.most:
        yield ("reduce", "clusters"), f"more than the {block.most} of `most`"


def forgetful(deck: Any, equation: Equation) -> Iterator[Found]:
    """Yield what a deck asks for that needs the memory of the whole body."""
    lost = {spec.name for spec in equation.internal} | {d.spec.name for d in equation.derived() if d.stored}
    text = "reads the memory of the whole body, which `rom.duals: none` does not keep: take replay or gappy"

    def read(of: Any) -> list[str]:
        """Return which of these a name or an expression has, components among them."""
        names = [of] if isinstance(of, str) else getattr(of, "names", ())
        return sorted(n for n in names if n in lost or n.rpartition("_")[0] in lost)

    for name, quantity in deck.quantities.items():
        for found in read(getattr(quantity, "of", None)):
            yield ("quantities", name, "of"), f"{found} {text}"
        if getattr(registry.component("quantity", quantity.type).cls, "needs", None) is Balances:
            yield ("quantities", name), f"{quantity.type} {text}"
    for i, output in enumerate(deck.output):
        named = getattr(output, "fields", ())
        # a series says whether it has fields at all
        for found in (n for name in (named if isinstance(named, tuple) else ()) for n in read(name)):
            yield ("output", i, "fields"), f"{found} {text}"
        if output.type == "cycles":
            yield ("output", i), f"cycles {text}"
    for name in deck.runtime.guard:
        for found in read(name):
            yield ("runtime", "guard", name), f"{found} {text}"
    if deck.rom.indicator is not None:
        yield ("rom", "indicator"), f"an alarm {text}"
