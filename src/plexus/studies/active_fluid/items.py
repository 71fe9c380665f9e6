"""Items of the table of learned closures, from scores of runs beside the truth.

Figures of a set of constants are means over seeds: of the errors themselves a priori, for the early order
and for horizons; of the quantity, in model and truth, for long-time order, speed and spectrum, because
single runs of a chaotic flow differ by 1 % in order and 12 % in speed whatever the model.

Below what is learned stand the same numbers of what is not (rows "unlearned", without bounds): the quadratic
closure beside f_2, three moments beside f_3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from plexus.bench.table import Row
from plexus.studies.active_fluid.compare import SETS, Scores, Set
from plexus.studies.active_fluid.judge import judged, listed, mean, third
from plexus.studies.active_fluid.lineup import (
    BINGHAM,
    ONE_LEARNED,
    ONE_RUN,
    QUADRATIC,
    THREE,
    TRAINED,
    TWO,
    TWO_LEARNED,
    TWO_RUN,
)

NEW = SETS[1:]
"""Sets of constants that are new to the networks from one run."""


@dataclass(frozen=True)
class Facts:
    """What items are computed from."""

    scores: Scores
    seeds: Sequence[int]
    names: Sequence[str]
    """Models that took part."""


def _prior(facts: Facts, name: str, key: str, sets: Sequence[Set], base: str = BINGHAM) -> dict[Set, float]:
    """Return a-priori errors over those of another closure."""
    s = facts.scores
    return {w: s.prior(w, name, key) / s.prior(w, base, key) for w in sets}


def _reach(facts: Facts, name: str, base: str) -> dict[Set, float]:
    """Return ratios of horizons to 30 %."""
    return {w: facts.scores.horizon(w, name) / facts.scores.horizon(w, base) for w in SETS}


def _one_run(facts: Facts, of: Callable[[str], Mapping[Set, float]], name: str = ONE_RUN) -> str:
    """Return what the network from one run reaches, for a note."""
    return f"from one run: {listed(of(name))}" if name in facts.names else ""


def _unlearned(
    item: str,
    of: Callable[[str], Mapping[Set, float]],
    names: Sequence[str] = (QUADRATIC,),
    pick: Callable[[Sequence[float]], float] = max,
    unit: str = "x",
) -> list[Row]:
    """Return an item's rows of models that nothing was trained for."""
    return [judged(f"{item}: {name}, unlearned", of(name), None, pick=pick, unit=unit) for name in names]


def f2_known(facts: Facts) -> list[Row]:
    """AF11."""
    item = "AF11 error of f2 / Bingham's, known constants"
    found = [n for n in (ONE_LEARNED, ONE_RUN) if n in facts.names]
    return [
        *(judged(f"{item}: {n}", _prior(facts, n, "moment", SETS[:1]), 0.75, 0.6) for n in found),
        *_unlearned(item, lambda n: _prior(facts, n, "moment", SETS[:1])),
    ]


def f2_new(facts: Facts) -> list[Row]:
    """AF12: the network that has not seen these sets."""
    ratios, item = _prior(facts, ONE_RUN, "moment", NEW), "AF12 error of f2 / Bingham's, new constants"
    return [
        judged(f"{item}, from one run", ratios, 0.9, 0.7),
        *_unlearned(item, lambda n: _prior(facts, n, "moment", NEW)),
    ]


def stress(facts: Facts) -> list[Row]:
    """AF13."""
    known = {SETS[0]: facts.scores.prior(SETS[0], ONE_LEARNED, "stress")}
    note = _one_run(facts, lambda n: _prior(facts, n, "stress", SETS))
    plain = _one_run(facts, lambda n: {SETS[0]: facts.scores.prior(SETS[0], n, "stress")})
    ratios = _prior(facts, ONE_LEARNED, "stress", SETS)
    return [
        judged("AF13 error of S:T / Bingham's", ratios, 1.0, note=note),
        judged("AF13 error of S:T, known constants", known, 3e-4, 1.5e-4, unit="", note=plain),
        *_unlearned("AF13 error of S:T / Bingham's", lambda n: _prior(facts, n, "stress", SETS)),
    ]


def admissible(facts: Facts) -> list[Row]:
    """AF15; f_2 is carried by models of two moments, and beyond the possible where the truth's is, too."""
    rows, s = [], facts.scores
    true = "carried, the truth has " + ", ".join(f"{s.mean(w, 'truth', 'outside'):.0f}" for w in SETS)
    for name in (n for n in TRAINED if n in facts.names):
        cells = {w: s.mean(w, name, "outside") for w in SETS}
        closed = {w: s.prior(w, name, "outside") for w in SETS}
        carried = TRAINED[name][0] > 1
        bound, note = (None, true) if carried else (0, "")
        rows += [
            judged(f"AF15 {name}: closed moments outside the disk", closed, 0, 0, unit="points"),
            judged(f"AF15 {name}: cells outside in roll-outs", cells, bound, unit="cells", note=note),
        ]
    return rows


def early_order(facts: Facts) -> list[Row]:
    """AF16."""
    s = facts.scores

    def ratios(name: str) -> dict[Set, float]:
        return {w: s.mean(w, name, "early_order") / s.mean(w, BINGHAM, "early_order") for w in SETS}

    found = ratios(ONE_LEARNED)
    note = f"others: {listed({w: found[w] for w in NEW})}; {_one_run(facts, ratios)}"
    item = "AF16 early error of order / Bingham's, known constants"
    return [judged(item, {SETS[0]: found[SETS[0]]}, 0.33, 0.1, note=note), *_unlearned(item, ratios)]


def horizon(facts: Facts) -> list[Row]:
    """AF17."""
    item, ratios = "AF17 horizon / Bingham's, third of four sets", _reach(facts, ONE_LEARNED, BINGHAM)
    note = _one_run(facts, lambda n: _reach(facts, n, BINGHAM))
    return [
        judged(item, ratios, 1.15, 1.4, third, note=note),
        *_unlearned("AF17 horizon / Bingham's", lambda n: _reach(facts, n, BINGHAM), pick=third),
        judged(
            "AF17 horizon / the quadratic closure's", _reach(facts, ONE_LEARNED, QUADRATIC), None, pick=third
        ),
    ]


def late_order(facts: Facts) -> list[Row]:
    """AF18."""

    def errors(name: str) -> dict[Set, float]:
        return {w: abs(facts.scores.bias(w, name, "order")) for w in SETS}

    found, base = errors(ONE_LEARNED), errors(BINGHAM)
    ratios = {w: found[w] / base[w] for w in SETS if base[w] > 0.01}
    note = f"Bingham: {listed(base)}; {_one_run(facts, errors)}"
    return [
        judged("AF18 error of the long-time order", found, 0.035, 0.01, unit="", note=note),
        judged("AF18 the same / Bingham's where that exceeds 0.01", ratios, 0.85),
        *_unlearned("AF18 error of the long-time order", errors, unit=""),
    ]


def spectrum(facts: Facts) -> list[Row]:
    """AF19."""

    def errors(name: str) -> dict[Set, float]:
        return {w: facts.scores.spectrum(w, name) for w in SETS}

    found, base = errors(ONE_LEARNED), errors(BINGHAM)
    ratios = {w: found[w] / base[w] for w in SETS}
    note = _one_run(facts, errors)
    return [
        judged("AF19 log error of the spectrum / Bingham's, worst", ratios, 1.1),
        judged("AF19 the same, mean of the sets", ratios, 0.8, pick=mean),
        judged("AF19 log error of the spectrum", found, None, 0.05, unit="", note=note),
        *_unlearned("AF19 log error of the spectrum", errors, unit=""),
    ]


def speed(facts: Facts) -> list[Row]:
    """AF20."""
    s, item = facts.scores, "relative error of the mean speed"

    def errors(name: str) -> dict[Set, float]:
        return {w: abs(s.bias(w, name, "speed")) / s.mean(w, "truth", "speed") for w in SETS}

    known = [
        judged(f"AF20 {name}: {item}", errors(name), 0.15, 0.07, unit="")
        for name in (ONE_LEARNED, TWO_LEARNED, BINGHAM)
    ]
    return [*known, *_unlearned(f"AF20 {item}", errors, (QUADRATIC, TWO, THREE), unit="")]


def two_moments(facts: Facts) -> list[Row]:
    """AF22."""
    return [
        judged("AF22 two-moment AR: horizon / Bingham's", _reach(facts, TWO, BINGHAM), 1.5, pick=min),
        judged("AF22 three-moment AR: horizon / Bingham's", _reach(facts, THREE, BINGHAM), None, pick=min),
    ]


def learned_f3(facts: Facts) -> list[Row]:
    """AF23; that the constants are new holds for the network from one run."""
    s = facts.scores

    def order(name: str) -> dict[Set, float]:
        return {w: abs(s.bias(w, name, "order")) for w in SETS}

    def spectra(name: str) -> dict[Set, float]:
        return {w: s.spectrum(w, name) for w in SETS}

    reach, item = _reach(facts, TWO_LEARNED, TWO), "AF23 horizon / two-moment AR's, third of four sets"
    note = _one_run(facts, lambda n: _reach(facts, n, TWO), TWO_RUN)
    errors = [
        judged(f"AF23 error of f3 / autoregressive: {n}", _prior(facts, n, "moment", SETS, TWO), 0.5)
        for n in (TWO_LEARNED, TWO_RUN)
        if n in facts.names
    ]
    return [
        *errors,
        judged(item, reach, 1.0, 1.3, third, note=note),
        judged("AF23 horizon / Bingham's", _reach(facts, TWO_LEARNED, BINGHAM), 1.5, pick=min),
        judged("AF23 horizon / three-moment AR's", _reach(facts, TWO_LEARNED, THREE), None, pick=third),
        judged("AF23 error of the long-time order", order(TWO_LEARNED), 0.025, 0.005, unit=""),
        *_unlearned("AF23 error of the long-time order", order, (TWO, THREE), unit=""),
        judged("AF23 log error of the spectrum", spectra(TWO_LEARNED), None, 0.03, unit=""),
        *_unlearned("AF23 log error of the spectrum", spectra, (TWO, THREE), unit=""),
    ]


ITEMS: dict[str, tuple[Callable[[Facts], list[Row]], tuple[str, ...]]] = {
    "AF11": (f2_known, (ONE_LEARNED,)),
    "AF12": (f2_new, (ONE_RUN,)),
    "AF13": (stress, (ONE_LEARNED,)),
    "AF15": (admissible, ()),
    "AF16": (early_order, (ONE_LEARNED,)),
    "AF17": (horizon, (ONE_LEARNED,)),
    "AF18": (late_order, (ONE_LEARNED,)),
    "AF19": (spectrum, (ONE_LEARNED,)),
    "AF20": (speed, ()),
    "AF22": (two_moments, ()),
    "AF23": (learned_f3, (TWO_LEARNED,)),
}
"""Item -> its rows, and the models that must have taken part."""
