"""Several reduced models of one body, and a recommendation of one of them by the field of its load.

    k = argmax_c p_c(T(x_1), …, T(x_f)),    u ≈ Σ_j γ_j ψ^k_j

`plexus reduce` with `reduce: {type: dictionary}` makes clusters of the runs of a sweep and a model of each;
values of the load at few places tell which one suits a new load. The model is recommended once, or again
after every `switch` seconds, for loads that change from cycle to cycle; coordinates then begin as those of
the projection, Ψ_lᵀ M Ψ_k γ, and what the material remembers goes on. With an `indicator`, alarms let the
other models join, the most probable first, before `on_alarm` decides. Sources: T. Daniel, F. Casenave, N.
Akkari, D. Ryckelynck, Adv. Model. Simul. Eng. Sci. 7 (2020) 16, doi:10.1186/s40323-020-00153-6; T. Daniel
et al., Math. Comput. Appl. 26 (2021) 17, doi:10.3390/mca26010017. Valid for loads like those of the sweep;
`summary.json` tells the probability of the choice and how many values lie outside the range of the training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from plexus.deck.params import Field, InputFile, Unit
from plexus.deck.values import refuse
from plexus.errors import InputError, at_path
from plexus.registry import register
from plexus.roms.galerkin import Galerkin, GalerkinParams

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.coupling.system import System
    from plexus.deck.schema import Deck
    from plexus.protocols import Values
    from plexus.recommendation.bundle import Recommendation
    from plexus.reduction.index import Index
    from plexus.reduction.model import Model

Array = np.ndarray


class DictionaryParams(GalerkinParams):
    """Parameters of `Dictionary`."""

    written: ClassVar[str] = "dictionary.json"
    file: InputFile = Field(description="dictionary.json that `plexus reduce` has made on the same mesh")
    new_shapes: Literal["refuse", "respond"] = Field(
        "respond",
        description="shapes of loads and temperatures that the file has not seen: elastic response",
    )
    switch: Annotated[float, Unit("s")] | None = Field(
        None, gt=0, description="time after which a model is recommended anew, e.g. a cycle; absent: once"
    )

    @model_validator(mode="after")
    def _memory(self) -> DictionaryParams:
        if self.refresh:
            raise refuse("models of a dictionary stay as they are: no refresh")
        if self.correct is not None:
            raise refuse("models of a dictionary take no correction")
        if self.switch is not None and (self.duals != "replay" or self.indicator is not None):
            raise refuse(
                "where models are switched the memory is marched at the points of all of them: duals replay, "
                "and no indicator"
            )
        return self


@register("rom", "dictionary", DictionaryParams)
class Dictionary:
    """The model that the load asks for."""

    def __init__(self, params: DictionaryParams):
        self.params = params

    @staticmethod
    def foreseen(deck: Deck) -> Iterator[str]:
        """Refuse a file that is damaged, or lies beside other models than its own; nothing is left to tell.

        Raises
        ------
        InputError
            If the file is no dictionary.
        """
        from plexus.reduction.index import look

        path = Path(deck.rom.file)  # type: ignore[union-attr]
        # the deck `offline` makes it
        if path.exists():
            with at_path("rom.file"):
                look(path)
        yield from ()

    def reduce(self, full: System, values: Values, deck: Deck) -> tuple[ReducedSystem, Values]:
        """Return the system that marches in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If files are missing, altered or of another mesh, or the deck has what no reduced model takes.
        """
        from plexus.reduction.index import read

        comm, path = full.spaces[full.equations[0].field.name].comm, Path(self.params.file)
        with at_path("rom.file"):
            index = read(path, comm)
        counsel = _Counsel(full, values, deck, index, path)
        assert deck.time is not None
        start = deck.time.start
        if self.params.switch is None or len(index.models) == 1:
            first, *others = (path.parent / index.models[k] for k in counsel.ranked(start))
            system, own = self._member(full, values, deck, first)
            system.told = counsel.told
            if system.trust is not None:
                system.trust.reserve = [partial(_read, full, file) for file in others]
            return system, own
        return self._switching(full, values, deck, index, counsel)

    def _member(self, full: System, values: Values, deck: Deck, file: Path) -> tuple[ReducedSystem, Values]:
        """Return one model of the dictionary, as `galerkin` would make it."""
        told = {n: v for n, v in self.params if n in GalerkinParams.model_fields}
        params = GalerkinParams.model_construct(**told | {"file": str(file)})
        return Galerkin(params).reduce(full, values, deck)

    def _switching(
        self, full: System, values: Values, deck: Deck, index: Index, counsel: _Counsel
    ) -> tuple[ReducedSystem, Values]:
        """Return a system that goes from model to model."""
        from plexus.coupling.switching import SwitchingSystem

        assert deck.time is not None and self.params.switch is not None
        start, period, folder = deck.time.start, self.params.switch, Path(self.params.file).parent
        parts = [self._member(full, values, deck, folder / name)[0] for name in index.models]

        def chosen(t: float) -> int:
            return counsel.at(start + period * max(math.floor((t - start) / period + 1e-9), 0))

        system = SwitchingSystem(parts, chosen)
        system.told = counsel.told
        return system, {system.name: np.zeros((system.model.basis.shape[2], 1))}


def _read(full: System, file: Path) -> Model:
    """Return a model of the dictionary. Collective."""
    from plexus.reduction.model import load

    return load(file, full.forms[full.equations[0].field.name], next(iter(full.points.values())))


class _Counsel:
    """Asks for the model of a time's load, once per time. Construction is collective."""

    def __init__(self, full: System, values: Values, deck: Deck, index: Index, path: Path):
        from plexus.recommendation.bundle import load

        self.full, self.index = full, index
        self.values, self.fields = values, full.evaluation(deck.constants)
        self.told: dict[str, Any] = {"models": [], "probabilities": [], "outside": 0}
        self._known: dict[float, list[int]] = {}
        comm = full.spaces[index.unknown].comm
        self.found: Recommendation | None = None
        if index.recommendation:
            self.found = load(path.parent / index.recommendation, index.sha256, comm)
            classes = len(self.found.model.top.weights[0])
            if classes != len(index.models):
                raise InputError(f"{path}: {len(index.models)} models, and {classes} are recommended")

    def at(self, t: float) -> int:
        """Return the model for the load that begins at a time. Collective."""
        return self.ranked(t)[0]

    def ranked(self, t: float) -> list[int]:
        """Return all models for the load that begins at a time, the most probable first. Collective."""
        if t not in self._known:
            self._known[t] = self._asked(t)
        return self._known[t]

    def _asked(self, t: float) -> list[int]:
        """Return the models, the most probable first. Collective."""
        from plexus.fields.state import State

        if self.found is None:
            return [0]
        self.fields.look(State(self.values, t + self.found.at, 0, self.full.begin()))
        _, rows = self.fields.sample(self.found.load, self.fields.locate(self.found.places))
        p = self.found.probabilities(rows[:, 0])
        ranks = [int(k) for k in np.argsort(-p, kind="stable")]
        self.told["models"].append(ranks[0])
        self.told["probabilities"].append(float(p[ranks[0]]))
        self.told["outside"] = max(self.told["outside"], self.found.outside(rows[:, 0]))
        return ranks


EXAMPLE: dict[str, Any] = {"type": "dictionary", "file": "dictionary.json"}
