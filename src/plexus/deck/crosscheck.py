"""Checks of one block of the deck against another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from plexus import registry
from plexus.deck import controls, flexible, places
from plexus.deck.context import Context
from plexus.deck.discretisation import made_for
from plexus.deck.expressions import Expression
from plexus.deck.functions import ARITY, CONSTANTS
from plexus.deck.kinship import mismatches, part_problems, reduced_problems, training_problems
from plexus.deck.suggest import nearest
from plexus.deck.syntax import COORDINATES
from plexus.deck.units import Quantity, UnitError
from plexus.deck.values import refuse, stated
from plexus.errors import PlexusError
from plexus.protocols import Selects


def numbers(parameters: Mapping[str, Any]) -> dict[str, float]:
    """Return the parameters that are numbers; one with a unit is a `Quantity`, its value in SI units."""
    result: dict[str, float] = {}
    for name, value in parameters.items():
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            continue
        try:
            if isinstance(value, str):
                result[name] = stated(value)
            else:
                result[name] = value if isinstance(value, Quantity) else float(value)
        except (UnitError, OverflowError):
            continue  # text: usable in ${...} only
    return result


def learn_fields(params: Any, context: Context) -> None:
    """Note the unknowns, derived fields and accepted boundary terms of the chosen physics."""
    cls: Any = registry.component("physics", params.type).cls
    try:
        # making the model needs no mesh, and finds what the material lacks for it
        made_for(params.type).learn(cls, params, context)
    except PlexusError as error:
        raise _at_its_place(str(error)) from None


def _at_its_place(text: str) -> Exception:
    """Return the error of a component, at the parameter that its message starts with, if it does."""
    place, colon, rest = text.partition(": ")
    if not (colon and place.startswith("physics.")):
        return refuse(text)
    return ValidationError.from_exception_data("physics", [_detail(tuple(place.split(".")[1:]), rest)])


NOTHING = {
    "regions": "no cell fulfils this condition",
    "boundaries": "no outer facet fulfils this condition",
    "curves": "no edge fulfils this condition at both ends",
    "points": "no vertex fulfils this condition",
}
"""What is said of conditions of a mesh that nothing fulfils."""


def learn_mesh(params: Any, context: Context) -> None:
    """Note the dimension and names that the mesh source knows without building the mesh.

    Raises
    ------
    ValidationError
        At conditions that no cell or facet fulfils.
    """
    source = registry.build("mesh", params)
    missed = list(source.missed()) if isinstance(source, Selects) else []
    if missed:
        details = [_detail(key, NOTHING[key[0]]) for key in missed]
        raise ValidationError.from_exception_data("mesh", details)
    facts = source.known()
    if facts is not None:
        context.dim, context.boundaries, context.regions = facts.dim, facts.boundaries, facts.regions
        context.skeleton = facts.skeleton


def check_output_names(outputs: Sequence[Any]) -> None:
    """Refuse a second output of the same type under the same name: both would write the same file or table.

    Raises
    ------
    pydantic.ValidationError
        At the second one.
    """
    first: dict[tuple[str, str], int] = {}
    errors = []
    for number, output in enumerate(outputs):
        name = getattr(output, "name", None)
        before = first.setdefault((output.type, name), number) if name is not None else number
        if before != number:
            errors.append(
                _detail((number,), f"output[{before}] writes {name!r} already; give this one a name")
            )
    if errors:
        raise ValidationError.from_exception_data("output", errors)


def with_names_of_blocks(data: Any, handler: Any, context: Context) -> Any:
    """Validate the root, then the names by which blocks refer to each other."""
    errors: list[InitErrorDetails] = []
    result = None
    try:
        result = handler(data)
    except ValidationError as error:
        errors = [_detail(e["loc"], e["msg"]) for e in error.errors(include_url=False)]
    if result is not None:
        found = (
            *part_problems(result),
            *made_for(result.physics.type).problems(result),
            *reduced_problems(result),
            *flexible.problems(result),
            *controls.problems(result, context),
            *controls.gradients(result, context),
            *_of_blocks(result, context),
            *places.lost_in_time(result),
            *places.taken_for_units(result, context.field_names()),
            *_references_in_units(result, context),
        )
        errors += [_detail(loc, text) for loc, text in found]
    if isinstance(data, dict):
        errors += [_detail(loc, text) for loc, text in (*_references(data, context), *mismatches(data))]
    if errors:
        raise ValidationError.from_exception_data("deck", errors)
    return result


def _of_blocks(deck: Any, context: Context) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield what does not go together with the blocks that few decks have; only theirs is imported."""
    if deck.train is not None:
        from plexus.deck import solved

        yield from training_problems(deck)
        yield from solved.problems(deck)
    if deck.sweep is not None:
        from plexus.deck import sweep

        yield from sweep.problems(deck)
    if deck.campaign is not None:
        from plexus.deck import campaign

        yield from campaign.problems(deck)
    if deck.calibrate is not None:
        from plexus.deck import calibrate

        yield from calibrate.problems(deck)
    if any(o.type == "cycles" for o in deck.output) or any(
        q.type == "shortest_life" for q in deck.quantities.values()
    ):
        from plexus.deck import lifing

        yield from lifing.problems(deck, context)


def _detail(loc: tuple[Any, ...], text: str) -> InitErrorDetails:
    return {"type": PydanticCustomError("deck", "{text}", {"text": text}), "loc": loc, "input": None}


def _no_column(name: str) -> str | None:
    """Return why a name cannot be that of a column of a table of histories; None if it can."""
    if name in ("step", "time"):
        return f"{name!r} is a column of every history already; choose another name"
    if "/" in name or not name.isprintable():
        return f"{name!r}: a name has no '/', no line end and nothing that cannot be printed"
    if name != name.strip() or not name.strip(".") or len(name) > 100:
        return f"{name!r} is not a name: up to 100 characters, no space at its ends, not dots alone"
    return None


def _references_in_units(deck: Any, context: Context) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the references whose unit is not that of their quantity, where no mesh is needed to tell."""
    for number, check in enumerate(deck.verification):
        quantity = deck.quantities.get(check.quantity)
        of = getattr(quantity, "of", None)
        # an integral counts with lengths that only the mesh tells
        if isinstance(of, Expression) and quantity.type in ("mean", "minimum", "maximum", "value"):
            name, _, text = check.unfit(of.computed_unit(context.unit_of)).partition(": ")
            if text:
                yield ("verification", number, name), text


def _references(data: dict[str, Any], context: Context) -> list[tuple[tuple[Any, ...], str]]:
    found: list[tuple[tuple[Any, ...], str]] = []
    solver = data.get("solver")
    # A parameter, control or drawn field with such a name would silently change what expressions mean.
    taken = {*COORDINATES, *ARITY, *CONSTANTS, *(context.fields or ())}
    for block in ("parameters", "controls", "samples", "tables"):
        names = data.get(block)
        for name in names if isinstance(names, dict) else ():
            if name in taken:
                text = f"{name!r} already has a meaning in expressions; choose another name"
                found.append(((block, name), text))
            elif not str(name).isidentifier():
                found.append(((block, name), f"{name!r} is not a name: use letters, digits and _"))
        taken |= {*names} if isinstance(names, dict) else set()
    for name in solver if isinstance(solver, dict) and context.unknowns is not None else ():
        if name not in (*(context.unknowns or ()), "default"):
            valid = [*(context.unknowns or ()), "default"]
            found.append((("solver", name), f"no unknown is called {name!r}{nearest(name, valid)}"))
        elif name in context.leaders:
            first = context.leaders[name]
            text = (
                f"{name} is solved together with {first}: write solver.{first}, with fieldsplit for its part"
            )
            found.append((("solver", name), text))
    quantities, checks = data.get("quantities"), data.get("verification")
    for name in quantities if isinstance(quantities, dict) else ():
        if problem := _no_column(str(name)):
            found.append((("quantities", name), problem))
    names = list(quantities) if isinstance(quantities, dict) else []
    for i, item in enumerate(checks if isinstance(checks, list) else ()):
        name = item.get("quantity") if isinstance(item, dict) else None
        if isinstance(name, str) and name not in names:
            hint = nearest(name, names) or "; the deck has no quantities" * (not names)
            found.append((("verification", i, "quantity"), f"no quantity is called {name!r}{hint}"))
    return found
