"""What all closures share: declared properties, the order of the model, projection to admissible moments.

Fields come by name: ``c`` (real), ``f1``, ``f2``, ... and ``e`` (complex), ``W`` (real), physical constants
such as ``zeta`` as tensors where they differ within a batch. The result is one field, ``f2``, ``f3``, ...,
or ``st`` and ``trace``, the spin component and the trace of S:T with T = E + 2 ζ D.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.errors import InputError
from plexus.learned.ports import Properties
from plexus.models.suspension import toeplitz
from plexus.models.suspension.ports import CONCENTRATION, SpinPort, moment, order_of
from plexus.protocols import Guarded, Port, Setting

if TYPE_CHECKING:
    import torch

Fields = Mapping[str, Any]


def pointwise(highest: int, *more: SpinPort) -> Properties:
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
    """The spin moment f_m that it gives (2, 3, ...), ``"st"`` for the stress S:T, None for any next one."""
    guard: Guarded | None = None
    """What watches a learned closure; classical closures hold everywhere and have none."""

    def __init__(self, params: Any):
        self.params = params
        self.setting = Setting()

    @property
    def properties(self) -> Properties:
        """Return what the closure declares about itself."""
        closes = self.closes if isinstance(self.closes, int) else order_of(self.setting.missing) + 1
        return pointwise(closes - 1)

    @property
    def inputs(self) -> Sequence[Port]:
        """Return what it takes."""
        return self.properties.inputs

    @property
    def outputs(self) -> Sequence[Port]:
        """Return what it gives."""
        return self.properties.outputs

    def misfit(self, setting: Setting) -> str | None:
        """Return why the closure is not for a model, None where it is.

        A setting that tells nothing of a model fits every closure.
        """
        closes = 2 if self.closes == "st" else self.closes
        order = order_of(setting.missing)
        if not isinstance(closes, int) or not setting.missing or order + 1 == closes:
            return None
        what = "S:T" if self.closes == "st" else f"f_{closes}"
        name = type(self).__module__.rpartition(".")[2]
        return f"{name} gives {what}, for physics.order {closes - 1}; order {order} needs f_{order + 1}"

    @classmethod
    def problems(
        cls, params: Any, setting: Setting, at: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield place in the deck and text for what does not fit, before a run; needs no torch."""
        wrong = cls(params).misfit(setting)
        if wrong:
            yield (*at, "type"), wrong

    @classmethod
    def doubts(
        cls, params: Any, setting: Setting, at: tuple[str, ...]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield what a run may do beyond the closure's range; a classical one has none."""
        yield from ()

    def prepare(self, setting: Setting) -> None:
        """Note the setting.

        Raises
        ------
        InputError
            If the model carries another number of moments than the closure closes.
        """
        wrong = self.misfit(setting)
        if wrong:
            raise InputError(wrong)
        self.setting = setting

    def project(self, fields: Fields, out: Fields) -> tuple[dict[str, Any], Any]:
        """Return the nearest moments of a non-negative distribution and the fraction of points that moved."""
        highest = order(fields)
        name = f"f{highest + 1}"
        inside, moved = toeplitz.disk(scaled(fields, highest)).pull(out[name] / fields["c"])
        kept = out[name].where(~moved, inside * fields["c"])
        return {**out, name: kept}, moved.double().mean()

    def report(self) -> Mapping[str, float]:
        """Return nothing: a classical closure has no news."""
        return {}
