"""How often the equations of a step are solved in turn: once, or until their unknowns agree.

Equations that are solved one after the other see what was solved before them at the new time, and the rest
as it was. Where the dependence goes both ways, the step is repeated with the values of the last pass, a
Gauss-Seidel iteration over the equations, until no unknown changes any more:

    max_i ‖u_i - u_i,before‖ / max |u_i| <= tolerance,    ‖·‖ the root mean square over the nodes.

Source: C. A. Felippa, K. C. Park, C. Farhat, Comput. Methods Appl. Mech. Eng. 190 (2001) 3247,
doi:10.1016/S0045-7825(00)00391-1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from plexus.errors import SolveError


@dataclass
class Passes:
    """Limits of the iteration, and what it has taken so far.

    Attributes
    ----------
    most, tolerance : limits of a step.
    steps, total, longest : steps so far, their passes, and those of the step that took most.
    last, change : passes of the last step, and the largest relative change in its last one.
    """

    most: int
    tolerance: float
    steps: int = 0
    total: int = 0
    longest: int = 0
    last: int = 0
    change: float = 0.0

    def agreed(self, number: int, changes: dict[str, float]) -> bool:
        """Judge pass ``number`` by the relative change of each unknown; count the step if all agree.

        Raises
        ------
        SolveError
            If they do not in the last pass.
        """
        name = max(changes, key=lambda key: changes[key])
        if changes[name] <= self.tolerance:
            self.steps, self.total, self.longest = (
                self.steps + 1,
                self.total + number,
                max(self.longest, number),
            )
            self.last, self.change = number, changes[name]
            return True
        if number >= self.most:
            raise SolveError(
                f"solve failed: coupling: after {number} passes {name} still changes by {changes[name]:.3g} "
                f"of its magnitude (tolerance {self.tolerance:g})"
            )
        return False

    def summary(self) -> dict[str, float]:
        """Return the counts by name; ``mean`` and ``max`` are passes per step."""
        mean = self.total / self.steps if self.steps else 0.0
        return {"steps": self.steps, "passes": self.total, "mean": mean, "max": self.longest}

    def counted(self) -> dict[str, int]:
        """Return the counts for a checkpoint."""
        return {"steps": self.steps, "total": self.total, "longest": self.longest}

    def add_up(self, counted: Mapping[str, int]) -> None:
        """Go on counting from what `counted` returned."""
        self.steps, self.total, self.longest = (
            int(counted.get(key, 0)) for key in ("steps", "total", "longest")
        )

    def row(self) -> dict[str, float]:
        """Return the last step for the histories."""
        return {"passes": self.last, "change": self.change}
