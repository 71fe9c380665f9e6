"""Items of the ``boundary:`` list and values of ``initial:``, which are keyed by field names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Annotated, Any

from pydantic import ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from plexus import registry
from plexus.deck.context import AXES, Context, components, known, only
from plexus.deck.expressions import Expression
from plexus.deck.facets import SCHEMA
from plexus.deck.params import FacetNames, Field, Params, Unit
from plexus.deck.slots import parameters
from plexus.deck.suggest import nearest
from plexus.deck.syntax import COORDINATES
from plexus.deck.values import convert, expression, fit, refuse
from plexus.protocols import FieldSpec
from plexus.protocols.facets import Facets

PLACES = ("on", "at")
"""Keys of a condition that tell where it holds."""
NOWHERE = Facets(())
Components = tuple[Expression | None, ...]
"""One entry per component of a field; None leaves the component free. May be longer than the dimension."""


class Condition(Params):
    """What holds on one or several named boundaries, curves or points, or at one position.

    A key that is a field (``temperature``) or a component (``displacement_x``) prescribes its value; a key
    ``normal`` prescribes the component of the vector unknown along the outward normal (0: a support that
    slides along the boundary, however it is inclined); a key that is a member of kind ``boundary``
    (``convection``) adds that term.
    """

    on: FacetNames = Field(
        NOWHERE,
        description="name or list of names of boundaries, curves or points; "
        "A|B where two regions meet, {interface: NAME, from: REGION} for one side inside the body",
    )
    at: tuple[Annotated[float, Unit("m")], ...] | None = Field(
        None, description="a position instead of a name: a force acts there, values hold at its node"
    )
    values: dict[str, Any] = Field({}, description="field name -> prescribed values, one per component")
    normals: dict[str, Any] = Field({}, description="field name -> prescribed value along the outward normal")
    terms: dict[str, Any] = Field({}, description="boundary term -> its parameters")

    @field_validator("at")
    @classmethod
    def _in_this_mesh(cls, value: tuple[float, ...] | None, info: ValidationInfo) -> tuple[float, ...] | None:
        dim = known(info).dim
        if value is not None and len(value) != (dim or len(value)):
            raise refuse(f"a position in a {dim}-D mesh has {dim} coordinates, not {len(value)}")
        return value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Return names, boundary terms, and any other key as the value of a field."""
        short = {"type": ["number", "string", "array"], "description": "short form of the term"}
        terms: dict[str, Any] = {
            n: {"anyOf": [{"$ref": f"#/$defs/boundary.{n}"}, short]} for n in registry.names("boundary")
        }
        value = {"type": ["number", "string", "array"], "description": "prescribed value of a field"}
        position = {"type": "array", "items": {"type": ["number", "string"]}, "maxItems": 3}
        terms["normal"] = value
        properties = {"on": SCHEMA, "at": position, "include": {"type": ["string", "array"]}, **terms}
        return {"type": "object", "properties": properties, "additionalProperties": value}

    @model_validator(mode="wrap")
    @classmethod
    def _sort(cls, data: Any, handler: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            raise refuse("expected a mapping such as {on: left, temperature: 300 K}")
        parsed: dict[str, dict[str, Any]] = {"values": {}, "normals": {}, "terms": {}}
        errors: list[InitErrorDetails] = []
        for key, value in data.items():
            # places go through the model's own validation below, together with what is found here.
            if key in PLACES:
                continue
            try:
                _sort_key(str(key), value, parsed, info)
            except ValidationError as error:
                errors += [_detail((key, *e["loc"]), e["msg"]) for e in error.errors(include_url=False)]
            except PydanticCustomError as error:
                errors.append(_detail((key,), error.message()))
        result = None
        try:
            # Called in any case, so that a missing `on` is told beside wrong values.
            result = handler({**{key: data[key] for key in PLACES if key in data}, **parsed})
        except ValidationError as error:
            errors = [_detail(e["loc"], e["msg"]) for e in error.errors(include_url=False)] + errors
        if result is not None and not errors:
            found = misplaced(result, known(info).skeleton)
            errors += [_detail((kind,), text) for kind, text in found]
        if not any(key in data for key in PLACES):
            errors.append(_detail(("on",), "required but missing: a name, or `at` with a position"))
        elif result is not None and "on" in data and not result.on:
            errors.append(_detail(("on",), "needs at least 1 items, has 0"))
        elif len(data) > 1 and all(key in data for key in PLACES):
            errors.append(_detail(("at",), "a condition has a name or a position, not both"))
        if not errors and len(data) == 1:
            errors.append(_detail((), "says nothing about the boundary: add a field's value or a term"))
        if errors:
            raise ValidationError.from_exception_data("boundary", errors)
        return result


def _detail(loc: tuple[Any, ...], text: str) -> InitErrorDetails:
    return {"type": PydanticCustomError("deck", "{text}", {"text": text}), "loc": loc, "input": None}


def misplaced(condition: Condition, skeleton: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the terms of a condition that cannot stand on a curve or point that it names, and why."""
    bare = ["a position" if condition.at is not None else "", *(n for n in condition.on if n in skeleton)]
    for kind in ("normal",) if condition.normals else ():
        for name in filter(None, bare):
            yield kind, f"{name} has no normal: prescribe components"
    for kind in condition.terms:
        member: Any = registry.component("boundary", kind).cls
        if member.skeleton:
            if len(bare) - 1 not in (0, len(condition.on)):
                yield kind, f"{bare[1]} is a curve or a point: a boundary cannot share the {kind} with it"
            continue
        for name in filter(None, bare):
            what = name if name == bare[0] else f"{name} is a curve or a point, and"
            yield kind, f"{what} has no area for {kind}: values are prescribed there, or a force in newtons"


def _sort_key(key: str, value: Any, parsed: dict[str, dict[str, Any]], info: ValidationInfo) -> None:
    context = known(info)
    members = registry.names("boundary")
    if context.unknowns is None:  # the physics itself is wrong: only terms can be understood
        if key in members:
            parsed["terms"][key] = parameters("boundary", key, value, info)
        return
    # Fields go first: a model whose unknown is called pressure prescribes it under that name.
    found = _field_of(key, context)
    if found:
        spec, axis = found
        values = field_values(value, spec, info) if axis is None else _one(value, spec, axis, info)
        before = parsed["values"].get(spec.name, ())
        parsed["values"][spec.name] = _joined(before, values, key)
        return
    if key == "normal" and len(context.normals) == 1:
        (name,) = context.normals
        parsed["normals"][name] = _value(value, context.unknowns[name], info)
        return
    accepted = members if context.terms is None else [m for m in members if m in context.terms]
    if key not in accepted:
        fields = [n for s in context.unknowns.values() for n in (s.name, *components(s, context.dim))]
        why = (
            "this physics does not accept the boundary term"
            if key in members
            else "unknown field or boundary term"
        )
        raise refuse(f"{why}{nearest(key, [*fields, *accepted, 'on'], 14)}")
    parsed["terms"][key] = parameters("boundary", key, value, info)


def _field_of(key: str, context: Context) -> tuple[FieldSpec, int | None] | None:
    for spec in (context.unknowns or {}).values():
        if key == spec.name:
            return spec, None
        if key in components(spec, context.dim):
            return spec, AXES.index(key[-1])
    return None


def _value(value: Any, spec: FieldSpec, info: ValidationInfo) -> Expression:
    with only(info, COORDINATES):  # prescribed and initial values know no other field
        unit = None if spec.name in known(info).open else spec.unit
        parsed = expression(value if unit is None else convert(value, unit, True, known(info)), info)
        if unit is not None:
            fit(parsed, unit)
    return parsed


def _one(value: Any, spec: FieldSpec, axis: int, info: ValidationInfo) -> Components:
    return tuple(_value(value, spec, info) if i == axis else None for i in range(known(info).dim or 3))


def _joined(before: Components, after: Components, key: str) -> Components:
    # `displacement: [0, null]` and `displacement_y: 1 mm` complete each other; overlaps contradict.
    if any(a is not None and b is not None for a, b in zip(before, after, strict=False)):
        raise refuse(f"{key} is prescribed twice")
    longest = max(len(before), len(after))
    pad = [(*c, *([None] * (longest - len(c)))) for c in (before, after)]
    return tuple(b if a is None else a for a, b in zip(*pad, strict=True))


def field_values(value: Any, spec: FieldSpec, info: ValidationInfo) -> Components:
    """Return one expression per component from a number, an expression, or a list with nulls.

    A single value for a vector field counts for every component.

    Raises
    ------
    PydanticCustomError
        If the number of components or a value is wrong.
    """
    dim = known(info).dim
    if spec.shape == "scalar":
        if isinstance(value, list):
            raise refuse(f"{spec.name} is a scalar: expected one value, not a list")
        return (_value(value, spec, info),)
    if not isinstance(value, list):
        # Three entries when the dimension is unknown; the run takes as many as the mesh needs.
        return (_value(value, spec, info),) * spec.components(dim or 3)
    allowed = [spec.components(dim)] if dim else [spec.components(d) for d in (1, 2, 3)]
    if len(value) not in allowed:
        raise refuse(f"{spec.name} has {' or '.join(map(str, allowed))} components, not {len(value)}")
    result: list[Expression | None] = []
    errors: list[InitErrorDetails] = []
    for i, item in enumerate(value):
        try:
            result.append(None if item is None else _value(item, spec, info))
        except PydanticCustomError as error:
            errors.append(_detail((i,), error.message()))
    if errors:
        raise ValidationError.from_exception_data(spec.name, errors)
    return tuple(result)


def initial_values(value: Any, info: ValidationInfo) -> dict[str, Components]:
    """Return field name -> expressions for the ``initial:`` block.

    Raises
    ------
    ValidationError
        With one entry per wrong field.
    """
    context, result, errors = known(info), {}, []
    if not isinstance(value, dict):
        raise refuse("expected a mapping such as {temperature: 300 K}")
    if context.unknowns is None:
        return {}
    known_fields = context.unknowns if context.starts is None else context.starts
    for name, item in value.items():
        spec = known_fields.get(name)
        try:
            if spec is None:
                raise refuse(f"unknown field {name!r}{nearest(str(name), known_fields)}")
            result[name] = field_values(item, spec, info)
        except ValidationError as error:
            errors += [_detail((name, *e["loc"]), e["msg"]) for e in error.errors(include_url=False)]
        except PydanticCustomError as error:
            errors.append(_detail((name,), error.message()))
    if errors:
        raise ValidationError.from_exception_data("initial", errors)
    return result


def check_consistent(conditions: Sequence[Condition]) -> None:
    """Refuse two different values of one component on one boundary.

    Where two boundaries meet, the later item holds; no such rule is needed within one.

    Raises
    ------
    pydantic.ValidationError
        At the second value.
    """
    seen: dict[tuple[str, str, int], tuple[int, Expression]] = {}
    errors = []
    for number, condition in enumerate(conditions):
        entries = [(f, c, e) for f, values in condition.values.items() for c, e in enumerate(values) if e]
        entries += [(f"{f} along the normal", 0, e) for f, e in condition.normals.items()]
        for (field, component, value), name in product(entries, condition.on):
            first, before = seen.setdefault((name, field, component), (number, value))
            if before != value:
                text = f"{field} on {name} has another value already, from boundary[{first}]"
                errors.append(_detail((number,), text))
    if errors:
        raise ValidationError.from_exception_data("boundary", errors)
