"""Deck values to typed values: the validators behind the annotations of `plexus.deck.params`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable
from typing import Any, get_args

from pydantic import GetCoreSchemaHandler, ValidationError, ValidationInfo
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from plexus.deck.context import AXES, Context, components, known
from plexus.deck.expressions import Expression
from plexus.deck.property import Property, Table
from plexus.deck.schedules import parse_schedule
from plexus.deck.suggest import nearest
from plexus.deck.syntax import COORDINATES, ExpressionError, names_in, parse
from plexus.deck.units import (
    Quantity,
    UnitError,
    is_unit,
    meant,
    parse_unit,
    quantity,
    split_quantity,
    to_unit,
)
from plexus.fileformat import special

NUMBER_OR_TEXT = {"type": ["number", "string"]}
EXPRESSION_SCHEMA: dict[str, Any] = {
    "description": "number or expression of x, y, z, t, parameters, fields"
} | NUMBER_OR_TEXT
_TABLE_SCHEMA = {
    "type": "object",
    "properties": {
        "table": {"type": "array", "minItems": 2, "items": {"type": "array", "minItems": 2, "maxItems": 2,
                                                            "items": NUMBER_OR_TEXT}},
        "of": {"type": "string"}, "unit": {"type": "string"}, "of_unit": {"type": "string"},
        "source": {"type": "string"},
    },
    "required": ["table"], "additionalProperties": False,
}  # fmt: skip
PROPERTY_SCHEMA: dict[str, Any] = {
    "anyOf": [EXPRESSION_SCHEMA, _TABLE_SCHEMA, {
        "type": "object", "properties": {"regions": {"type": "object"}}, "required": ["regions"],
        "additionalProperties": False,
    }],
}  # fmt: skip


def refuse(message: str) -> PydanticCustomError:
    """Return an error whose text is shown as it is."""
    return PydanticCustomError("deck", "{text}", {"text": message})


def schema_of(function: Callable[[Any, ValidationInfo], Any]) -> core_schema.CoreSchema:
    """Return the core schema of a type that ``function`` makes from a deck value."""
    return core_schema.with_info_plain_validator_function(function)


def mentions(source: Any, types: tuple[type, ...]) -> bool:
    """Return whether a type annotation contains one of the types."""
    return source in types or any(mentions(a, types) for a in get_args(source))


def convert(value: Any, unit: str, lenient: bool, context: Context) -> Any:
    """Return the value with texts such as ``3 mm`` replaced by numbers in ``unit``.

    ``lenient`` leaves other texts alone, because they may be expressions.
    """
    match value:
        case bool():
            raise refuse(f"{str(value).lower()} is not a number")
        case Quantity():
            try:
                return to_unit(float(value), value.text, unit)
            except UnitError as error:
                raise refuse(str(error)) from None
        # "2 MPa * ramp(t)" starts like a quantity but is an expression; "2 MPa" must fit the dimension.
        case str() if not lenient or split_quantity(value):
            try:
                return quantity(value, unit)
            except UnitError as error:
                if lenient and _is_product(value, context):
                    return value
                raise refuse(str(error)) from None
        case list() | tuple():
            return [convert(v, unit, lenient, context) for v in value]
        # Tables and regions hold numbers of the same unit further inside.
        case {"table": list()} if lenient:
            return _convert_table(value, unit, context)
        case {"regions": dict(regions)} if lenient and len(value) == 1:
            return {"regions": {k: convert(v, unit, lenient, context) for k, v in regions.items()}}
    return value


def _is_product(text: str, context: Context) -> bool:
    """Return whether a text that starts like a quantity goes on as an expression, as `1 MPa/s*t` does."""
    try:
        tree = parse(text, lambda name: name in context.bound)
    except (ExpressionError, UnitError):
        return any(c in text for c in "+*(<>,") and not _misspelt(text)
    return not hasattr(tree, "quantity")


def _misspelt(text: str) -> bool:
    """Return whether a text is a number with a unit in a spelling that is known to be wrong."""
    _, unit = split_quantity(text) or (0.0, "")
    return bool(meant(unit, "")) and not any(c in unit for c in "+<>,")


def _convert_table(value: dict[str, Any], unit: str, context: Context) -> dict[str, Any]:
    given, of = str(value.get("unit", unit)), _axis_unit(value, context)
    of_unit = str(value.get("of_unit", of or "1"))
    si = of if of is not None else None
    rows = []
    try:
        if si is not None:
            to_unit(0.0, of_unit, si)
        for row in value["table"]:
            x, y = row
            # The first column has the unit of its field, which only the table's `of_unit` can tell
            # where the field is not known yet.
            if _number(x):
                x = to_unit(x, of_unit, si if si is not None else _si(of_unit))
            elif isinstance(x, str):
                x = si_value(x) if si is None else quantity(x, si)
            y = to_unit(y, given, unit) if _number(y) else quantity(y, unit) if isinstance(y, str) else y
            rows.append([x, y])
    except UnitError as error:
        raise refuse(str(error)) from None
    except (TypeError, ValueError):
        raise refuse("a table is a list of pairs [x, value]") from None
    return {k: v for k, v in value.items() if k not in ("unit", "of_unit")} | {"table": rows}


def _axis_unit(value: dict[str, Any], context: Context) -> str | None:
    """Return the unit of what a table is a function of, None where it is not known."""
    of = value.get("of", "temperature")
    if not isinstance(of, str):
        return None
    return ("s" if of == "t" else "m") if of in COORDINATES else context.unit_of(of)


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _si(unit: str) -> str:
    """Return a text of the SI unit with the same dimension."""
    base = zip(("m", "kg", "s", "A", "K", "mol", "cd"), parse_unit(unit).dimension, strict=True)
    return " ".join(f"{name}^{n}" if n != 1 else name for name, n in base if n)


def si_value(text: str) -> float:
    """Return the SI value of a number with or without a unit.

    Raises
    ------
    UnitError
        If the text is neither.
    """
    parts = split_quantity(text)
    return quantity(text, _si(parts[1]) if parts else "")


def stated(text: str) -> float:
    """Return the same as `si_value`; a number with a unit remembers it as a `Quantity`."""
    parts = split_quantity(text)
    return Quantity(si_value(text), parse_unit(parts[1]), text) if parts else si_value(text)


def expression(value: Any, info: ValidationInfo) -> Expression:
    """Return an `Expression` bound to the deck's parameters, its names checked if they are known."""
    if isinstance(value, Expression):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise refuse("expected a number or an expression")
    context = known(info)
    try:
        # the text of a quantity that was computed has its unit, so that it is read again as it is
        text = f"{float(value)!r} {value.text}" if isinstance(value, Quantity) else value
        result = Expression(text, context.bound)
    except (ExpressionError, UnitError, OverflowError) as error:
        raise refuse(str(error)) from None
    # While the physics itself is being read all names pass: its fields are what it defines.
    unknown = sorted(n for n in result.names if not context.knows(n))
    if unknown:
        hints = " and ".join(_hint(n, context) for n in unknown[:5])
        raise refuse(f"{hints} in expression {result.text!r}")
    missing = sorted(name for name in result.names if lacks_axis(name, context))
    if missing:
        raise refuse(f"{missing[0]} in expression {result.text!r}: a {context.dim}-D mesh has no such axis")
    for name in sorted(result.names):
        spec = (context.fields or {}).get(name)
        if spec is not None and spec.shape != "scalar":
            parts = components(spec, context.dim)
            raise refuse(f"{name} is a {spec.shape}; an expression takes its components, such as {parts[0]}")
    try:
        result.understand(context.unit_of)
    except ExpressionError as error:
        raise refuse(str(error)) from None
    return result


def reads_controls(text: str, context: Context) -> bool:
    """Return whether a text names a control; ``2 m`` is a quantity, whatever controls are called."""
    parts = split_quantity(text)
    plain = parts is not None and is_unit(parts[1])
    return not plain and bool(names_in(text) & context.controls.keys())


def of_scalars(text: str, info: ValidationInfo) -> Expression:
    """Return an expression of parameters and of controls that are one number."""
    context = known(info)
    try:
        result = Expression(text, context.bound)
        result.understand(context.unit_of)
    except (ExpressionError, UnitError, OverflowError) as error:
        raise refuse(str(error)) from None
    for name in sorted(result.names - context.scalars.keys()):
        why = "is no single number" if name in context.controls else "is none"
        raise refuse(f"{text!r}: a number here is made of scalar controls, and {name!r} {why}")
    return result


def fit_at(name: str, value: Any, unit: str) -> None:
    """Refuse as `fit` does, at the parameter ``name`` of a block.

    Raises
    ------
    ValidationError
        At the expression.
    """
    try:
        fit(value, unit)
    except PydanticCustomError as error:
        found: list[InitErrorDetails] = [{"type": error, "loc": (name,), "input": None}]
        raise ValidationError.from_exception_data(name, found) from None
    except ValidationError as error:
        inner = [refuse(e["msg"]) for e in error.errors(include_url=False)]
        places = [(name, *e["loc"]) for e in error.errors(include_url=False)]
        found = [{"type": e, "loc": at, "input": None} for e, at in zip(inner, places, strict=True)]
        raise ValidationError.from_exception_data(name, found) from None


def fit(value: Any, unit: str) -> None:
    """Refuse expressions inside a value whose unit is not that of their place.

    Raises
    ------
    PydanticCustomError, ValidationError
        At the expression.
    """
    match value:
        case Expression():
            if why := value.misfit(unit):
                raise refuse(why)
            _check_absolute([] if value.constant is None else [value.constant], unit)
        case Property():
            _check_absolute(value.stated(), unit)
            fit(value.expression, unit)
            if value.table and value.table.unit:
                _same_dimension(value.table.unit, unit)
            errors: list[InitErrorDetails] = []
            for name, part in value.regions.items():
                try:
                    fit(part, unit)
                except PydanticCustomError as error:
                    errors.append({"type": error, "loc": ("regions", name), "input": None})
            if errors:
                raise ValidationError.from_exception_data("regions", errors)
        case list() | tuple():
            for item in value:
                fit(item, unit)


def _check_absolute(numbers: Iterable[float], unit: str) -> None:
    """Refuse temperatures below absolute zero."""
    coldest = min(numbers, default=0.0) if unit == "K" else 0.0
    if coldest < 0:
        raise refuse(f"{coldest:g} K is below absolute zero; Celsius is written as '20 degC'")


def _same_dimension(unit: str, target: str) -> None:
    try:
        to_unit(0.0, unit, target)
    except UnitError as error:
        raise refuse(str(error)) from None


def lacks_axis(name: str, context: Context) -> bool:
    """Return whether a name is that of an axis which the mesh is known not to have."""
    return name in AXES and context.dim is not None and AXES.index(name) >= context.dim


def _hint(name: str, context: Context) -> str:
    if name in context.texts:
        return f"parameter {name!r} is not a number"
    if name in context.controls:
        return f"the control {name!r} has no value here: {_where(name, context)}"
    return f"unknown name {name!r}{nearest(name, context.expression_names(), 12)}"


def _where(name: str, context: Context) -> str:
    """Return where a control can be read, which is not here."""
    if name in context.inner:
        return "fields of cells and networks are read in the physics and in boundary terms"
    return "only coordinates, time and parameters are known"


def material_property(value: Any, info: ValidationInfo) -> Property:
    """Return a `Property` from a number, an expression, a table, or one of them per region."""
    match value:
        case Property():
            return value
        case {"table": table} if set(value) <= {"table", "of", "unit", "of_unit", "source"}:
            return _table_property(value, table, info)
        case {"regions": dict(regions)} if len(value) == 1 and regions:
            for name in regions:
                check_name(name, known(info).regions, "region")
            parts = {str(k): material_property(v, info) for k, v in regions.items()}
            return Property({"regions": {k: p.spec for k, p in parts.items()}}, regions=parts)
        case dict():
            raise refuse(
                "a property is a number, an expression, {table: [[x, value], ...]} or {regions: {...}}"
            )
    parsed = expression(value, info)
    return Property(value, expression=parsed)


def _table_property(value: dict[str, Any], table: Any, info: ValidationInfo) -> Property:
    if not isinstance(table, list) or len(table) < 2:
        raise refuse("a table needs at least two pairs [x, value]")
    unit = _table_unit(value, table)
    if unit or "unit" in value or "of_unit" in value:
        value = _convert_table(value, unit, known(info))
        table = value["table"]
    if not all(isinstance(r, (list, tuple)) and len(r) == 2 and all(map(_number, r)) for r in table):
        raise refuse("a table is a list of pairs [x, value]")
    xs, ys = ([float(row[i]) for row in table] for i in (0, 1))
    if any(b <= a for a, b in itertools.pairwise(xs)):
        raise refuse("the first column of a table must increase")
    of = value.get("of", "temperature")
    if not isinstance(of, str):
        raise refuse("`of` is the name of a field")
    if not known(info).knows(of):
        raise refuse(_hint(of, known(info)))
    # Kept in SI units and without `unit`, so that the effective deck is read the same way again.
    spec = {"table": [list(row) for row in table], **{k: v for k, v in value.items() if k != "table"}}
    return Property(spec, table=Table(xs, ys, of, unit))


def _table_unit(value: dict[str, Any], table: list[Any]) -> str:
    """Return the SI unit that a table states for its values, where its place has not converted it."""
    texts = (r[1] for r in table if isinstance(r, (list, tuple)) and len(r) == 2 and isinstance(r[1], str))
    first = split_quantity(next(texts, "")) or (0.0, "")
    try:
        return _si(str(value.get("unit", first[1])))
    except UnitError as error:
        raise refuse(str(error)) from None


def check_name(name: str, valid: Collection[str] | None, what: str) -> None:
    """Raise unless the name is valid or the valid names are not known.

    Meshes call groups without a name by their number, so numbers pass for boundaries and regions.
    """
    numbered = what in ("boundary", "region") and name.isdecimal()
    if valid is not None and name not in valid and not numbered:
        raise refuse(f"unknown {what} {name!r}{nearest(name, valid, 12)}")


def with_quantities(schema: dict[str, Any], unit: str) -> dict[str, Any]:
    """Return a JSON Schema in which every number may be a text with a unit."""
    if schema.get("type") in ("number", "integer"):
        bounds = {k: v for k, v in schema.items() if k != "type"}
        return {"anyOf": [{"type": schema["type"], **bounds}, {"type": "string"}], "unit": unit}
    result = dict(schema)
    if "items" in result and isinstance(result["items"], dict):
        result["items"] = with_quantities(result["items"], unit)
    for key in ("anyOf", "prefixItems"):
        if key in result:
            result[key] = [with_quantities(s, unit) if isinstance(s, dict) else s for s in result[key]]
    return result | {"unit": unit}


class Name:
    """Annotation of a text that must be the name of a field, boundary, region or quantity."""

    def __init__(self, what: str):
        self.what = what

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Check the name against the names that are known."""

        def check(value: str, info: ValidationInfo) -> str:
            context = known(info)
            valid: Collection[str] | None = None
            if self.what == "field" and context.fields is not None:
                # A component such as stress_xy is as good as a field wherever one is named.
                fields = context.field_names() if "_" in value else context.fields
                valid = {**dict.fromkeys(fields), **dict.fromkeys(context.controls)}
            elif self.what in ("boundary", "region"):
                valid = context.boundaries if self.what == "boundary" else context.regions
            check_name(value, valid, self.what)
            return value

        return core_schema.with_info_after_validator_function(check, handler(source))


class _Before:
    """Annotation that changes the deck's value before the type's own validation."""

    def __init__(self, function: Callable[[Any, ValidationInfo], Any], schema: Callable[[Any], Any]):
        self.function, self.schema = function, schema

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.with_info_before_validator_function(self.function, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return self.schema(handler(schema))


def input_file(value: Any, info: ValidationInfo, missing: bool = False) -> str:
    """Return the absolute path of a file that a deck names; with ``missing`` it may be still to be made.

    Raises
    ------
    PydanticCustomError
        If there is no such file, or something else has its name.
    """
    if not isinstance(value, str) or not value.isprintable() or not value:
        raise refuse("expected a file name")
    # Absolute from here on: a run may change folders, and the effective deck lies in the run's.
    path = known(info).folder / value
    try:
        exists = path.is_file()
    except OSError:
        exists = False
    what = None if exists else special(path)
    if what or not (exists or missing):
        raise refuse(f"{path} is {what}, not a file" if what else f"no such file: {path}")
    return str(path.resolve())


class _Schedule:
    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        def parse(value: Any, info: ValidationInfo) -> Any:
            try:
                return parse_schedule(value)
            except UnitError as error:
                raise refuse(str(error)) from None

        return schema_of(parse)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        return {
            "type": ["string", "array", "object"],
            "description": "10 steps, 0.1 s, 30 min wall, end, or times",
        }


SCHEDULE = _Schedule()
ONE_OR_MORE = _Before(
    lambda value, info: [value] if isinstance(value, str) else value,
    lambda inner: {"anyOf": [{"type": "string"}, inner]},
)
INPUT_FILE = _Before(input_file, lambda inner: inner)
