"""Spectral fields on slabs: every rank repeats the whole problem alone and compares, also on uneven slabs."""

import math
import sys
from pathlib import Path

import pytest
import torch
from mpi4py import MPI

sys.path.insert(0, str(Path(__file__).parent.parent / "unit" / "spectral"))
from spectral_cases import Burgers, march

from plexus.devices.transfers import transfers
from plexus.physics.navier_stokes import NavierStokes, NavierStokesParams
from plexus.spaces import statistics
from plexus.spaces.fourier import Fourier
from plexus.stepping.steppers.etdrk4 import Etdrk4, Etdrk4Params
from plexus.stepping.steppers.ifrk4 import Ifrk4, Ifrk4Params
from plexus.stepping.steppers.imex_rk import ImexRk, ImexRkParams
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

pytestmark = pytest.mark.mpi
KINDS = [((16, 12), False), ((9, 10), True), ((7, 16), True), ((12, 8, 10), True), ((5, 9, 7), False)]
STEPPERS = {
    "sbdf2": lambda: Sbdf2(Sbdf2Params()),
    "etdrk4": lambda: Etdrk4(Etdrk4Params()),
    "ifrk4": lambda: Ifrk4(Ifrk4Params()),
    "imex_rk": lambda: ImexRk(ImexRkParams()),
}


def twins(cells, real, **options):
    """The space over all ranks and the same one on this rank alone."""
    lengths = (2 * math.pi, 3.0, 4.0)[: len(cells)]
    return [Fourier(cells, lengths, comm, real=real, **options) for comm in (MPI.COMM_WORLD, None)]


def noise(space, *lead, seed=0):
    """The same random field on every rank, whole."""
    draw = torch.Generator().manual_seed(seed)
    dtype = space.dtype if space.real else space.complex_dtype
    return torch.randn(*lead, *space.cells, dtype=dtype, generator=draw)


@pytest.mark.parametrize(("cells", "real"), KINDS)
def test_transforms(cells, real):
    shared, alone = twins(cells, real)
    u = noise(alone, 2, 3)
    hat = shared.forward(shared.own(u))
    assert torch.allclose(shared.gather_hat(hat), alone.forward(u), atol=1e-14, rtol=0)
    assert torch.allclose(shared.gather(shared.inverse(hat)), u, atol=1e-13, rtol=0)
    one = shared.forward(shared.own(u[0, 0]))
    assert torch.allclose(one, hat[0, 0], atol=1e-14, rtol=0)


@pytest.mark.parametrize(("cells", "real"), KINDS)
def test_wave_numbers_masks_points_and_sums(cells, real):
    shared, alone = twins(cells, real, dealias="smooth36")
    for name in ("mask", "k2", "inverse_k2"):
        assert torch.equal(shared.gather_hat(getattr(shared, name)), getattr(alone, name)), name
    zero = torch.zeros(alone.hat_shape, dtype=alone.complex_dtype)
    for axis in range(alone.dim):
        mine = shared.ik(axis) + torch.zeros(shared.hat_shape, dtype=shared.complex_dtype)
        assert torch.equal(shared.gather_hat(mine), alone.ik(axis) + zero)
        x = shared.points()[axis] + torch.zeros(shared.shape, dtype=shared.dtype)
        assert torch.equal(shared.gather(x), alone.points()[axis].expand(alone.cells))
    u, v = noise(alone, 3), noise(alone, 3, seed=1)
    mine = shared.own(u)
    assert torch.allclose(shared.mean(mine), alone.mean(u), atol=1e-15)
    assert torch.allclose(shared.inner(mine, shared.own(v)), alone.inner(u, v), atol=1e-14)
    assert torch.equal(shared.max(mine.abs()), alone.max(u.abs()))
    assert torch.allclose(shared.power(shared.forward(mine)), alone.power(alone.forward(u)))


@pytest.mark.parametrize(("cells", "real"), KINDS)
def test_gradients_cross_ranks(cells, real):
    """One loss, held by all ranks: its gradient by the whole field, and second derivatives."""
    shared, alone = twins(cells, real)
    u = noise(alone)

    def loss(space, a):
        hat = space.forward(a) * space.ik(0) * space.mask
        square = (space.inverse(hat).abs() ** 2).to(a.dtype)
        return space.power(space.forward(square)) + space.mean(a.abs() ** 2)

    found = []
    for space, start in ((shared, shared.own(u)), (alone, u)):
        a = start.clone().requires_grad_()
        (first,) = torch.autograd.grad(loss(space, a), a, create_graph=True)
        (second,) = torch.autograd.grad(space.mean(first.abs() ** 2), a)
        found.append((space.gather(first), space.gather(second)))
    for mine, whole in zip(*found, strict=True):
        assert torch.allclose(mine, whole, atol=1e-12 * float(whole.abs().max()), rtol=0)


@pytest.mark.parametrize("name", STEPPERS)
def test_fifty_steps(name):
    results = []
    for space in twins((20, 15), True):
        model = Burgers(space, 0.3)
        hat = march(model, STEPPERS[name](), model.start(), [0.02 * i for i in range(51)])
        results.append((space.gather_hat(hat), model.rms(hat)))
    (mine, rms), (whole, exact) = results
    assert float((mine - whole).abs().max()) <= 1e-13 * float(whole.abs().max())
    assert rms == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize("cells", [(18, 14), (10, 8, 9)])
def test_turbulence_and_its_statistics(cells):
    """Random flow of one seed, 50 steps, spectrum, distribution and monitors: independent of the ranks."""
    results = []
    for comm in (MPI.COMM_WORLD, None):
        space = Fourier(cells, (2 * math.pi,) * len(cells), comm)
        model = NavierStokes(NavierStokesParams(viscosity=0.05, start="random", peak=2)).model(space, seed=3)
        hat = march(model, Sbdf2(Sbdf2Params()), model.initial(), [0.01 * i for i in range(51)])
        u = model.derived("velocity", hat, 0.5)
        density, edges = statistics.density(model.space, u[0], bins=7)
        table = torch.tensor(list(model.monitor(hat, 0.5).values()), dtype=torch.float64)
        spectrum = statistics.energy_spectrum(model.space, hat)
        parts = [*statistics.moments(model.space, u).values(), spectrum, density, edges, table]
        results.append([model.space.gather(u), *parts])
    for mine, whole in zip(*results, strict=True):
        assert torch.allclose(mine, whole, atol=1e-12, rtol=1e-10)


class NoStream:
    """What the device paths ask of a stream, without a device."""

    def synchronize(self):
        pass


@pytest.mark.parametrize("way", ["_swap_device", "_swap_staged"])
def test_ways_of_the_device_exchange_the_same_blocks(monkeypatch, way):
    """Both ways of GPUs run on host arrays here: blocks, sizes and counters are those of the host's way."""
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: NoStream())
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, pin_memory=False, **k: empty(*a, **k))
    shared, alone = twins((9, 10), False)
    if shared.transpose is None:
        pytest.skip("one rank exchanges nothing")
    t = shared.transpose
    whole = noise(alone, 2)
    for source, cut, join in (
        (shared.own(whole).contiguous(), (-1, t.columns), (-2, t.rows)),
        (whole[..., slice(*shared.columns)].contiguous(), (-2, t.rows), (-1, t.columns)),
    ):
        new = t.exchange(source, cut[0] == -1)
        again, before = torch.zeros_like(new), transfers.as_dict()
        getattr(t, way)(source, again, cut, join)
        assert torch.equal(again, new)
        moved = {k: v - before[k] for k, v in transfers.as_dict().items()}
        copies = 1 if way == "_swap_staged" else 0
        assert (moved["to_host"], moved["to_device"]) == (copies, copies)
        assert moved["bytes_to_host"] == copies * source.nbytes
