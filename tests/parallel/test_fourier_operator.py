"""The Fourier neural operator over ranks: values, both gradients, any cut, and what travels."""

import pytest
import torch

from plexus.nets.fourier import FourierOperator
from plexus.nets.modes import Axis
from plexus.spaces.shared import Total

pytestmark = pytest.mark.mpi
GRIDS = [(96, 10), (97, 10), (17, 12, 6)]
CUTS = {"even": lambda n, r, p: n * r // p, "uneven": lambda n, r, p: round(n * (r / p) ** 2),
        "idle": lambda n, r, p: n * max(r - 1, 0) // max(p - 1, 1) if p > 1 else n * r}  # fmt: skip
TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-5}


@pytest.fixture
def comm():
    from mpi4py import MPI

    return MPI.COMM_WORLD


def operator(shape, dtype):
    net = FourierOperator(2, 1, [3] * len(shape), width=4, depth=2, projection=6, coordinates=True, seed=3)
    return net.to(dtype)


def answers(net, u, seed):
    """Return result, gradient of the input and gradients of the weights of Σ seed·result."""
    u = u.clone().requires_grad_(True)
    found = net(u)
    return found.detach(), *torch.autograd.grad((found * seed).sum(), [u, *net.parameters()])


def close(one, other, dtype):
    return (one - other).abs().max() <= TOLERANCE[dtype] * max(1.0, float(other.abs().max()))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("shape", GRIDS)
def test_ranks_change_nothing(comm, shape, cut, dtype):
    own = tuple(CUTS[cut](shape[0], r, comm.size) for r in (comm.rank, comm.rank + 1))
    rows, draw = slice(*own), torch.Generator().manual_seed(5)
    u, seed = (torch.randn(n, 2, *shape, generator=draw, dtype=dtype) for n in (2, 1))
    net = operator(shape, dtype)
    net.bind([Axis(n) for n in shape])
    whole, of_input, *of_weights = answers(net, u, seed)
    net.bind([Axis(shape[0], own), *map(Axis, shape[1:])], lambda part: Total.apply(part, comm))
    mine, own_input, *parts = answers(net, u[:, :, rows], seed[:, :, rows])
    assert comm.allreduce(rows.stop - rows.start) == shape[0]
    assert all(
        comm.allgather(
            mine.numel() == 0
            or bool(close(mine, whole[:, :, rows], dtype) and close(own_input, of_input[:, :, rows], dtype))
        )
    )
    # each rank has its part of a weight's gradient: they are summed once
    for part, expected in zip(parts, of_weights, strict=True):
        assert close(sum(comm.allgather(part)), expected, dtype)


def test_what_travels_does_not_depend_on_the_points(comm):
    sent = {}
    for n in (96, 192):
        numbers = []

        def total(part, numbers=numbers):
            numbers.append(part.numel() * part.element_size())
            return Total.apply(part, comm)

        net = operator((n, 10), torch.float64)
        net.bind([Axis(n, (n * comm.rank // comm.size, n * (comm.rank + 1) // comm.size)), Axis(10)], total)
        net(torch.ones(2, 1, *[a.index.numel() for a in net.axes], dtype=torch.float64))
        sent[n] = numbers
    # two layers, four channels, 6 x 3 modes of 16 bytes
    assert sent[96] == sent[192] == [4 * 18 * 16] * 2
