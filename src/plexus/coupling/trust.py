"""Whether a reduced run is still to be believed, and what is done where it is not.

After every step the basis of a memory variable (p by default) is fitted to its values at the reduced points.
What the fit misses, e_G, is zero for states of the training and grows with what the model does not know
(`plexus.reduction.gappy`). Beyond a tolerance, or where Newton's method fails, the step is taken back: the
memory of the whole body at its start is had by replay, the full model takes the step, and its result
completes basis, memory and cubature (F. Casenave, N. Akkari, Math. Comput. Appl. 24 (2019) 41,
doi:10.3390/mca24020041). Where there are other models of the body, as in a dictionary, they join first, one
after the other, and the reduced model takes the step again: that costs no full step. e_G is a global number,
so that all ranks decide alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from plexus.errors import GuardError, InputError
from plexus.protocols import Instant
from plexus.reduction.gappy import Gappy, floor

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.reduction.model import Model

Array = np.ndarray


@dataclass(frozen=True)
class Terms:
    """When a run is judged to be lost, and what follows.

    Attributes
    ----------
    of : str
        Memory variable that is looked at.
    tolerance : float
        Largest indicator.
    factor : float
        Indicator over e_G.
    action : str
        What an alarm leads to.
    budget : int
        Most enrichments of a run.
    spent : str
        What an alarm leads to after them.
    """

    of: str
    tolerance: float
    factor: float
    action: Literal["enrich", "give_way", "stop"]
    budget: int
    spent: Literal["give_way", "stop"]


@dataclass
class Record:
    """What has happened so far; plain data of a checkpoint."""

    looked: int = 0
    worst: float = 0.0
    alarms: int = 0
    joined: list[float] = field(default_factory=list)
    enriched: list[float] = field(default_factory=list)
    full_since: float | None = None


class Trust:
    """Judges the steps of a reduced system. Construction is collective.

    Parameters
    ----------
    system : ReducedSystem
        The system.
    terms : Terms
        What the deck says.
    """

    def __init__(self, system: ReducedSystem, terms: Terms):
        self.system, self.terms, self.record = system, terms, Record()
        self.reserve: Sequence[Callable[[], Model]] = ()
        """Read further models of the body, the most promising first; collective."""
        self.latest = 0.0
        self.told: list[str] = []
        self.turn(system.model)

    def turn(self, model: Model) -> None:
        """Turn to another model. Collective.

        Raises
        ------
        InputError
            If it has no basis of the variable.
        """
        of = self.terms.of
        if of not in model.kept.duals:
            known = ", ".join(model.kept.duals) or "none"
            raise InputError(
                f"rom.indicator: the reduced model has no basis of {of} (there is {known}); `plexus reduce` "
                "keeps those of `reduce.duals`"
            )
        self.gappy = Gappy(of, model.kept.duals[of], model.points)
        self.floor = floor(model.facts, of)

    def judge(self, memory: Mapping[str, Array]) -> str | None:
        """Return why the memory at the end of a step is not to be believed, None if it is. Collective."""
        self.latest = self.gappy.missed(memory[self.terms.of], self.floor)
        self.record.looked += 1
        indicator = self.terms.factor * self.latest
        if indicator <= self.terms.tolerance:
            self.record.worst = max(self.record.worst, indicator)
            return None
        return f"the indicator is {indicator:.3g}, more than {self.terms.tolerance:g}"

    @property
    def waiting(self) -> bool:
        """Whether a further model can join."""
        return len(self.record.joined) < len(self.reserve)

    def joined(self, at: Instant, why: str) -> bool:
        """Let the next model join, so that the step can be taken again; False if there is none. Collective.

        Parameters
        ----------
        at : Instant
            End of the step; its memory at the start is turned to the points that the run then has.
        why : str
            What the alarm is.
        """
        if not self.waiting:
            return False
        other, record = self.reserve[len(self.record.joined)](), self.record
        record.alarms, record.joined = record.alarms + 1, [*record.joined, at.t]
        self.system.say(f"rom: at t = {at.t:g} s {why}: the next model of the dictionary joins")
        self.system.steps_in_full.join(at, other)
        return True

    def answer(self, at: Instant, u: Array, why: str) -> tuple[Array, dict[str, Array]]:
        """Take a step back and take it again with the full model. Collective.

        Parameters
        ----------
        at : Instant
            End of the step; its memory at the start is turned to the points that the run then has.
        u : array (n_local, m)
            Where the full solve starts.
        why : str
            What the alarm is.

        Returns
        -------
        tuple
            Coordinates, or displacements if the full model has taken over; memory at the points.

        Raises
        ------
        GuardError
            On all ranks, if the deck wants the run to end.
        SolveError
            If the full model fails.
        """
        record, terms = self.record, self.terms
        record.alarms += 1
        action = terms.action
        if action == "enrich" and len(record.enriched) >= terms.budget:
            action, why = terms.spent, f"{why}, and {terms.budget} enrichments are spent"
        if action == "stop":
            raise GuardError(f"rom: at t = {at.t:g} s {why}: training has not seen such a state")
        taken = self.system.steps_in_full.take(at, u)
        if action == "give_way":
            self.told.append(f"the reduced model gave way to the full one: {why}")
            record.full_since = at.t
            self.system.give_up(at, taken.before)
            return taken.u, taken.memory
        record.enriched.append(at.t)
        self.told_enrichment(at.t, why)
        return self.system.steps_in_full.complete(at, taken, search=True)

    def told_enrichment(self, t: float, why: str) -> None:
        """Say that a step was taken by the full model."""
        self.system.say(
            f"rom: at t = {t:g} s {why}: the full model takes the step and completes the reduced one"
        )

    def row(self) -> dict[str, float]:
        """Return what histories hold of a step."""
        model = self.system.model
        return {
            "missed": self.latest, "indicator": self.terms.factor * self.latest,
            "modes": model.basis.shape[2], "points": model.points.n_global,
            "enrichments": len(self.record.enriched),
        }  # fmt: skip
