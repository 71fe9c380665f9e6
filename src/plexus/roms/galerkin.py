"""Galerkin projection on a basis, with the law at the points of an empirical cubature (hyper-reduction).

    u(x, t) = Σ_j γ_j(t) ψ_j(x),    ∫ σ(u):ε(ψ_j) ≈ Σ_k w_k σ(x_k):ε(ψ_j)(x_k)

`plexus reduce` makes basis and cubature from a run of the full model. Source: F. Casenave, N. Akkari, F.
Bordeu, C. Rey, D. Ryckelynck, Int. J. Numer. Methods Eng. 121 (2020) 32, doi:10.1002/nme.6187; J. A.
Hernández, M. A. Caicedo, A. Ferrer, Comput. Methods Appl. Mech. Eng. 313 (2017) 687,
doi:10.1016/j.cma.2016.10.022. Valid for loads whose responses lie near to the basis: tractions, pressures,
forces, forces per volume and prescribed values, beside elastic foundations.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import ValidationInfo, field_validator

from plexus.deck.params import NAME, Field, InputFile, Params
from plexus.deck.values import input_file, refuse
from plexus.errors import InputError, at_path
from plexus.protocols import Balances, Reducible
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.coupling.refresh import Refresh
    from plexus.coupling.system import System
    from plexus.coupling.trust import Terms
    from plexus.deck.schema import Deck
    from plexus.protocols import Found, Values
    from plexus.reduction.responses import Elastic


class Indicator(Params):
    """What a run is judged by after every step."""

    of: str = Field("p", pattern=NAME, description="memory variable whose basis is fitted at the points")
    tolerance: float = Field(0.02, gt=0, description="largest indicator; beyond it there is an alarm")
    coverage: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="share of trajectories (as in `reduce.calibration`) on which the indicator bounds errors",
    )


class GalerkinParams(Params):
    """Parameters of `Galerkin`."""

    written: ClassVar[str] = "rom.h5"
    """Name of the file where a deck says nothing else."""
    offline: InputFile | None = Field(
        None, description="deck that makes the file: where that is missing, `plexus run` begins with it"
    )
    file: str = Field(description="rom.h5 that `plexus reduce` has made on the same mesh")
    duals: Literal["replay", "gappy", "none"] = Field(
        "replay",
        description="memory of the whole body: replay of the law at all points, fits at the few, or none",
    )
    tolerance: float = Field(1e-8, gt=0, lt=1, description="relative residual at which Newton's method ends")
    new_shapes: Literal["refuse", "respond"] = Field(
        "refuse",
        description="shapes of loads that the file has not seen: refuse, or admit with an elastic response",
    )
    indicator: Indicator | None = Field(None, description="judge every step; absent: do not")
    on_alarm: Literal["enrich", "give_way", "stop"] = Field(
        "enrich",
        description="a full step that completes the model, the full model for good, or the end (code 5)",
    )
    enrichments: int = Field(20, ge=0, description="most enrichments of a run")
    spent: Literal["give_way", "stop"] = Field("give_way", description="answer to an alarm after that")
    refresh: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (), description="numbers of cycles that the full model marches, and that complete the reduced one"
    )
    correct: int | None = Field(
        None,
        ge=1,
        description="steps after which a displacement outside of the basis answers what is out of balance",
    )
    imbalance: float = Field(
        0.05,
        gt=0,
        description="largest share of the forces that may be out of balance where fields are made, or code 5",
    )

    @field_validator("file", mode="before")
    @classmethod
    def _made(cls, value: Any, info: ValidationInfo) -> str:
        """Return the absolute path of a file that is there, or that the deck `offline` makes."""
        return input_file(value, info, missing=info.data.get("offline") is not None)

    @field_validator("refresh")
    @classmethod
    def _each_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        """Refuse a cycle that is named again: another number was meant."""
        if again := sorted({k for k in value if value.count(k) > 1}):
            raise refuse(f"cycle {', '.join(map(str, again))} is named more than once; each is marched once")
        return value


@register("rom", "galerkin", GalerkinParams)
class Galerkin:
    """A reduced model on few points."""

    needs = Balances

    def __init__(self, params: GalerkinParams):
        self.params = params

    @staticmethod
    def problems(deck: Deck) -> Iterator[Found]:
        """Yield why a valid deck has no cycles to look into."""
        from plexus.deck.tables import period_of

        params: Any = deck.rom
        if params.refresh and period_of(deck.tables) is None:
            yield ("rom", "refresh"), "no table of the deck has a period, so there are no cycles"
        for key in (key for key in ("refresh", "correct") if getattr(params, key)):
            if params.duals != "replay":
                yield ("rom", key), "it begins with the memory of the whole body: take duals: replay"

    @staticmethod
    def doubts(deck: Deck) -> Iterator[Found]:
        """Yield cycles that the full model shall march and that the run does not reach."""
        from plexus.deck.tables import period_of

        params: Any = deck.rom
        period, time = period_of(deck.tables), deck.time
        if not params.refresh or period is None or time is None:
            return
        total = (time.end - time.start) / period
        if beyond := [k for k in params.refresh if k - 1 >= total - 1e-9]:
            text = f"the run never comes to cycle {', '.join(map(str, beyond))}: it ends after {total:g}"
            yield ("rom", "refresh"), text

    @staticmethod
    def foreseen(deck: Deck) -> Iterator[str]:
        """Yield what is left to the run; see `plexus.roms._served.foreseen`."""
        from plexus.roms._served import foreseen

        return foreseen(deck)

    def reduce(self, full: System, values: Values, deck: Deck) -> tuple[ReducedSystem, Values]:
        """Return the system that marches in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If the file does not belong to the mesh, or the deck has what a reduced model does not take.
        """
        from plexus.coupling.correction import Correction
        from plexus.coupling.reduced import ReducedSystem
        from plexus.coupling.trust import Trust
        from plexus.reduction.facts import read
        from plexus.reduction.loads import require_separable
        from plexus.reduction.model import load
        from plexus.reduction.origin import require_same, supports
        from plexus.reduction.responses import Elastic
        from plexus.reduction.times import sampled
        from plexus.runtime.first import on_first

        equation = full.equations[0]
        name = equation.field.name
        if len(full.equations) > 1 or not isinstance(equation, Reducible):
            raise InputError("rom: galerkin reduces the physics elastoviscoplastic")
        form, times = full.forms[name], sampled(deck)
        require_separable(form)
        _require_rest(full, name, values[name])
        space = full.quadrature
        with at_path("rom.file"):
            on_first(form.space.comm, lambda: read(Path(self.params.file)))
            model = load(Path(self.params.file), form, space)
        require_same(self.params.file, model.facts, supports(form.space, full.prescribed[name]), deck)
        system = ReducedSystem(full, model, times, self.params.tolerance, self.params.imbalance)
        self._admit(system, Elastic(full, times[0]), times)
        if self.params.duals == "gappy":
            system.whole.fit()
        system.whole.remembers = self.params.duals != "none"
        system.refresh = self._refresh(deck)
        if self.params.correct is not None:
            system.correction = Correction(system, self.params.correct)
        if self.params.indicator is not None:
            system.trust = Trust(system, self._terms(model.facts))
        return system, {name: np.zeros((system.model.basis.shape[2], 1))}

    def _refresh(self, deck: Deck) -> Refresh | None:
        """Return which steps the full model takes."""
        from plexus.coupling.refresh import Refresh
        from plexus.stepping.turns import turns_of

        return Refresh(frozenset(self.params.refresh), turns_of(deck)) if self.params.refresh else None

    def _terms(self, facts: dict[str, Any]) -> Terms:
        """Return what the deck says of trust."""
        given, indicator = self.params, self.params.indicator
        assert indicator is not None
        from plexus.coupling.trust import Terms

        factor = 1.0
        if indicator.coverage is not None:
            from plexus.reduction.coverage import quantile

            factor = quantile(facts.get("ratios", []), indicator.coverage)
        return Terms(
            indicator.of, indicator.tolerance, factor, given.on_alarm, given.enrichments, given.spent
        )

    def _admit(self, system: ReducedSystem, elastic: Elastic, times: list[float]) -> None:
        """Complete the model by responses to what its training has not seen, or refuse that. Collective."""
        from plexus.reduction.enrichment import enriched
        from plexus.reduction.responses import NEW

        model, full = system.model, system.full
        lifts = system.lifts
        new = elastic.unseen(system.loads, times, model.kept.forces, model.kept.temperatures)
        if lifts.missing > NEW:
            new.append(lifts.parts.name)
        if not new:
            return
        names = ", ".join(new)
        if self.params.new_shapes == "refuse":
            raise InputError(
                f"rom: {self.params.file} has not seen the shape of {names}; `new_shapes: respond` admits it "
                "with its elastic response, or reduce a run that has it"
            )
        shapes = [shape for shape in elastic.shapes(system.loads, times) if shape.source in new]
        found, form = elastic.respond(shapes), full.forms[system.name]
        stresses, held = found.stresses, None
        if lifts.missing > NEW:
            more = elastic.lifted(lifts.parts.shapes, lifts.sizes)
            stresses = [*stresses, *more.stresses]
            held = more.fields.reshape(*model.basis.shape[:2], lifts.count)
        system.turn(enriched(model, form, full.quadrature, found.fields, stresses, {}, held))


def _require_rest(full: System, name: str, start: np.ndarray) -> None:
    """Refuse initial values other than zero where nothing is prescribed. Collective."""
    free = np.where(full.prescribed[name].fixed, 0.0, start)
    if max(full.spaces[name].comm.allgather(float(np.abs(free).max(initial=0.0)))) > 0:
        raise InputError(f"rom: {name} begins with values other than zero, which no basis has yet")


EXAMPLE: dict[str, Any] = {"type": "galerkin", "file": "rom.h5"}
