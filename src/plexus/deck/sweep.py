"""The block `sweep`: which values of the deck are varied, and how they are combined to members.

For instance::

    sweep:
      mode: grid                              # every combination
      parameters:
        parameters.load: [1 kN, 2 kN, 5 kN]   # deck path -> values
        mesh.cells[0]: {min: 10, max: 80, count: 4, scale: log}
      seeds: 3                                # each of them with three seeds
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, field_validator, model_validator

from plexus.deck.override import split
from plexus.deck.params import Field, Params
from plexus.deck.units import UnitError, split_quantity
from plexus.deck.values import refuse, si_value

MOST = 100_000
"""Members of the largest sweep; a longer one is a slip of the pen."""
SAMPLED = ("random", "latin_hypercube")
"""Modes that draw `samples` points instead of combining lists."""
Mode = Literal["grid", "zip", "list", "random", "latin_hypercube"]
Whole = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]


class Range(Params):
    """Numbers from `min` to `max`, evenly spaced or drawn."""

    min: float | str = Field(description="smallest value, with or without a unit")
    max: float | str = Field(description="largest value")
    count: int | None = Field(None, ge=2, le=MOST, description="number of values, both ends included")
    scale: Literal["linear", "log"] = Field("linear", description="evenly spaced themselves, or their logs")
    whole: bool = Field(False, description="round to whole numbers")

    @model_validator(mode="after")
    def _ordered(self) -> Range:
        try:
            (low, high), _ = self.ends()
        except UnitError as error:
            raise refuse(str(error)) from None
        if not low < high:
            raise refuse(f"max {high:g} is not larger than min {low:g}")
        if self.scale == "log" and low <= 0:
            raise refuse(f"scale log needs a positive min, not {low:g}")
        return self

    def ends(self) -> tuple[tuple[float, float], str]:
        """Return the ends and their unit: the one that both state, else none and SI values."""
        low, high = (split_quantity(v) if isinstance(v, str) else None for v in (self.min, self.max))
        if low and high and low[1] == high[1]:
            si_value(str(self.min))  # raises where there is no such unit
            return (low[0], high[0]), low[1]
        numbers = [si_value(v) if isinstance(v, str) else v for v in (self.min, self.max)]
        return (numbers[0], numbers[1]), ""

    def at(self, share: float) -> float | int | str:
        """Return the value at a share from 0 (`min`) to 1 (`max`), with the unit of the ends."""
        (low, high), unit = self.ends()
        if self.scale == "log":
            value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
        else:
            value = low + share * (high - low)
        # twelve digits, so that 0.3 is not 0.30000000000000004, and never beyond the ends
        value = min(max(float(f"{value:.12g}"), low), high)
        number = round(value) if self.whole or (value.is_integer() and abs(value) < 2**53) else value
        return f"{number!r} {unit}" if unit else number

    def values(self) -> list[float | int | str]:
        """Return the `count` evenly spaced values."""
        last = (self.count or 2) - 1
        found = [self.at(i / last) for i in range(last + 1)]
        return list(dict.fromkeys(found)) if self.whole else found


def _branch(value: Any) -> str:
    return "range" if isinstance(value, (Mapping, Range)) else "values"


Values = Annotated[tuple[Any, ...], Field(min_length=1, max_length=MOST)]
Axis = Annotated[Annotated[Values, Tag("values")] | Annotated[Range, Tag("range")], Discriminator(_branch)]


class Sweep(Params):
    """Many runs of one deck with other values; `plexus sweep` runs them, `plexus run` runs the deck itself.

    Modes: ``grid`` runs every combination of the values, the last parameter changing fastest; ``zip`` takes
    the first value of each, then the second, ...; ``list`` takes the members as they are written down;
    ``random`` draws each member, ``latin_hypercube`` draws so that each parameter covers its range evenly.
    """

    mode: Mode = Field("grid", description="how values are combined to members")
    parameters: dict[str, Axis] = Field(
        {}, description="deck path such as mesh.cells[0] -> list of values, or {min, max, count}"
    )
    members: tuple[dict[str, Any], ...] = Field(
        (), max_length=MOST, description="for mode list: one mapping of deck path to value per member"
    )
    samples: int | None = Field(None, ge=1, le=MOST, description="members that random modes draw")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of the drawing of samples")
    seeds: Whole | tuple[Seed, ...] = Field(
        (), description="each member once per seed: the values of runtime.seed, or how many (0, 1, ...)"
    )
    ranks: tuple[Whole, ...] = Field(
        (), description="each member on each of these numbers of ranks; with zip the i-th member on the i-th"
    )
    workers: int | None = Field(
        None, ge=1, description="members that run at once; default: as many as the cores hold, 1 with ranks"
    )

    @field_validator("parameters", "members", mode="after")
    @classmethod
    def _paths(cls, value: Any) -> Any:
        for mapping in (value,) if isinstance(value, dict) else value:
            for path in mapping:
                if not split(path):
                    raise refuse(f"{path!r} is no deck path such as mesh.cells[0] or parameters.load")
                if path.partition(".")[0] in ("sweep", "plexus", "about"):
                    raise refuse(f"{path!r} is nothing that a member could vary")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Sweep:
        """Check what one mode needs and the others would ignore."""
        sampled = self.mode in SAMPLED
        if (self.samples is not None) != sampled:
            raise refuse(f"mode {self.mode} " + ("needs samples" if sampled else "draws no samples"))
        if bool(self.members) != (self.mode == "list"):
            raise refuse(
                "mode list needs members"
                if self.mode == "list"
                else f"members belong to list, not {self.mode}"
            )
        if self.parameters and self.mode == "list":
            raise refuse("mode list takes its values from members, not from parameters")
        if sampled and not self.parameters:
            raise refuse(f"mode {self.mode} needs parameters to draw")
        if not (self.parameters or self.members or self.ranks or self.seeds):
            raise refuse("nothing varies: give parameters, members, seeds or ranks")
        for path, axis in self.parameters.items():
            if isinstance(axis, Range) and (axis.count is None) != sampled:
                text = "is drawn and has no count" if sampled else "needs count"
                raise refuse(f"parameters.{path}: in mode {self.mode} a range {text}")
        self._check_size()
        return self

    def _check_size(self) -> None:
        lengths = {path: len(values) for path, values in self.choices().items()}
        if self.mode == "zip":
            lengths |= {"ranks": len(self.ranks)} if self.ranks else {}
            if len(set(lengths.values())) > 1:
                each = ", ".join(f"{path} has {n}" for path, n in lengths.items())
                raise refuse(f"mode zip needs as many values of each: {each}")
        if self.size() > MOST:
            raise refuse(f"{self.size()} members are more than {MOST}")

    def choices(self) -> dict[str, list[Any]]:
        """Return deck path -> values, for the modes that combine values."""
        if self.mode in SAMPLED:
            return {}
        return {p: a.values() if isinstance(a, Range) else list(a) for p, a in self.parameters.items()}

    def seed_list(self) -> list[int]:
        """Return the seeds of the runs; empty if they do not vary."""
        return list(range(self.seeds)) if isinstance(self.seeds, int) else list(self.seeds)

    def size(self) -> int:
        """Return the number of members, without making them."""
        lengths = [len(v) for v in self.choices().values()]
        points = {"grid": math.prod(lengths), "zip": max(lengths, default=1), "list": len(self.members)}
        crossed = 1 if self.mode == "zip" and self.parameters else len(self.ranks) or 1
        return points.get(self.mode, self.samples or 0) * crossed * (len(self.seed_list()) or 1)
