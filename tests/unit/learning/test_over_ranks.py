"""Optimisers go the same way on any ranks: what these have of loss, gradient and JᵀJ are partial sums."""

import pytest
import torch
from mpi4py import MPI
from objectives import Function, exponentials

from plexus import registry
from plexus.learning.team import Team


class Shared(Function):
    """Every n-th residual for n ranks."""

    def rows(self, step):
        comm = MPI.COMM_WORLD
        return super().rows(step)[comm.rank :: comm.size]


@pytest.mark.mpi
@pytest.mark.parametrize("name", registry.names("optimizer"))
def test_ranks_go_the_way_of_one(name):
    member = registry.component("optimizer", name)
    found = []
    for cls, team in ((Function, Team()), (Shared, Team(MPI.COMM_WORLD))):
        objective, optimizer = cls(exponentials, [1.2, 0.8, 0.4, 3.5]), member.cls(member.params())
        optimizer.start({"x": objective.x}, team)
        losses = [optimizer.step(objective, step, 20) for step in range(4)]
        found.append((losses, objective.x.detach()))
    (one, x), (many, y) = found
    assert many[:2] == pytest.approx(one[:2], rel=1e-6, abs=1e-14)
    assert torch.allclose(x, y, atol=1e-5)


@pytest.mark.mpi
def test_the_reduction_is_one(monkeypatch):
    """Loss and all gradients travel together."""
    team, count = Team(MPI.COMM_WORLD), []
    summed = team.sum
    monkeypatch.setattr(team, "sum", lambda part: count.append(part.numel()) or summed(part))
    a, b = (torch.ones(n, dtype=torch.float64, requires_grad=True) for n in (3, 5))
    loss, gradient = team.gradient(((MPI.COMM_WORLD.rank + 1) * (a.sum() + 2 * b.sum())), [a, b])
    total = MPI.COMM_WORLD.size * (MPI.COMM_WORLD.size + 1) / 2
    assert count == [9] and loss == 13 * total
    assert gradient.tolist() == [total] * 3 + [2 * total] * 5
