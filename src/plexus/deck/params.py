"""What the parameter models of components are made of.

A component's parameters are a frozen `Params` model: every field has a description, numbers carry their
`Unit`, spatial data are an `Expression`, material data a `Property`, nested components a
`Component` slot::

    class Heat(Params):
        conductivity: Annotated[Property, Unit("W/(m K)")] = Field(description="thermal conductivity")
        relax: float = Field(1.0, gt=0, le=1, description="...", json_schema_extra={"source": "..."})
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    model_validator,
)
from pydantic import Field as _Field
from pydantic_core import InitErrorDetails, core_schema

from plexus.deck import values
from plexus.deck.context import Context, known
from plexus.deck.expressions import Expression
from plexus.deck.facets import FacetsOfNames
from plexus.deck.messages import in_words
from plexus.deck.property import Property
from plexus.deck.schedules import ScheduleText as _ScheduleText
from plexus.deck.unitnames import simplified
from plexus.deck.units import Quantity
from plexus.protocols.facets import Facets as _Facets

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = [
    "NAME", "BoundaryName", "BoundaryNames", "Component", "Expression", "FacetNames", "Field", "FieldName",
    "InputFile", "Movable", "Moved", "Params", "Property", "QuantityName", "RegionName", "RegionNames",
    "ScheduleText", "Unit", "UnitOf", "Within",
]  # fmt: skip


NAME = r"^(?!\.)[\w.+-]{1,100}$(?!\n)"
"""Names that become those of files and tables: nothing hidden, no path, one line."""
Field: Callable[..., Any] = _Field
"""Pydantic's ``Field``, typed so that a default may be what a deck would say, e.g. ``"2 mm"``."""


class Params(BaseModel):
    """Base of all parameter models: frozen, unknown keys refused, messages that name neighbours."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True, validate_default=True,
        protected_namespaces=(), use_attribute_docstrings=False, defer_build=True,
        # the other engine expands \w{1,100} over all of Unicode, a fifth of a second for the names in a deck
        regex_engine="python-re",
    )  # fmt: skip
    learned: ClassVar[bool] = False
    """Whether these are the parameters of a learned part (`plexus.learned.part.LearnedParams`)."""
    _type: str = PrivateAttr("")

    @property
    def type(self) -> str:
        """Name of the component that these parameters belong to; empty outside a component slot."""
        return self._type

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, data: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            _refuse_strays(cls, data)
            _refuse_booleans(cls, data)
            return handler(data)
        except ValidationError as error:
            # Here the model is known, so the nearest valid keys and the tip of a missing field can be told.
            raise in_words(error, cls, data) from None


def _refuse_strays(model: type[Params], data: Any) -> None:
    """Refuse quantities that a deck has computed where a plain number is expected."""
    strays = [k for k, v in data.items() if isinstance(v, Quantity)] if isinstance(data, dict) else []
    for name in strays:
        info = model.model_fields.get(str(name))
        if info is None or not values.mentions(info.annotation, (float, int)):
            continue
        if values.mentions(info.annotation, (str,)) or any(
            isinstance(m, Unit) for m in notes(info.annotation, info.metadata)
        ):
            continue
        error = values.refuse(f"expected a pure number, not {float(data[name]):g} {data[name].text}")
        details: list[InitErrorDetails] = [{"type": error, "loc": (str(name),), "input": data[name]}]
        raise ValidationError.from_exception_data(model.__name__, details)


def _refuse_booleans(model: type[Params], data: Any) -> None:
    """Refuse true and false, alone or in a list, where numbers are expected: they are no 1 and 0."""
    for name, value in data.items() if isinstance(data, dict) else ():
        given = [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, bool)]
        info = model.model_fields.get(str(name)) if given else None
        if info is None or values.mentions(info.annotation, (bool,)):
            continue
        if values.mentions(info.annotation, (float, int)):
            error = values.refuse(f"expected a number, not {str(given[0]).lower()}")
            details: list[InitErrorDetails] = [{"type": error, "loc": (str(name),), "input": value}]
            raise ValidationError.from_exception_data(model.__name__, details)


def notes(annotation: Any, metadata: Any) -> Iterator[Any]:
    """Yield what `Annotated` says about a type and about the types inside it."""
    yield from metadata
    for inner in get_args(annotation):
        yield from notes(inner, getattr(inner, "__metadata__", ()))


class Unit:
    """Annotation: the number may carry a unit and is converted to this one.

    Works on float, ``float | None``, lists of them, `Expression` and `Property`. A plain number is taken
    to be in this unit already.
    """

    def __init__(self, text: str):
        self.text = text

    def __repr__(self) -> str:
        """Return the constructor call."""
        return f"{type(self).__name__}({self.text!r})"

    @property
    def stated(self) -> str:
        """The unit, empty where it depends on other blocks of the deck."""
        return self.text

    def target(self, context: Context) -> str | None:
        """Return the unit of the place, None where it is not known."""
        return self.text

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Convert before the type's own validation, and check the unit of what is computed after it."""
        # Expressions and properties may be text that is no quantity; plain numbers may not.
        lenient = values.mentions(source, (Expression, Property))

        def check(value: Any, inner: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
            context = known(info)
            unit = self.target(context)
            if unit is None:
                return inner(value)
            moves = not lenient and isinstance(value, str) and values.reads_controls(value, context)
            result = inner(value if moves else values.convert(value, unit, lenient, context))
            if lenient or isinstance(result, Moved):
                values.fit(result.expression if isinstance(result, Moved) else result, unit)
            return result

        return core_schema.with_info_wrap_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Any:
        """Allow the text with a unit beside the number."""
        inner = handler(schema)
        return values.with_quantities(inner, self.text)


def unit_of(info: FieldInfo) -> str:
    """Return the unit of a field of a model; empty for pure numbers and text."""
    return next((m.stated for m in notes(info.annotation, info.metadata) if isinstance(m, Unit)), "")


class UnitOf(Unit):
    """Annotation of a boundary term: the unit is that of the equation that the term joins.

    ``flux``, what the equation exchanges per area; ``flux/unknown``, that per unit of the unknown;
    ``unknown/flux``, the inverse. Where the deck leaves these units open, any unit is taken, as SI.
    """

    def __init__(self, text: Literal["flux", "flux/unknown", "unknown/flux"], term: str):
        super().__init__(text)
        self.term = term

    @property
    def stated(self) -> str:
        """Empty."""
        return ""

    def target(self, context: Context) -> str | None:
        """Return the unit for the equation that the physics of the deck has."""
        if self.term not in context.exchanged:
            return None
        flux, unknown = context.exchanged[self.term]
        units = {"flux": flux, "unknown": "dimensionless" if unknown == "1" else unknown}
        parts = self.text.split("/")
        return flux if len(parts) == 1 else simplified("/".join(f"({units[name]})" for name in parts))


class Moved(float):
    """The number that an expression of controls has at their start; it remembers the expression."""

    expression: Expression

    @classmethod
    def of(cls, value: float, expression: Expression) -> Moved:
        """Return the number of an expression."""
        found = cls(value)
        found.expression = expression
        return found


class Movable:
    """Annotation of a number that may be an expression of scalar controls: it becomes a `Moved`.

    It stands before `Unit`. Bounds of the number are checked at the start of the controls.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Evaluate the expression, then validate its value as the number."""

        def check(value: Any, inner: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
            if not isinstance(value, str) or not values.reads_controls(value, known(info)):
                return inner(value)
            expression = values.of_scalars(value, info)
            return Moved.of(inner(float(expression(known(info).scalars))), expression)

        return core_schema.with_info_wrap_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Any:
        """Allow the expression beside the number."""
        inner = handler(schema)
        return inner if "anyOf" in inner else {"anyOf": [inner, {"type": "string"}]}


class Within:
    """Annotation: bounds of a `Property`, checked on the numbers that the deck states.

    These are constants and tables, by region too; what an expression gives is known only in the run, which
    finds the bounds in `Property.within`. Of a tensor the diagonal is checked.
    """

    def __init__(
        self,
        gt: float | None = None,
        ge: float | None = None,
        lt: float | None = None,
        le: float | None = None,
    ):
        self.gt, self.ge, self.lt, self.le = gt, ge, lt, le

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Check after the type's own validation."""

        def check(value: Any) -> Any:
            diagonal = [row[i] for i, row in enumerate(value)] if isinstance(value, tuple) else [value]
            for part in diagonal:
                for number in () if part is None else part.stated():
                    if text := self.told(number):
                        raise values.refuse(text)
                if isinstance(part, Property):
                    part.within = self
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def told(self, number: float, closed: bool = False) -> str | None:
        """Return what is said of a number out of bounds; with ``closed`` every bound may be reached."""
        for bound, holds, sign in (
            (self.gt, operator.gt, ">"), (self.ge, operator.ge, ">="),
            (self.lt, operator.lt, "<"), (self.le, operator.le, "<="),
        ):  # fmt: skip
            if bound is not None and not holds(number, bound) and not (closed and number == bound):
                return f"must be {sign} {bound:g}, not {number:g}"
        return None


class Component:
    """Annotation: a slot for a component of one kind, ``{type: name, ...}`` or just its name.

    The value is the validated `Params` of that component, whose ``type`` is the name.
    """

    def __init__(self, kind: str):
        self.kind = kind

    def __repr__(self) -> str:
        """Return the constructor call."""
        return f"Component({self.kind!r})"

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Look the component up and validate with its own model."""
        from plexus.deck.slots import validate_component

        optional = type(None) in getattr(source, "__args__", ())

        def check(value: Any, info: core_schema.ValidationInfo) -> Any:
            return None if value is None and optional else validate_component(self.kind, value, info)

        return core_schema.with_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Any:
        """Name the kind; `plexus.deck.jsonschema` puts the union of its members here."""
        return {"x-component": self.kind}


ScheduleText = Annotated[_ScheduleText, values.SCHEDULE]
"""When something happens: ``10 steps``, ``0.1 s``, ``30 min wall``, ``end`` or ``times: [...]``."""
FieldName = Annotated[str, values.Name("field")]
"""Name of a field of the run, unknown or derived."""
BoundaryName = Annotated[str, values.Name("boundary")]
RegionName = Annotated[str, values.Name("region")]
QuantityName = Annotated[str, values.Name("quantity")]
BoundaryNames = Annotated[tuple[BoundaryName, ...], values.ONE_OR_MORE]
"""One name or a list of names; the value is a tuple."""
FacetNames = Annotated[_Facets, FacetsOfNames()]
"""One or several boundaries, or one side of an interface; the value is a `plexus.protocols.facets.Facets`."""
RegionNames = Annotated[tuple[RegionName, ...], values.ONE_OR_MORE]
InputFile = Annotated[str, values.INPUT_FILE]
"""An existing file; relative to the deck's folder, the value is the absolute path."""
