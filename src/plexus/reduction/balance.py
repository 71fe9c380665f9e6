"""Balance of forces of states that no full solve has found: how far they are from equilibrium.

    share = |R_free| / max over the states so far of |F|

R_free are the forces at the free nodes, F all, with those that hold the supports and without those of elastic
foundations, which hold a body as well. As a body that is unloaded
holds itself by stresses that add up to nothing at every node, the scale is the largest of the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from plexus.protocols import Since
from plexus.reduction.springs import bedded, bedding

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form

Array = np.ndarray


class Balance:
    """The largest share of forces out of balance among the states that were looked at.

    Parameters
    ----------
    form : Form
        The equation of equilibrium.
    scale : float
        Forces that are known to act at other times, e.g. in training [N].

    Attributes
    ----------
    scale : float
        The largest forces so far [N].
    worst : float
        That share; NaN if a state had forces that are no numbers.
    """

    def __init__(self, form: Form, scale: float = 0.0):
        self.form, self.worst, self.scale = form, 0.0, scale

    def look(self, t: float, u: Array, memory: Mapping[str, Array]) -> float:
        """Judge displacement (n_local, m) and memory at a time [s]; return the share. Collective."""
        return self.judge(t, u, self.forces(t, u, memory))

    def forces(self, t: float, u: Array, memory: Mapping[str, Array]) -> Array:
        """Return F of such a state, (n_owned, m). Collective."""
        found: Array = self.form.reactions(t, u, None, {self.form.own: u, **memory}, Since(0.0, memory))
        return found

    def judge(self, t: float, u: Array, forces: Array) -> float:
        """Judge the forces (n_owned, m) of a displacement (n_local, m); return the share. Collective."""
        held = forces
        if bedded(self.form):
            held = forces - bedding(self.form, u, t)[: len(forces)]
        own = np.array([(held**2).sum(), (self.form.released(forces) ** 2).sum()])
        acting, rest = np.sqrt(self.form.space.comm.allreduce(own))
        self.scale = float(np.maximum(self.scale, acting))
        share = float(rest / self.scale) if self.scale != 0 else 0.0
        # a share that is not a number stays, and is no balance
        self.worst = float(np.maximum(self.worst, share))
        return share

    def state(self) -> dict[str, float]:
        """Return what a restart needs."""
        return {"worst": self.worst, "scale": self.scale}

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on from what `state` returned."""
        self.worst, self.scale = float(state["worst"]), float(state["scale"])
