"""The preconditioner with networks, if PETSc's options name a bundle; each answer is looked at.

``-pc_plexus_bundle FILE``, or the name of a bundle that Plexus ships. Answer z to residual r of the learned
cycle must be finite with zᵀr > 0, and residuals must come down; else the cycle without learning takes over
for the rest of the solve, so that conjugate gradients meet one linear operator from then on. All ranks decide
alike.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from plexus.solvers.multigrid import bundle, context, options
from plexus.solvers.multigrid.guarded import LONG, SLOW, Watch
from plexus.solvers.multigrid.learned import Learned
from plexus.solvers.multigrid.matrices import positive
from plexus.solvers.multigrid.nested import build
from plexus.solvers.multigrid.network import Network

if TYPE_CHECKING:
    from petsc4py import PETSc

SHARE = 0.01
"""Sizes of positive entries beside diagonals over those of all, from which on they are told."""


class Watched(context.Multigrid):
    """A multigrid with networks, and what watches it in a run.

    Attributes
    ----------
    part : what counts; the run judges it.
    learned : the hierarchy with learned couplings; None without a bundle, or where it may not answer.
    nested : its cycle of PETSc's own objects, if options ask for them; None else.
    """

    def __init__(self, watch: Watch | None = None, sha256: str | None = None):
        super().__init__()
        self.part, self._alone = watch or Watch(), watch is None
        self.learned: Learned | None = None
        self._sha256 = sha256
        self._loaded: tuple[str, Network] | None = None
        self._trusted, self._norms = False, list[float]()
        self._ksp: PETSc.KSP | None = None

    def setUp(self, pc: PETSc.PC) -> None:
        """Make both hierarchies of the preconditioner's matrix. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound.
        """
        self.learned, network = None, self._network(pc)
        self.alone = network is None or self.part.tired
        super().setUp(pc)
        if self.hierarchy is None or network is None or self.part.tired:
            return
        try:
            made = Learned(self.hierarchy, network)
            _ = made.cycle  # what is wrong with its bounds shows here
        except ArithmeticError as error:
            self.part.leave(str(error))
        else:
            self.learned = made
            self._tell(pc, made)
            if self.nested is not None:
                self.nested.destroy()
                self.nested = build(made, pc.getOperators()[1], self.scale)
        self._again()

    def preSolve(self, pc: PETSc.PC, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> None:
        """Start a solve."""
        self._again()
        self._ksp = ksp
        if self.learned is not None:
            self.part.begin()

    def _again(self) -> None:
        self._trusted, self._norms = self.learned is not None and not self.part.tired, []

    def postSolve(self, pc: PETSc.PC, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> None:
        """End a solve."""
        self._ksp = None
        if self._trusted:
            self.part.well()

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the cycle's answer for ``x``. Collective."""
        if self.learned is None:
            super().apply(pc, x, y)
            return
        assert self.hierarchy is not None
        if self._trusted:
            if self.nested is not None:
                self.nested.apply(x, y)
            else:
                self.answer(self.learned, x, y)
            reason = self._wrong(x, y)
            if reason is None:
                return
            self._trusted = False
            self.part.leave(reason)
        self.answer(self.hierarchy, x, y)

    applyTranspose = apply

    def _wrong(self, x: PETSc.Vec, y: PETSc.Vec) -> str | None:
        """Return why an answer will not do, None where it will. Collective."""
        along = float(y.dot(x))
        if not np.isfinite(along):
            return "answers that are no numbers"
        if not along > 0 and float(x.norm()) > 0:
            return "answers that do not descend"
        # many methods ask for other vectors than residuals, and know of none before their first step
        norm = 0.0 if self._ksp is None else float(self._ksp.getResidualNorm())
        if not norm > 0:
            return None
        self._norms.append(norm)
        if len(self._norms) > LONG and self._norms[-1] > SLOW * self._norms[-1 - LONG]:
            return "residuals that do not fall"
        return None

    def _network(self, pc: PETSc.PC) -> Network | None:
        """Return the networks that PETSc's options name. Collective."""
        path = options.named(pc.getOptionsPrefix() or "")
        if path is None:
            return None
        if self._loaded is None or self._loaded[0] != path:
            self._loaded = path, bundle.load(path, self._sha256, pc.comm.tompi4py())
        return self._loaded[1]

    def _tell(self, pc: PETSc.PC, made: Learned) -> None:
        """Warn of what the training may not have met, once."""
        if self.part.beyond:
            return
        low, high = dict(zip(made.names, made.network.low, strict=True)), made.network.high
        top = dict(zip(made.names, high, strict=True))
        self.part.beyond = [
            f"{name} from {a:.3g} to {b:.3g}, trained from {low[name]:.3g} to {top[name]:.3g}"
            for name, (a, b) in made.outside().items()
        ]
        share = positive(made.matrices[0]) if made.settings.block == 1 else 0.0
        if share > SHARE:
            self.part.beyond.append(f"{share:.1%} of the couplings are positive, which no network sees")
        # a run tells it itself
        if self.part.beyond and pc.comm.rank == 0 and self._alone:
            warnings.warn(f"learned multigrid: {'; '.join(self.part.beyond)}", stacklevel=2)
