"""Defect correction of a reduced run: u = Σ_k a_k ℓ_k + Σ_j γ_j ψ_j + c(x), with c outside of the basis.

    K_0 δ = -R(u; memory),    c ← c + δ

R is what the forces of the whole body leave out of balance at the end of a step, K_0 the stiffness at rest.
A body that ratchets leaves the span of its first cycles by displacements that are small, but whose volume
change is elastic. At a given memory it answers elastically, so that one solve balances it as far as its
moduli are those of rest; between two corrections no more than the drift of these steps is left. Basis and
points stay: RᵀΨ = 0 up to the cubature, so that δ is orthogonal to the modes in the energy of K_0.

This is one step of iterated defect correction (K. Böhmer, P. Hemker, H. J. Stetter, Computing Suppl. 5 (1984)
1, doi:10.1007/978-3-7091-7023-6_1), with the full model as the finer one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.reduction.responses import Elastic

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem


class Correction:
    """Corrects a reduced system after steps. Construction is collective.

    Parameters
    ----------
    system : ReducedSystem
        The system.
    every : int
        So many steps at a time.
    """

    def __init__(self, system: ReducedSystem, every: int):
        self.system, self.every = system, every
        self.elastic = Elastic(system.full, system.full.opening.t)

    def look(self, step: int) -> None:
        """Correct the state to which a step has led, if its number is a multiple. Collective.

        Raises
        ------
        SolveError
            On all ranks, if the linear solve fails.
        """
        if step % self.every:
            return
        whole = self.system.whole
        t, u = whole.replay.latest()
        forces = whole.balance.forces(t, u, whole.replay.memory)
        whole.balance.judge(t, u, forces)
        whole.correct(whole.correction - self.elastic.solved(forces))
        self.system.steps.shift(whole.correction)
