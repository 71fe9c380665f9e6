"""How far the error of a reduced model is above its indicator, on loads that its training has not seen.

Each trajectory is marched by the full and by the reduced model. Its number is

    r = max_t e(t)/e_G(t),    e = |p̃ - p|/|p| over the body,

p̃ being the fit that e_G judges. For trajectories that are exchangeable with these the k-th smallest number
is not exceeded with probability c, k = ⌈(n + 1) c⌉ (split conformal prediction, V. Vovk, A. Gammerman, G.
Shafer, Algorithmic Learning in a Random World, Springer 2005).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.compose import compose
from plexus.deck.override import split
from plexus.deck.reduce import Reduce
from plexus.deck.schema import Deck
from plexus.errors import InputError
from plexus.offline.whole import require_end
from plexus.reduction.measures import weights_of

if TYPE_CHECKING:
    from pathlib import Path

    from plexus.runtime.context import Context

Array = np.ndarray
OF = "p"
"""Variable that is compared."""
JUDGED = 1e-3
"""Share of the training's largest root mean square from which on an error of it says something."""


@dataclass(frozen=True)
class Trajectory:
    """What one trajectory showed, at the steps at which p is large enough to be judged.

    Attributes
    ----------
    time : list of float
        Times [s].
    indicator, error : list of float
        e_G and e then.
    """

    time: list[float] = field(default_factory=list)
    indicator: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """The largest error over the indicator, 0 where nothing was judged."""
        return max((e / i for e, i in zip(self.error, self.indicator, strict=True)), default=0.0)


def trajectories(deck: Deck, ctx: Context, file: Path) -> list[Trajectory]:
    """Return what each trajectory that the deck names showed of the model in a file. Collective.

    Raises
    ------
    InputError
        If a trajectory is no valid deck, or its steps differ between the models.
    SolveError
        If a march is asked to stop.
    """
    assert isinstance(deck.reduce, Reduce)
    # a deck's relative paths begin at its own folder, those of a command where it was given
    rom = {
        "type": "galerkin", "file": str(file.absolute()), "new_shapes": "respond", "imbalance": 1e9,
        "indicator": {"of": OF, "tolerance": 1e9},
    }  # fmt: skip
    found = []
    for number, changes in enumerate(deck.reduce.calibration):
        full, reduced = (_run(deck, ctx, changes, block) for block in (None, rom))
        found.append(_compared(full, reduced))
        ctx.log.info(f"calibration {number + 1}: largest error over indicator {found[-1].ratio:.3g}")
    return found


def _run(deck: Deck, ctx: Context, changes: Mapping[str, Any], rom: dict[str, Any] | None) -> Any:
    """Return the run of a deck with changes, without outputs. Collective."""
    plain: Any = deepcopy(deck.plain())
    data = plain["data"]
    for path, value in changes.items():
        _put(data, path, value)
    data.pop("rom", None)
    data |= {} if rom is None else {"rom": rom}
    data["output"] = []
    try:
        run = compose(Deck.from_plain(plain), ctx)
    except ValueError as error:
        raise InputError(f"reduce.calibration: {error}") from error
    run.observers = []
    return run


def _put(data: Any, path: str, value: Any) -> None:
    """Set a value of a deck's data that is there."""
    *above, last = split(path)
    try:
        for part in above:
            data = data[int(part) if isinstance(data, list) else part]
        key = int(last) if isinstance(data, list) else last
        data[key]
    except (KeyError, IndexError, TypeError, ValueError):
        raise InputError(f"reduce.calibration: the deck has no {path}") from None
    data[key] = value


def _compared(full: Any, reduced: Any) -> Trajectory:
    """March both to the end and return what was seen. Collective."""
    trust, body = reduced.system.trust, full.system
    n, comm = body.points[OF].n_owned, reduced.system.comm
    weights = weights_of(next(iter(body.forms.values())))
    volume, rows = comm.allreduce(float(weights.sum())), []
    least = JUDGED * reduced.system.model.facts["largest"][OF] * volume**0.5
    for one, two in zip(full.march(), reduced.march(), strict=True):
        for run in (full, reduced):
            require_end(run)
        if abs(one.t - two.t) > 1e-9 * max(abs(one.t), 1e-300):
            raise InputError("reduce.calibration: both models must take the same steps: let them be fixed")
        p, fit = one.internal[OF][:n], trust.gappy.reconstructed(two.internal[OF])
        squares = [float((weights * (a**2).sum(axis=1)).sum()) for a in (p, fit - p)]
        size, error = comm.allreduce(np.array(squares)) ** 0.5
        if size > least and trust.latest > 0:
            rows.append((float(one.t), float(trust.latest), float(error / size)))
    return Trajectory(*(list(column) for column in zip(*rows, strict=True))) if rows else Trajectory()
