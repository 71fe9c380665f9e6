"""What all closures share: declared properties, the order of the model, projection to admissible moments.

Fields come by name: ``c`` (real), ``f1``, ``f2``, ... and ``e`` (complex), ``W`` (real), physical constants
such as ``zeta`` as tensors where they differ within a batch. The result is one field, ``f2``, ``f3``, ...,
or ``st`` and ``trace``, the spin component and the trace of S:T with T = E + 2 ζ D.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Params
from plexus.errors import InputError
from plexus.models.suspension import toeplitz
from plexus.protocols import ClosureSetting, Shape

if TYPE_CHECKING:
    import torch

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class Port:
    """A field that a closure takes or gives: turning by θ multiplies it by exp(-i spin θ)."""

    name: str
    spin: int
    unit: str
    """Text such as ``1/s``."""
    parity: Literal["even", "odd"] = "even"
    """How a reflection acts, beside conjugation: an odd field also changes its sign."""
    shape: Shape = "scalar"
    location: Literal["point", "mode"] = "point"
    scale: float = 1.0
    """Size of typical values."""


@dataclass(frozen=True)
class Properties:
    """What a closure declares about itself; bundles carry it, and loading compares it."""

    kind: Literal["moment", "stress", "forcing", "coefficient", "correction", "increment"]
    locality: str
    """``pointwise``, ``stencil(radius)``, ``spectral(modes)``, ``global`` or ``agents``."""
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    symmetry: tuple[str, ...] = ("translation", "rotation", "reflection", "galilean")
    conservation: str = "moment equations stay in divergence form"
    resolution: str = "none"
    """How grid spacing enters."""

    def plain(self) -> dict[str, Any]:
        """Return mappings, lists, texts and numbers only."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


CONCENTRATION = Port("c", 0, "1/m^2")
STRAIN = Port("e", 2, "1/s")
VORTICITY = Port("W", 0, "1/s", "odd")


def moment(m: int) -> Port:
    """Return the port of f_m; a distribution in the plane counts rods per area."""
    return Port(f"f{m}", 2 * m, "1/m^2")


def pointwise(highest: int, *more: Port) -> Properties:
    """Return the properties of a pointwise closure of f_(highest+1) from c, f_1..f_highest and ``more``."""
    inputs = (CONCENTRATION, *(moment(m) for m in range(1, highest + 1)), *more)
    return Properties("moment", "pointwise", inputs, (moment(highest + 1),))


def order(fields: Fields) -> int:
    """Return the highest K with f1..fK among the fields."""
    highest = 0
    while f"f{highest + 1}" in fields:
        highest += 1
    return highest


def scaled(fields: Fields, highest: int | None = None) -> list[torch.Tensor]:
    """Return c_m = f_m / c for m = 1..highest."""
    c = fields["c"]
    return [fields[f"f{m}"] / c for m in range(1, (highest or order(fields)) + 1)]


class ClosureParams(Params):
    """Base of the parameters of closures."""


class MomentClosure:
    """Base of closures that give the next spin moment; classical ones need no preparation."""

    closes: int | str | None = None
    guard: Any = None
    """What watches a learned closure; classical closures hold everywhere and have none."""

    def __init__(self, params: Any):
        self.params = params
        self.setting = ClosureSetting()

    @property
    def properties(self) -> Properties:
        """Return what the closure declares about itself."""
        closes = self.closes if isinstance(self.closes, int) else self.setting.order + 1
        return pointwise(closes - 1)

    @classmethod
    def problems(cls, params: Any, setting: ClosureSetting) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield place in the deck and text for what does not fit, before a run; needs no torch."""
        from plexus.closures import _check

        yield from _check.problems(cls, params, setting)

    def prepare(self, setting: ClosureSetting) -> None:
        """Note the setting.

        Raises
        ------
        InputError
            If the model carries another number of moments than the closure closes.
        """
        if isinstance(self.closes, int) and setting.order + 1 != self.closes:
            raise InputError(
                f"the closure gives f_{self.closes}, a model of order {setting.order} "
                f"needs f_{setting.order + 1}"
            )
        self.setting = setting

    def project(self, fields: Fields, out: Fields) -> tuple[dict[str, Any], Any]:
        """Return the nearest moments of a non-negative distribution and the fraction of points that moved."""
        highest = order(fields)
        name = f"f{highest + 1}"
        inside, moved = toeplitz.disk(scaled(fields, highest)).pull(out[name] / fields["c"])
        kept = out[name].where(~moved, inside * fields["c"])
        return {**out, name: kept}, moved.double().mean()

    def report(self) -> dict[str, float]:
        """Return nothing: a classical closure has no news."""
        return {}
