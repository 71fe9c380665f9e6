"""The block `sweep`: which values of the deck are varied, and how they are combined to members.

For instance::

    sweep:
      mode: grid                              # every combination
      parameters:
        parameters.load: [1 kN, 2 kN, 5 kN]   # deck path -> values
        mesh.cells[0]: {min: 10, max: 80, count: 4, scale: log}
      seeds: 3                                # each of them with three seeds

Members may be trainings, and a search may choose them by what earlier ones have found::

    sweep:
      run: train
      parameters: {closure.width: [8, 16, 32], closure.seed: [1, 2]}
      best: validation                        # the figure of the best member, the smallest
      search: {sampler: tpe, trials: 20}      # instead of every combination

Members may be draws of a random field, which ``plexus campaign`` marches through one reduced model::

    samples: {warmth: {type: gaussian_field, seed: 1, ...}}
    sweep: {mode: draws, sample: warmth, samples: 1000}
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Tag, field_validator, model_validator

from plexus.deck.params import Field, Params
from plexus.deck.suggest import nearest
from plexus.deck.units import UnitError, split_quantity
from plexus.deck.values import refuse, si_value

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

MOST = 100_000
"""Members of the largest sweep; a longer one is a slip of the pen."""
SAMPLED = ("random", "latin_hypercube")
"""Modes that draw `samples` points instead of combining lists."""
FIRST = 10
"""Members of a search that are drawn before others are chosen by what these have found."""
LOSS, VALIDATION = "loss", "validation"
"""Figures of every training: the last loss, and the mean of the relative errors on the validation."""
DRAWS = "draws"
"""Mode whose members are draws of one sample of the deck."""
Mode = Literal["grid", "zip", "list", "random", "latin_hypercube", "draws"]
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

    def share(self, value: float | str) -> float:
        """Return the share from 0 to 1 at which a value of `at` lies."""
        (low, high), _ = self.ends()
        number = split_quantity(value)[0] if isinstance(value, str) else float(value)  # type: ignore[index]  # written by `at`
        if self.scale == "log":
            low, high, number = math.log(low), math.log(high), math.log(number)
        return min(max((number - low) / (high - low), 0.0), 1.0)

    def values(self) -> list[float | int | str]:
        """Return the `count` evenly spaced values."""
        last = (self.count or 2) - 1
        found = [self.at(i / last) for i in range(last + 1)]
        return list(dict.fromkeys(found)) if self.whole else found


def _branch(value: Any) -> str:
    return "range" if isinstance(value, (Mapping, Range)) else "values"


Values = Annotated[tuple[Any, ...], Field(min_length=1, max_length=MOST)]
Axis = Annotated[Annotated[Values, Tag("values")] | Annotated[Range, Tag("range")], Discriminator(_branch)]


class Search(Params):
    """Members that are chosen one after the other by what the earlier ones have found (needs optuna).

    The first ones are drawn (`mode` and `samples` of the sweep). ``tpe`` then draws where good members are
    denser than others (J. Bergstra, R. Bardenet, Y. Bengio, B. Kegl, NIPS 24 (2011)); ``random`` draws
    evenly.
    """

    sampler: Literal["tpe", "random"] = Field("tpe", description="how the next members are chosen")
    trials: int = Field(ge=1, le=MOST, description="members in all")


class Sweep(Params):
    """Many runs of one deck with other values; `plexus sweep` runs them, `plexus run` runs the deck itself.

    Modes: ``grid`` runs every combination of the values, the last parameter changing fastest; ``zip`` takes
    the first value of each, then the second, ...; ``list`` takes the members as they are written down;
    ``random`` draws each member, ``latin_hypercube`` draws so that each parameter covers its range evenly;
    ``draws`` takes the numbers 0, 1, … of a sample of the deck, each a field of its own.
    """

    run: Literal["run", "train"] = Field("run", description="what is done with each member")
    mode: Mode = Field("grid", description="how values are combined to members")
    parameters: dict[str, Axis] = Field(
        {}, description="deck path such as mesh.cells[0] -> list of values, or {min, max, count}"
    )
    members: tuple[dict[str, Any], ...] = Field(
        (), max_length=MOST, description="for mode list: one mapping of deck path to value per member"
    )
    samples: int | None = Field(None, ge=1, le=MOST, description="members that random modes draw")
    sample: str | None = Field(None, description="for mode draws: which of the deck's samples is drawn")
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
    best: str | None = Field(
        None,
        description="smallest is best: a quantity; of trainings loss, loss.<stage>, validation (default), "
        "validation.<metric>",
    )
    search: Search | None = Field(None, description="members chosen by `best` of earlier ones")

    @model_validator(mode="before")
    @classmethod
    def _drawn_first(cls, data: Any) -> Any:
        """Let a search draw its first members evenly where nothing else is said."""
        search = data.get("search") if isinstance(data, dict) else None
        trials = search.get("trials") if isinstance(search, dict) else None
        if not isinstance(trials, int) or "mode" in data:
            return data
        return {"samples": min(FIRST, max(trials, 1)), **data, "mode": "latin_hypercube"}

    @field_validator("parameters", "members", mode="after")
    @classmethod
    def _paths(cls, value: Any) -> Any:
        # a deck without this block needs no reader of YAML but on rank 0
        from plexus.deck.override import split

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
        sampled, draws = self.mode in SAMPLED, self.mode == DRAWS
        if (self.samples is not None) != (sampled or draws):
            text = "needs samples, the number of draws" if draws else "needs samples"
            raise refuse(f"mode {self.mode} " + (text if sampled or draws else "draws no samples"))
        if (self.sample is not None) != draws:
            raise refuse(
                "mode draws needs sample, the name of one of the deck's samples"
                if draws
                else f"sample belongs to draws, not {self.mode}"
            )
        if self.parameters and draws:
            raise refuse("mode draws varies its sample, and no parameters")
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
        if not (self.parameters or self.members or self.ranks or self.seeds or draws):
            raise refuse("nothing varies: give parameters, members, seeds or ranks")
        for path, axis in self.parameters.items():
            if isinstance(axis, Range) and (axis.count is None) != sampled:
                text = "is drawn and has no count" if sampled else "needs count"
                raise refuse(f"parameters.{path}: in mode {self.mode} a range {text}")
        self._check_search()
        self._check_size()
        return self

    def _check_search(self) -> None:
        """Check that the members of a search can be compared one by one."""
        if self.search is None:
            return
        if self.mode not in SAMPLED:
            raise refuse(f"a search draws its first members: mode {' or '.join(SAMPLED)}, not {self.mode}")
        if self.seeds or self.ranks:
            raise refuse("a search compares single members: seeds and ranks belong to other modes")
        if (self.samples or 0) > self.search.trials:
            raise refuse(f"samples {self.samples}: more than the {self.search.trials} trials of the search")

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
        if self.search is not None:
            return self.search.trials
        lengths = [len(v) for v in self.choices().values()]
        points = {"grid": math.prod(lengths), "zip": max(lengths, default=1), "list": len(self.members)}
        crossed = 1 if self.mode == "zip" and self.parameters else len(self.ranks) or 1
        return points.get(self.mode, self.samples or 0) * crossed * (len(self.seed_list()) or 1)


def best(deck: Deck) -> str | None:
    """Return the figure by which the members of a deck's sweep are compared; None without one."""
    assert deck.sweep is not None
    if deck.sweep.best is not None or deck.sweep.run != "train" or deck.train is None:
        return deck.sweep.best
    return VALIDATION if deck.train.validation is not None else LOSS


def problems(deck: Deck) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield place and text of what a sweep asks of its members and they do not have."""
    sweep = deck.sweep
    if sweep is None:
        return
    if sweep.sample is not None and (text := _no_draws(deck, sweep.sample)):
        yield ("sweep", "sample"), text
    if sweep.run == "train" and deck.train is None:
        yield ("sweep", "run"), "train needs a block `train`; `plexus explain train` shows one"
    elif sweep.best is not None:
        text = _no_figure(deck, sweep.best)
        if text:
            yield ("sweep", "best"), text
    elif sweep.search is not None and sweep.run == "run":
        yield ("sweep", "search"), "needs `best`, the quantity whose smallest value is looked for"


def _no_draws(deck: Deck, name: str) -> str | None:
    """Return why a name is no sample that can be drawn by its number; None where it is."""
    if name not in deck.samples:
        return f"the deck has no sample {name!r}{nearest(name, deck.samples, 10)}"
    if not hasattr(deck.samples[name], "number"):
        return f"{name!r} has no number of its own: draw the field that it is made of"
    return None


def _no_figure(deck: Deck, name: str) -> str | None:
    """Return why members have no such figure; None where they have it."""
    if deck.sweep is None or deck.sweep.run == "run" or deck.train is None:
        known = list(deck.quantities)
        return None if name in known else f"the deck has no quantity {name!r}{nearest(name, known, 10)}"
    known = [LOSS, VALIDATION, *(f"{LOSS}.{n}" for n in range(len(deck.train.stages)))]
    if not name.startswith(f"{VALIDATION}.") and name not in known:
        return f"a training has no figure {name!r}{nearest(name, known, 10)}"
    if name.startswith(VALIDATION) and deck.train.validation is None:
        return f"{name}: the training has no validation; give it one, or take {LOSS}"
    return None
