"""Members of a search: each is chosen by what the earlier ones have found.

The sampler has no memory of its own: it is told all members that have ended, and its seed is that of the
sweep plus the number of the member. So a search goes on where it was stopped, from nothing but the summaries.
The axes of the search are shares: a range is [0, 1] (`Range.at`), a list a choice of its positions.

Source of the samplers: T. Akiba, S. Sano, T. Yanase, T. Ohta, M. Koyama, KDD 25 (2019) 2623-2631,
doi:10.1145/3292500.3330701 (optuna)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from plexus.deck.members import Member
from plexus.deck.schema import Deck
from plexus.deck.sweep import Range, Sweep
from plexus.deck.sweep import best as figure_of
from plexus.errors import InputError
from plexus.sweep.best import measured
from plexus.sweep.status import FINISHED, Status

MISSING = "sweep.search needs optuna, which is not installed: pip install 'plexus[search]'"
Axis = Range | tuple[Any, ...]


def missing(deck: Deck) -> str | None:
    """Return what a deck's search lacks on this machine; None if nothing."""
    search = deck.sweep is not None and deck.sweep.search is not None
    return deck.placed(MISSING) if search and find_spec("optuna") is None else None


def following(
    deck: Deck, members: Sequence[Member], states: Mapping[int, Status], count: int
) -> list[Member]:
    """Return the next ``count`` members.

    Raises
    ------
    InputError
        If optuna is missing, or no member that is done has the figure of the search.
    """
    problem = missing(deck)
    if problem:
        raise InputError(problem)
    assert deck.sweep is not None
    first = len(members)
    return [
        Member(first + n, _point(deck.sweep, _asked(deck, members, states, first + n))) for n in range(count)
    ]


def _asked(deck: Deck, members: Sequence[Member], states: Mapping[int, Status], index: int) -> dict[str, Any]:
    """Return what the sampler chooses for a member: a share or the position in a list, by deck path."""
    import optuna
    from optuna.trial import TrialState, create_trial

    sweep, name = deck.sweep, figure_of(deck)
    assert sweep is not None and name is not None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    axes = {path: _distribution(optuna, axis) for path, axis in sweep.parameters.items()}
    study = optuna.create_study(sampler=_sampler(optuna, sweep, sweep.seed + index))
    found = measured(states, name)
    for member in members:
        state = states.get(member.index)
        params = {path: _place(axis, member.values[path]) for path, axis in sweep.parameters.items()}
        if member.index in found:
            study.add_trial(create_trial(params=params, distributions=axes, value=found[member.index].value))
        elif state is not None and state.state in (*FINISHED, "failed"):
            study.add_trial(create_trial(params=params, distributions=axes, state=TrialState.FAIL))
    return dict(study.ask(axes).params)


def _sampler(optuna: Any, sweep: Sweep, seed: int) -> Any:
    """Return the sampler; it begins at once, for the first members are drawn already."""
    assert sweep.search is not None
    seed %= 2**32
    if sweep.search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=1)


def _distribution(optuna: Any, axis: Axis) -> Any:
    if isinstance(axis, Range):
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    return optuna.distributions.CategoricalDistribution(range(len(axis)))


def _place(axis: Axis, value: Any) -> float | int:
    """Return where a value lies on an axis."""
    # sweep.json has lists where the deck has tuples
    return axis.share(value) if isinstance(axis, Range) else [*axis].index(value)


def _point(sweep: Sweep, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values at chosen places of the axes."""
    return {
        path: axis.at(asked[path]) if isinstance(axis, Range) else axis[asked[path]]
        for path, axis in sweep.parameters.items()
    }
