"""Which models no other one beats in cost and horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plexus.studies.active_fluid.horizons import END
from plexus.studies.active_fluid.lineup import TWO_LEARNED


@dataclass(frozen=True)
class Figure:
    """What is known of one model."""

    step: float
    horizons: Mapping[float, float]
    """By step, where it is stable."""
    seconds: Mapping[int, float]
    """Processor seconds of a step, by cells per direction."""

    @property
    def horizon(self) -> float:
        """The horizon at the model's own step."""
        return self.horizons[self.step]

    def cost(self, cells: int, step: float | None = None) -> float:
        """Return processor seconds of a unit of time, at the model's own step if none is given."""
        return self.seconds[cells] / (step or self.step)

    @property
    def held(self) -> str:
        """The horizon in words."""
        return f"{'≥ ' if self.horizon >= END else ''}{self.horizon:.1f}"


def beating(found: Mapping[str, Figure], cells: int) -> list[str]:
    """Return what is cheaper and holds longer than the learned two-moment model, with the steps."""
    ours = found[TWO_LEARNED]
    return [
        f"{name} at step {step:g}"
        for name, f in found.items()
        for step, horizon in f.horizons.items()
        if f.cost(cells, step) < ours.cost(cells) and horizon > ours.horizon and name != TWO_LEARNED
    ]


def points(found: Mapping[str, Figure], cells: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return cost and horizon of the models at their own steps."""
    return {n: f.cost(cells) for n, f in found.items()}, {n: f.horizon for n, f in found.items()}


def front(cost: Mapping[str, float], reach: Mapping[str, float]) -> list[str]:
    """Return the models that no other one beats in cost and horizon, cheapest first."""
    best, found = 0.0, []
    for name in sorted(cost, key=lambda n: (cost[n], -reach[n])):
        if reach[name] > best:
            best = reach[name]
            found.append(name)
    return found
