"""Material properties: a number, an expression, a table, or one of these per region.

``k = f(x, y, z, t, fields)``, evaluated at the points of a batch. A table is piecewise linear in one
field and constant beyond its ends; being evaluated there is recorded in `Property.outside`.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from copy import deepcopy
from functools import cache, cached_property
from typing import Any

from plexus.deck.expressions import Array, Expression, is_finite
from plexus.deck.functions import library
from plexus.deck.syntax import COORDINATES
from plexus.errors import InputError
from plexus.protocols.controls import Dependent

AXES = {"x": 0, "y": 1, "z": 2}
FORMS: dict[str, str] = {
    "45 W/(m K)": "a number, with a unit or in the parameter's own",
    "10 + 0.02*temperature": "an expression of x, y, z, t, the deck's parameters and the fields of the model",
    "{table: [[20, 15], [600, 23]], of: temperature, of_unit: degC, unit: W/(m K)}": (
        "piecewise linear in one field (default: temperature), constant beyond the ends, where a run warns; "
        "without units both columns are in the fields' own; `source` may tell where the numbers are from"
    ),
    "{regions: {steel: 45 W/(m K), copper: 380 W/(m K)}}": (
        "one of these forms for each region of the mesh; every cell, or facet of a boundary term, must lie "
        "in exactly one of the regions that are named"
    ),
}
"""What a deck may say where a parameter is a property, and what it means."""
CHORD = 1e-3
"""Half width of a chord, as a share of 1 + |u|."""


class PointNames(Mapping[str, Any]):
    """A `plexus.protocols.Point` as the namespace of an expression: x, y, z, t, fields, components."""

    def __init__(self, point: Any):
        self.point = point

    def __getitem__(self, name: str) -> Array:
        """Return the values of one name, shape (C, Q)."""
        if name == "t":
            return self.point.t
        if name in AXES:
            if AXES[name] >= self.point.dim:
                raise InputError(f"{name}: a {self.point.dim}-D mesh has no such axis")
            return self.point.x[..., AXES[name]]
        if name in self.point.fields:
            sample = self.point.fields[name]
            # only a `Dependent` asks for the point; to ask for the protocol would take longer than all this
            at = getattr(sample, "at", None)
            return sample.value if at is None else at(self.point)
        # displacement_x is the component of a vector, stress_xy that of a tensor.
        field, _, axes = name.rpartition("_")
        value, side = self.point.fields[field].value, self.point.dim
        if len(axes) > 1:
            # stresses and tensors that are remembered have three rows on any mesh
            side = round(value.shape[-1] ** 0.5)
        if any(AXES[a] >= side for a in axes):
            raise InputError(f"{name}: a {self.point.dim}-D mesh has no such component")
        if len(axes) == 1:
            return value[..., AXES[axes]]
        # tensors are stored row by row
        return value[..., side * AXES[axes[0]] + AXES[axes[1]]]

    def __iter__(self) -> Any:
        """Iterate over coordinates, time and fields."""
        return iter((*COORDINATES, *self.point.fields))

    def __len__(self) -> int:
        """Return the number of coordinates and fields."""
        return len(COORDINATES) + len(self.point.fields)


class Table:
    """Piecewise linear y(x) for strictly increasing ``xs``, constant beyond the ends."""

    def __init__(self, xs: list[float], ys: list[float], of: str, unit: str = ""):
        self.xs, self.ys, self.of, self.unit = xs, ys, of, unit
        self.slopes = [(b - a) / (d - c) for a, b, c, d in zip(ys, ys[1:], xs, xs[1:], strict=False)]

    @property
    def reach(self) -> tuple[float, float]:
        """From where to where in x the table speaks."""
        # end values stand for what is this close, e.g. a solver's error
        slack = 1e-3 * (self.xs[-1] - self.xs[0])
        return self.xs[0] - slack, self.xs[-1] + slack

    def _cell(self, x: Array, lib: Any) -> tuple[Array, Array]:
        """Return x clipped to the table and the index of its interval."""
        if lib is math:
            clipped = min(max(x, self.xs[0]), self.xs[-1])
            return clipped, min(max(bisect_left(self.xs, clipped) - 1, 0), len(self.slopes) - 1)
        knots = self._like(self.xs, x, lib)
        clipped = lib.clip(x, self.xs[0], self.xs[-1])
        return clipped, lib.clip(lib.searchsorted(knots, clipped) - 1, 0, len(self.slopes) - 1)

    @staticmethod
    def _like(values: list[float], x: Array, lib: Any) -> Array:
        return lib.asarray(values, dtype=x.dtype, **({"device": x.device} if lib.__name__ == "torch" else {}))

    def value(self, x: Array) -> Array:
        """Return y at x (float, NumPy array or tensor)."""
        lib = library(x)
        if lib.__name__ == "numpy":
            return self._curve(x)[0] if self._curve else lib.interp(x, self.xs, self.ys)
        clipped, cell = self._cell(x, lib)
        if lib is math:
            return self.ys[cell] + self.slopes[cell] * (clipped - self.xs[cell])
        xs, ys, slopes = (self._like(v, x, lib) for v in (self.xs, self.ys, self.slopes))
        return ys[cell] + slopes[cell] * (clipped - xs[cell])

    def slope(self, x: Array) -> Array:
        """Return dy/dx at x; zero beyond the ends."""
        lib = library(x)
        _, cell = self._cell(x, lib)
        if lib is math:
            return self.slopes[cell] if self.xs[0] <= x <= self.xs[-1] else 0.0
        # Beyond the ends the value is constant, so the slope there is zero, not that of the last interval.
        inside = (x >= self.xs[0]) & (x <= self.xs[-1])
        return self._like(self.slopes, x, lib)[cell] * inside

    def read(self, x: Array, where: Array = True) -> tuple[Array, int]:
        """Return `value` and `misses`."""
        if library(x).__name__ == "numpy" and self._curve is not None:
            value, missed = self._curve(x)
            return value, missed if missed == 0 or where is True else self.misses(x, where)
        return self.value(x), self.misses(x, where)

    @cached_property
    def _curve(self) -> Any:
        """The same compiled, None where that cannot be had."""
        compiled = _compiled()
        return compiled.Curve(self.xs, self.ys, self.reach) if compiled else None

    def misses(self, x: Array, where: Array = True) -> int:
        """Return how many values of x lie beyond the reach of the table, of those ``where`` they count."""
        low, high = self.reach
        outside = ((x < low) | (x > high)) & where
        return int(outside) if isinstance(outside, bool) else int(outside.sum())


@cache
def _compiled() -> Any:
    """Return compiled curves, None where they cannot be had."""
    from plexus_kernels.native import curve
    from plexus_kernels.native.loader import library, usable

    instead = "compiled tables are not usable, slower ones take over"
    return curve if usable(lambda: library("curve"), instead) else None


class Property:
    """A scalar material property; frozen, made by the deck.

    Exactly one of ``expression``, ``table`` and ``regions`` is given.
    """

    def __init__(
        self,
        spec: Any,
        expression: Expression | None = None,
        table: Table | None = None,
        regions: Mapping[str, Property] | None = None,
    ):
        self.spec = spec
        """What the deck says, with tables and numbers in SI units; written into the effective deck."""
        self.expression, self.table, self.regions = expression, table, dict(regions or {})
        self._slopes: dict[str, Expression] = {}
        self.within: Any = None
        """Bounds (`plexus.deck.params.Within`) of the parameter that it is, if any."""
        self.outside = 0
        """Number of evaluations of the table beyond its ends so far on this rank."""

    @property
    def constant(self) -> float | None:
        """The value if it is one number everywhere."""
        return self.expression.constant if self.expression else None

    def stated(self) -> Iterator[float]:
        """Yield the numbers that the deck states: a constant, a table's values, those of all regions."""
        if self.constant is not None:
            yield self.constant
        yield from self.table.ys if self.table else ()
        for part in self.regions.values():
            yield from part.stated()

    @property
    def unit(self) -> str:
        """Unit in SI that the deck states; empty where it states none."""
        if self.expression:
            return self.expression.stated_unit
        if self.table:
            return self.table.unit
        return next((p.unit for p in self.regions.values() if p.unit), "")

    @property
    def names(self) -> frozenset[str]:
        """Free names: coordinates, time, fields."""
        if self.expression:
            return self.expression.names
        if self.table:
            return frozenset((self.table.of,))
        return frozenset().union(*(p.names for p in self.regions.values()))

    def __call__(self, p: Any) -> Array:
        """Return the values at a `plexus.protocols.Point`, shape (C|1, Q|1)."""
        return self._at(p, True)

    def _at(self, p: Any, where: Array) -> Array:
        """Return the values; count those beyond the ends of a table ``where`` the property holds."""
        if self.expression:
            return _shaped(self.expression.sure(PointNames(p)), p)
        if self.table:
            # Counted at every evaluation, repeated ones of a Newton iteration too: a warning, no measure.
            x = PointNames(p)[self.table.of]
            value, missed = self.table.read(x, where)
            self.outside += missed
            return _shaped(value, p)
        return self._choose(p, lambda part, here: part._at(p, here))

    def derivative(self, p: Any, wrt: str = "temperature") -> Array | None:
        """Return the derivative with respect to a field, (C|1, Q|1); None if it is zero everywhere."""
        # df/du = ∂f/∂u + Σ ∂f/∂c dc/du over the controls c that follow from u themselves
        terms = [self._partial(p, wrt)]
        for name, control in _through(p, self.names, wrt):
            part = self._partial(p, name)
            terms.append(None if part is None else part * control.slope(p, wrt))
        found = [term for term in terms if term is not None]
        return sum(found[1:], found[0]) if found else None

    def _partial(self, p: Any, wrt: str) -> Array | None:
        """Return the derivative in a name, all others held; None if it is zero everywhere."""
        if wrt not in self.names:
            return None
        if self.expression:
            # Derived once per field; the tangent asks for it in every batch of cells.
            slope = self._slopes.get(wrt) or self._slopes.setdefault(wrt, self.expression.derivative(wrt))
            return None if slope.constant == 0 else _shaped(self._slope(slope, p, wrt), p)
        if self.table:
            return _shaped(self.table.slope(PointNames(p)[wrt]), p)
        return self._choose(p, lambda part, _: part._partial(p, wrt))

    def _slope(self, slope: Expression, p: Any, wrt: str) -> Array:
        """Return the slope; where it is infinite, as that of a root at zero, that of a chord around it."""
        names = PointNames(p)
        value = slope(names)
        if not slope.risky or is_finite(value):
            return value
        assert self.expression is not None
        at = {n: names[n] for n in self.expression.names}
        width = CHORD * (1.0 + abs(at[wrt]))
        sides = [self.expression(at | {wrt: at[wrt] + side * width}) for side in (1, -1)]
        lib = library(value, width)
        if lib is math:
            return (sides[0] - sides[1]) / (2 * width)
        return lib.where(lib.isfinite(value), value, (sides[0] - sides[1]) / (2 * width))

    def _choose(self, p: Any, value: Callable[[Property, Array], Array | None]) -> Array:
        """Return the sum of the regions' values, None for 0, times their masks (regions do not overlap)."""
        total: Any = 0.0
        for name, part in self.regions.items():
            here = p.regions[name]
            if hasattr(here, "to"):  # torch would compute bool * float in single precision
                found, here = value(part, here), here.to(p.x.dtype)
            elif not here.any():
                continue
            elif here.all():
                found = value(part, True)
                return _shaped(0.0 if found is None else found, p)
            else:
                found = value(part, here)
            total = total if found is None else total + found * here
        return _shaped(total, p)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Make the type usable in a `plexus.deck.params.Params` model."""
        from plexus.deck import values

        return values.schema_of(values.material_property)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Return the JSON Schema of what the deck may say."""
        from plexus.deck import values

        return deepcopy(values.PROPERTY_SCHEMA)  # pydantic writes the default into it

    def __repr__(self) -> str:
        """Return the deck's text."""
        return f"Property({self.spec!r})"

    def __eq__(self, other: object) -> bool:
        """Compare what the deck says."""
        if not isinstance(other, Property):
            return NotImplemented
        return bool(self.spec == other.spec) and self.expression == other.expression

    def __hash__(self) -> int:
        """Return the hash of the text."""
        return hash(repr(self.spec))


def _through(p: Any, names: Collection[str], wrt: str) -> Iterator[tuple[str, Dependent]]:
    """Yield those of the names that are controls which follow from the field ``wrt`` at the point."""
    for name in names:
        sample = p.fields.get(name)
        if wrt in getattr(sample, "reads", ()):
            yield name, sample


def _shaped(value: Array, p: Any) -> Array:
    """Return a plain number as an array of shape (1, 1) of the batch's kind."""
    if getattr(value, "shape", ()):
        return value
    # batches offer a one of their kind, so that a constant does not cost the coordinates of all points
    one = getattr(p, "one", None)
    return (p.x[:1, :1, 0] * 0 + 1 if one is None else one) * value
