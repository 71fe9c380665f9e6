"""What tables say: a row of each method over the systems of a class; solves as a file for pictures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean, median

from plexus.bench import keep
from plexus.bench.linear.methods import LIBRARY, OURS
from plexus.bench.linear.solves import Solve
from plexus.bench.table import Row, machine

FOLDER = Path("runs/bench/linear")


def of(solves: Sequence[Solve], method: str) -> list[Solve]:
    """Return the solves by one method."""
    return [s for s in solves if s.method == method]


def names(solves: Sequence[Solve]) -> list[str]:
    """Return the methods in the order of the table."""
    return list(dict.fromkeys(s.method for s in solves))


def lines(label: str, solves: Sequence[Solve]) -> Iterator[Row]:
    """Yield a row of each method: mean iterations, and all else that was measured in words."""
    for name in names(solves):
        every = of(solves, name)
        mine = [s for s in every if s.converged]
        failed, several = "NOT CONVERGED", len(every) > 1
        if several:
            failed = f"{len(every) - len(mine)} of {len(every)} {failed}"
        if len(mine) < len(every):
            failed += f" in {max(s.iterations for s in every if not s.converged)}"
        if not mine:
            yield Row(f"{label}: {name}", None, "iterations", peer=failed)
            continue
        counts = [s.iterations for s in mine]
        held = [s.held for s in mine if s.held is not None]
        words = [
            *([failed] if len(mine) < len(every) else []),
            *([f"{len(mine)} systems, most {max(counts)}"] if several else []),
            f"WU {mean(s.work for s in mine):.0f} (complexity {mean(s.complexity for s in mine):.2f})",
            f"set-up {median(s.setup for s in mine):.3g} s",
            f"solve {median(s.solve for s in mine):.3g} s",
            *([f"{median(held) / 2**20:.0f} MiB"] if held else []),
            f"left {max(s.left for s in mine):.1e}",
        ]
        yield Row(f"{label}: {name}", mean(counts), "iterations", peer=", ".join(words))


def total(solves: Sequence[Solve], method: str) -> float:
    """Return the median seconds of set-up and solve."""
    return median(s.setup + s.solve for s in of(solves, method))


def fastest(solves: Sequence[Solve], among: Sequence[str]) -> str:
    """Return the method with the least seconds of those whose solves all converged."""
    good = [n for n in among if of(solves, n) and all(s.converged for s in of(solves, n))]
    return min(good, key=lambda n: total(solves, n))


def times(label: str, solves: Sequence[Solve], bound: float) -> Row:
    """Return the seconds of our fastest cycle over those of the fastest library."""
    ours, theirs = fastest(solves, OURS), fastest(solves, (*LIBRARY, "ICC"))
    ratio = total(solves, ours) / total(solves, theirs)
    told = f"{ours} {total(solves, ours):.3g} s, {theirs} {total(solves, theirs):.3g} s"
    return Row(f"{label}: set-up and solve over the best library", ratio, "x", bound, ratio <= bound, told)


def most(label: str, solves: Sequence[Solve], bound: float, method: str = "two_step") -> Row:
    """Return the largest number of iterations of a method, held to a bound."""
    worst = max(of(solves, method), key=lambda s: s.iterations)
    holds = worst.iterations <= bound and solved(solves, method)
    return Row(f"{label}: most iterations of {method}", worst.iterations, "", bound, holds, worst.system)


def average(label: str, solves: Sequence[Solve], bound: float, method: str = "two_step") -> Row:
    """Return the mean number of iterations of a method, held to a bound."""
    found = mean(s.iterations for s in of(solves, method) if s.converged)
    holds = found <= bound and solved(solves, method)
    return Row(f"{label}: mean iterations of {method}", found, "", bound, holds)


def spread(label: str, solves: Sequence[Solve], bound: float, method: str = "two_step") -> Row:
    """Return the largest less the smallest number of iterations of a method, held to a bound."""
    counts = [s.iterations for s in of(solves, method) if s.converged]
    apart = max(counts) - min(counts)
    told = " ".join(str(s.iterations) if s.converged else "-" for s in of(solves, method))
    holds = apart <= bound and solved(solves, method)
    return Row(f"{label}: spread of {method}", apart, "iterations", bound, holds, told)


def solved(solves: Sequence[Solve], method: str) -> bool:
    """Return whether a method has solved all its systems."""
    return all(s.converged for s in of(solves, method))


def store(part: str, solves: Sequence[Solve]) -> None:
    """Write the solves of a part for `plexus-post linear`."""
    content = {"machine": machine(), "solves": [{**vars(s), "work": s.work} for s in solves]}
    keep(FOLDER / f"{part}.json", json.dumps(content, ensure_ascii=False))
