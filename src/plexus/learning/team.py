"""Ranks that train one network together: sums, gradients and whole data sets.

    L = Σ_g L_g,   L_g = 1/P Σ_r L_gr,   dL/dθ = 1/P Σ_g Σ_r dL_gr/dθ

Every rank holds the same weights. Groups g of P ranks hold some of the samples each. The ranks r of a group
compute the same loss, L_gr = L_g, from a run that they have cut among them: what comes back to the weights of
one of them is its part of P times the gradient. With P = 1 a rank is a group. One reduction per evaluation,
over groups and domains together, carries loss and all gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from plexus.deck.solved import uneven
from plexus.errors import GuardError, InputError, SolveError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Tensor = torch.Tensor


class Team:
    """The ranks of a training; None is this process alone. Construction is collective.

    Attributes
    ----------
    size, rank : of all ranks.
    group : communicator of the ranks that work on the same samples, neighbours among all.
    shares, share : number of groups, and which one is this rank's.
    why : why this rank has had a loss or gradient that is no number, where it knows.

    Raises
    ------
    InputError
        If the ranks are no whole number of groups of ``per``.
    """

    def __init__(self, comm: Comm | None = None, per: int = 1):
        self.comm, self.per = comm, per
        self.size, self.rank = (comm.size, comm.rank) if comm is not None else (1, 0)
        if self.size % per:
            raise InputError(f"train.ranks.per_sample: {uneven(per, self.size)}")
        self.shares, self.share = self.size // per, self.rank // per
        self.why = ""
        self.group = None if comm is None else comm.Split(self.share, self.rank)

    def sum(self, part: Tensor) -> Tensor:
        """Return the sum over groups of the mean over their ranks, in double precision. Collective."""
        mine = part.detach().double().cpu()
        if self.comm is None or self.size == 1:
            return mine
        total = np.empty(tuple(mine.shape))
        self.comm.Allreduce(mine.contiguous().numpy(), total)
        return torch.from_numpy(total) / self.per

    def gradient(self, loss: Tensor, variables: Sequence[Tensor]) -> tuple[float, Tensor]:
        """Return the summed loss and its gradient as one vector, in double precision. Collective.

        ``loss`` is this rank's part, 0-d; one without graph (a rank without data) adds nothing. What a rank
        has of a gradient is a partial sum, whatever the ranks share out: one reduction adds all of it up.

        Raises
        ------
        GuardError
            On all ranks, if loss or gradient is not finite, or some rank's way back fails.
        """
        found: Sequence[Tensor | None] = [None] * len(variables)
        if loss.requires_grad:
            try:
                found = torch.autograd.grad(loss, variables, allow_unused=True)
            except SolveError as error:
                # the sum tells the other groups
                loss, self.why = loss.detach() * torch.nan, self.why or str(error)
        parts = [torch.zeros_like(v) if g is None else g for v, g in zip(variables, found, strict=True)]
        total = self.sum(
            torch.cat([loss.detach().double().reshape(1), *(p.double().flatten() for p in parts)])
        )
        self.finite(total)
        return float(total[0]), total[1:]

    def finite(self, total: Tensor) -> None:
        """Refuse numbers that are none; ``total`` is the same on all ranks. Collective."""
        if bool(total.isfinite().all()):
            return
        told = [self.why] if self.comm is None else self.comm.allgather(self.why)
        why = next((text for text in told if text), "lower the learning rate or the roll-outs' length")
        raise GuardError(f"loss or gradient is not finite: {why}")

    def descend(self, loss: Tensor, variables: Sequence[Tensor]) -> float:
        """Put the gradient of the summed loss into the variables and return that loss. Collective."""
        value, gradient = self.gradient(loss, variables)
        for variable, part in zip(variables, gradient.split([v.numel() for v in variables]), strict=True):
            variable.grad = part.reshape(variable.shape).to(variable)
        return value

    def together(self, part: Tensor, order: Tensor) -> Tensor:
        """Return the rows of all ranks, sorted by their numbers ``order``. Collective."""
        if self.comm is None or self.size == 1:
            return part[order.argsort()]
        # plain arrays travel: whole frames, once per training
        rows = self.comm.allgather((part.detach().cpu().resolve_conj().numpy(), order.cpu().numpy()))
        # the ranks of a group have the same rows
        _, first = np.unique(np.concatenate([n for _, n in rows]), return_index=True)
        whole = np.concatenate([r for r, _ in rows])[first]
        return torch.from_numpy(whole).to(part.device)
