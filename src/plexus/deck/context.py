"""What is known while a deck is validated: parameters, names of fields and boundaries, the folder.

It travels as pydantic's validation context. Without one (a component's own tests) nothing is checked
against other parts of the deck.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationInfo

from plexus.deck.syntax import COORDINATES
from plexus.protocols import FieldSpec

AXES = "xyz"


@dataclass(frozen=True)
class Known:
    """What a mesh source knows without building its mesh (method ``known``); None: not known."""

    dim: int | None
    regions: Collection[str] | None
    boundaries: Collection[str] | None
    """Names on which something may be prescribed, those of curves and points among them."""
    skeleton: Collection[str] = ()
    """Those of curves and points, as far as they are known to be none of boundaries."""


@dataclass
class Context:
    """Known names; None means not known, so not checked."""

    parameters: Mapping[str, float] = field(default_factory=dict)
    texts: Collection[str] = ()
    """Names of the parameters that are not numbers."""
    folder: Path = Path()
    unknowns: dict[str, FieldSpec] | None = None
    derived: dict[str, FieldSpec] = field(default_factory=dict)
    internal: dict[str, FieldSpec] = field(default_factory=dict)
    """Internal variables at quadrature points."""
    starts: dict[str, FieldSpec] | None = None
    """Fields that the block `initial` may give, where these are not the unknowns."""
    leaders: dict[str, str] = field(default_factory=dict)
    """Unknowns that are solved together with another -> that one, which names their solver."""
    open: Collection[str] = ()
    """Unknowns whose unit the deck leaves open."""
    terms: Collection[str] | None = None
    exchanged: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Boundary term -> units of the flux that it adds to and of its unknown, where these are known."""
    normals: Collection[str] = ()
    """Vector unknowns whose component along the normal of a boundary may be prescribed."""
    dim: int | None = None
    boundaries: Collection[str] | None = None
    skeleton: Collection[str] = ()
    """Names of curves and points among the boundaries."""
    regions: Collection[str] | None = None
    controls: dict[str, str] = field(default_factory=dict)
    """Names that expressions may read beside fields -> their units (`plexus.protocols.controls`)."""
    inner: Collection[str] = ()
    """Controls without a value at nodes, which prescribed and initial values cannot read."""
    scalars: dict[str, float] = field(default_factory=dict)
    """Controls that are one number, with their starts: numbers that are no expressions may read them."""
    placeless: Collection[str] = ()
    """Controls that are the same everywhere, which totals of a whole condition may read."""
    laws: Collection[str] = ()
    """Controls that read fields, which have no value where fields are not known."""
    members: int | None = None
    """Number of members of the deck's ensemble, None without one."""
    gradients: bool = True
    """Whether the unknowns' gradients can be integrated; not on grids."""
    place: str = "on a periodic grid"
    """Where fields without gradients live, as messages say it."""
    samples: Mapping[str, Any] = field(default_factory=dict)
    """Fields that are drawn (`plexus.samples`), by the names that expressions read them by."""
    tables: Mapping[str, Any] = field(default_factory=dict)
    """Functions of time (`plexus.deck.tables`), by the names that expressions call them by."""
    only: Collection[str] | None = None
    """While set, expressions may use these names and the parameters only."""

    @property
    def bound(self) -> Mapping[str, Any]:
        """What names stand for already when an expression is read: parameters, drawn fields, tables."""
        return {**self.parameters, **self.samples, **self.tables}

    @property
    def fields(self) -> dict[str, FieldSpec] | None:
        """All fields: unknown, derived, internal."""
        return None if self.unknowns is None else self.unknowns | self.derived | self.internal

    def knows(self, name: str) -> bool:
        """Return whether an expression may use a name; True also where the names are not known."""
        if self.only is not None:
            prescribed = name in {*self.controls} - {*self.inner} and {*COORDINATES} <= {*self.only}
            return name in self.only or name in self.bound or prescribed
        if self.fields is None or name in self.bound or name in COORDINATES:
            return True
        return name in self.controls or name in self.field_names()

    def unit_of(self, name: str) -> str | None:
        """Return the unit of a control, a field or a component of one; None where it is not known."""
        if name in self.controls:
            return self.controls[name]
        fields = self.fields or {}
        spec = fields.get(name) or fields.get(name.rpartition("_")[0])
        return None if spec is None or spec.name in self.open else spec.unit

    def field_names(self) -> set[str]:
        """Return the names of all fields and of their components."""
        # a tensor that is remembered has three rows on any mesh
        dims = {name: 3 for name, spec in self.internal.items() if spec.shape == "tensor"}
        specs = (self.fields or {}).values()
        return {n for s in specs for n in (s.name, *components(s, dims.get(s.name, self.dim)))}

    def expression_names(self) -> list[str]:
        """Return the names that an expression may use, for suggestions."""
        own = COORDINATES if self.only is None else self.only
        fields = (*self.controls, *self.field_names()) if self.only is None else ()
        return [*own, *self.bound, *fields]


def open_units(params: Any) -> tuple[str, ...]:
    """Return the unknown of a physics whose unit the deck leaves open, so that 1 stands for any unit."""
    model = getattr(params, "model", params)  # a manufactured solution has the unknowns of its model
    return (model.field,) if getattr(model, "unit", None) == "1" and hasattr(model, "field") else ()


@contextmanager
def only(info: ValidationInfo, names: Collection[str]) -> Iterator[None]:
    """Allow expressions these names and the parameters, while the block runs."""
    context = known(info)
    before, context.only = context.only, names
    try:
        yield
    finally:
        context.only = before


def components(spec: FieldSpec, dim: int | None) -> list[str]:
    """Return the component names of a field: ``u_x``, ``stress_xy``; none for a scalar."""
    axes = AXES[: spec.rows or dim or 3]
    match spec.shape:
        case "vector":
            return [f"{spec.name}_{a}" for a in axes]
        case "tensor":
            return [f"{spec.name}_{a}{b}" for a in axes for b in axes]
    return []


def known(info: ValidationInfo) -> Context:
    """Return the context of a running validation, or one that knows nothing."""
    context: Any = info.context
    return context if isinstance(context, Context) else Context()
