"""Rows of the table: errors, and what they are in units of the rival's."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import mean

import torch

from plexus.bench.experts.family import Family
from plexus.bench.experts.trainings import (
    FUNCTIONS,
    NARROW,
    STEPS,
    Found,
    apart,
    bound,
    everywhere,
    fields,
    judged,
    layer,
    proposed,
    trained,
)
from plexus.bench.table import Row
from plexus.experts.balance import Balance, balanced
from plexus.experts.couplings.none import Uncoupled
from plexus.experts.couplings.windows import Windows
from plexus.experts.jumps import jumps
from plexus.experts.layer import Experts
from plexus.nets.fourier import FourierOperator

SEEDS = (0, 1, 2)
TILES, SLABS = 4, 2
PERCENT = 100.0
Tensor = torch.Tensor


def uniform() -> list[Row]:
    """Return the rows of uniform starts."""
    family = Family(random=False)
    found = _all(family)
    return [
        *_errors(family, found, {"lift": 2.5, "global": 0.5, "windows": 0.5}),
        _ratio(found, "windows", "global", 1.05),
        _ratio(found, "uncoupled", "windows", 1.5, least=True),
        _ratio(found, "soft", "global", 1.4, least=True),
    ]


def random() -> list[Row]:
    """Return the rows of random fields, with rivals of equal unknowns and of equal time."""
    family = Family(random=True)
    found = _all(family)
    many = TILES * FUNCTIONS
    found["global, 4 N functions"] = _each(lambda s: trained(family, layer(family, 1), s, count=many))
    share = mean(f.seconds for f in found["windows"]) / mean(f.seconds for f in found["global"])
    longer = round(STEPS * share)
    found["global, equal time"] = _each(lambda s: trained(family, layer(family, 1), s, longer))
    return [
        *_errors(family, found, {"windows": 1.2}),
        _ratio(found, "windows", "soft", 0.6),
        _ratio(found, "windows", "global", 0.6),
        _ratio(found, "windows", "global, equal time", 1.0),
        _ratio(found, "windows", "global, 4 N functions", 1.1),
        _ratio(found, "uncoupled", "windows", 1.5, least=True),
    ]


def tiles() -> list[Row]:
    """Return residuals of one set of functions with other tiles, and jumps with and without coupling."""
    family = Family(random=True)
    single = trained(family, layer(family, 1), SEEDS[0])
    found = {k: judged(family, single.network, layer(family, k, overlap=NARROW)) for k in (1, 2, 4, 8)}
    sizes = {k: float(size.mean()) for k, (_, size) in found.items()}
    errors = {k: f"error {PERCENT * float(error.mean()):.3f} %" for k, (error, _) in found.items()}
    text = "trained for 1 tile, taken with {}: residual"
    rows = [Row(text.format(k), size, "1", peer=errors[k]) for k, size in sizes.items()]
    rises = max(b / a for a, b in pairwise(sizes.values()))
    share = sizes[4] / sizes[1]
    rows.append(Row("residual with twice the tiles", rises, "x", 1.0, rises <= 1.0))
    rows.append(Row("residual with 4 tiles in that of 1", share, "x", 0.75, share <= 0.75))
    for name, coupling in (("windows", Windows()), ("uncoupled", Uncoupled())):
        experts = layer(family, TILES, coupling)
        network = trained(family, experts, SEEDS[0]).network
        rows += _jumps(family, experts, network, name)
        if name == "windows":
            rows += _balance(family, experts, network)
    return rows


def _jumps(family: Family, experts: Experts, network: FourierOperator, name: str) -> list[Row]:
    (start, true), rows = family.judged, []
    with torch.no_grad():
        u = fields(family, network, start, experts, everywhere(family))[:, 0]
    slope = torch.diff(true, dim=2).square().mean((1, 2)).sqrt() * true.shape[2]
    for order, text, size in ((0, "value", true.square().mean((1, 2)).sqrt()), (1, "slope", slope)):
        both = (jumps(f, family.line, experts.tiles, order) for f in (u, true))
        largest = (next(both) - next(both)).abs().amax((1, 2)) / size
        share, bound = PERCENT * float(largest.mean()), 1.0 if name == "windows" else None
        holds = None if bound is None else share <= bound
        rows.append(Row(f"{name}: largest jump of {text} over edges", share, "% of rms", bound, holds))
    return rows


@torch.no_grad()
def _balance(family: Family, experts: Experts, network: FourierOperator) -> list[Row]:
    """Return the largest defect of a tile and slab, without and with equalities."""
    start, true = family.judged
    balance = Balance(family.line, experts.tiles, SLABS, family.isotherm.stored, family.d)
    known, gb = family.known(start), proposed(family, network, start)
    flown = family.d * family.lift.passed(start, balance.faces, balance.bounds)
    blended, points = experts.coupling.field(gb, experts.tiles, family.x), everywhere(family)

    def defect(omega: Tensor) -> Tensor:
        v = torch.einsum("mntx,mn->mtx", blended, omega)
        return balance.defect(start, known[:, 0], flown, v)

    omega = experts.solve(known, gb, points)[1]
    exact, after = balanced(omega, *experts.normal(omega, experts.rows(known, gb, blended, points)), defect)
    u = known[:, 0] + torch.einsum("mntx,mn->mtx", blended, exact)
    before, worst = float(defect(omega).abs().amax(1).mean()), float(after.max())
    text = f"error {PERCENT * float(apart(u, true).mean()):.3f} %"
    return [
        Row("balance of tile and slab without equalities", before, "1", 1e-4, before >= 1e-4),
        Row("balance of tile and slab with equalities", worst, "1", 1e-10, worst <= 1e-10, text),
    ]


def later() -> list[Row]:
    """Return errors of the last fifth of the times, of networks that were trained on the others."""
    early, family, rows = Family(random=False, levels=20), Family(random=False), []
    start, true = family.judged
    for name, tiles in (("windows", TILES), ("global", 1), ("soft", 0)):
        errors = []
        for seed in SEEDS:
            network = trained(early, layer(early, tiles) if tiles else None, seed).network
            bound(network, family)
            experts = layer(family, tiles) if tiles else None
            with torch.no_grad():
                u = fields(family, network, start, experts, everywhere(family))[:, 0]
            errors.append(PERCENT * float(apart(u[:, 20:], true[:, 20:]).mean()))
        spread = "seeds " + " ".join(f"{e:.3f}" for e in errors)
        rows.append(Row(f"{name}: error from 400 s to 500 s, trained before", mean(errors), "%", peer=spread))
    return rows


def _all(family: Family) -> dict[str, list[Found]]:
    return {
        "windows": _each(lambda s: trained(family, layer(family, TILES), s)),
        "global": _each(lambda s: trained(family, layer(family, 1), s)),
        "uncoupled": _each(lambda s: trained(family, layer(family, TILES, Uncoupled()), s)),
        "soft": _each(lambda s: trained(family, None, s)),
    }


def _each(make: Callable[[int], Found]) -> list[Found]:
    return [make(seed) for seed in SEEDS]


def _error(found: list[Found]) -> float:
    return mean(PERCENT * float(f.error.nanmean()) for f in found)


def _errors(family: Family, found: dict[str, list[Found]], bounds: dict[str, float]) -> list[Row]:
    start, true = family.judged
    plain = PERCENT * float(apart(family.known(start)[:, 0], true).mean())
    rows = [_bounded("lift", plain, bounds, None)]
    for name, each in found.items():
        spread = " ".join(f"{PERCENT * float(f.error.nanmean()):.3f}" for f in each)
        size, seconds = mean(float(f.residual.nanmean()) for f in each), mean(f.seconds for f in each)
        failed = sum(f.failed for f in each)
        peer = f"seeds {spread}, residual {size:.4f}, training {seconds:.0f} CPU s, {failed} failed"
        rows.append(_bounded(name, _error(each), bounds, peer))
    return rows


def _bounded(name: str, error: float, bounds: dict[str, float], peer: str | None) -> Row:
    bound = bounds.get(name)
    return Row(f"{name}: error", error, "%", bound, None if bound is None else error <= bound, peer)


def _ratio(found: dict[str, list[Found]], name: str, rival: str, bound: float, least: bool = False) -> Row:
    ratio = _error(found[name]) / _error(found[rival])
    return Row(f"{name} in {rival}", ratio, "x", bound, ratio >= bound if least else ratio <= bound)
