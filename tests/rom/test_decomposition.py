"""Decomposition and cubature of known matrices: modes, orthonormality, exact integrals, ranks, refusals."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import InputError, SolveError
from plexus.reduction import incremental
from plexus.reduction.cubature import compressed, cubature
from plexus.reduction.gramschmidt import Orthonormal
from plexus.reduction.incremental import BLOCK, Incremental
from plexus.reduction.pod import coordinates, gram, kept, pod
from plexus.reduction.separation import Separated

COMM = MPI.COMM_WORLD


def share(rows):
    """Return this rank's rows of a matrix that all ranks made alike."""
    return np.array_split(rows, COMM.size)[COMM.rank]


def snapshots(values=(1, 1e-2, 1e-4, 1e-5), rows=60):
    rng = np.random.default_rng(0)
    left = np.linalg.qr(rng.standard_normal((rows, len(values))))[0]
    right = np.linalg.qr(rng.standard_normal((12, len(values))))[0]
    return left, (left * values) @ right.T


@pytest.mark.mpi
def test_modes_span_what_was_put_in():
    """λ are squares of singular values; modes of 1e-5 of the first are orthonormal to rounding."""
    left, whole = snapshots()
    weights = share(1 + np.arange(60.0)[:, None])
    found = pod(COMM, share(whole), lambda a: a, 1e-6)
    assert np.allclose(np.sqrt(found.values), [1, 1e-2, 1e-4, 1e-5], rtol=1e-6)
    assert np.abs(gram(COMM, found.modes, found.modes) - np.eye(4)).max() <= 1e-12
    outside = share(left) - found.modes @ coordinates(COMM, found.modes, lambda a: a, share(left))
    assert COMM.allreduce(float(np.abs(outside).max()), MPI.MAX) <= 1e-8
    weighed = pod(COMM, share(whole), lambda a: weights * a, 1e-6)
    assert np.abs(gram(COMM, weighed.modes, weights * weighed.modes) - np.eye(4)).max() <= 1e-12


def one_by_one(whole, weights, tolerance, restart=None):
    """Return the incremental decomposition of the columns of a matrix; one may go on from a restart."""

    def inner(rows):
        columns = np.column_stack([row.ravel() for row in rows])
        return gram(COMM, columns, weights * columns)

    found = Incremental(inner, tolerance)
    for k, column in enumerate(whole.T):
        if k == restart:
            again = Incremental(inner, tolerance)
            again.restore(found.state(), np.hstack(found.rows))
            found = again
        found.add(column[:, None].copy())
    return found


@pytest.mark.mpi
def test_rows_that_come_one_by_one_have_the_modes_of_all():
    """Sixty snapshots of a pulse that wanders and fades, in blocks: modes, values, and what was left out."""
    x, t = np.linspace(0, 1, 80)[:, None], np.linspace(0, 1, 60)
    whole = share(np.exp(-(((x - 0.3 - 0.1 * t**2) / 0.3) ** 2)) * (1 + t) + 1e-3 * np.sin(9 * x * t))
    weights = share(1 + np.arange(80.0)[:, None])
    every = pod(COMM, whole, lambda a: weights * a, 1e-6)
    for tolerance, angle in ((1e-8, 1e-8), (1e-5, 1e-3)):
        found = one_by_one(whole, weights, tolerance, restart=37)
        assert len(found.rows) <= 20 + BLOCK
        columns = np.hstack(found.rows)
        basis = pod(COMM, columns, lambda a: weights * a, 1e-6, None, found.left)
        n = int((every.values >= 1e-8 * every.values[0]).sum())
        outside = basis.modes[:, :n] - every.modes[:, :n] @ gram(
            COMM, every.modes[:, :n], weights * basis.modes[:, :n]
        )
        assert n >= 4 and np.sqrt(gram(COMM, outside, weights * outside).diagonal().max()) <= angle
        assert np.allclose(basis.values[:n], every.values[:n], rtol=1e-6 if tolerance < 1e-7 else 1e-2)
        energy = COMM.allreduce(float((weights * whole**2).sum()))
        assert energy == pytest.approx(basis.spectrum.sum() + found.left, rel=1e-12)
        assert found.left <= 60 * (tolerance**2) * energy and (found.left > 1e-14 * energy) == (angle > 1e-8)


@pytest.mark.mpi
def test_few_rows_stay_as_they_are_and_zeros_do_no_harm():
    rng, weights = np.random.default_rng(COMM.rank), 1.0
    whole = np.hstack([np.zeros((20, 9)), rng.standard_normal((20, 3))])
    few = one_by_one(whole[:, 4:], weights, 1e-8)
    assert np.array_equal(np.hstack(few.rows), whole[:, 4:])
    found = one_by_one(whole, weights, 1e-8)
    assert len(found.rows) == 5 and found.decomposed().shape == (20, 1, 3)
    nothing = one_by_one(whole[:, :9], weights, 1e-8)
    assert nothing.decomposed().shape == (20, 1, 0) and nothing.left == 0.0


def test_memory_does_not_grow_with_the_rows(monkeypatch):
    """Of 60 rows with three shapes there never are more than the modes, a block, and pieces of them."""
    n = 2**14
    monkeypatch.setattr(incremental, "PIECE", 2**9)
    shapes = np.array([np.cos(k * np.arange(n)) for k in range(1, 4)])
    found = Incremental(lambda rows: np.array([[a.ravel() @ b.ravel() for a in rows] for b in rows]), 1e-8)
    tracemalloc.start()
    for t in np.linspace(0, 1, 60):
        found.add(([1, t, t**2] @ shapes)[:, None])
    _, most = tracemalloc.get_traced_memory()
    made = found.decomposed()
    _, end = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made.shape == (n, 1, 3) and most <= 8 * n * (3 + BLOCK + 3) and end <= most + 8 * n


def test_a_tolerance_leaves_modes_out():
    assert kept(np.array([1, 1e-4, 1e-8]), 1e-3) == 2
    # many small ones together hold a share as well
    assert kept(np.array([1.0, *[1e-7] * 40]), 1e-3) > 10
    with pytest.raises(InputError, match="rounding below"):
        pod(COMM, np.ones((4, 2)), lambda a: a, 1e-9)
    with pytest.raises(InputError, match="nothing to reduce"):
        pod(COMM, np.zeros((4, 2)), lambda a: a, 1e-6)


@pytest.mark.mpi
@pytest.mark.parametrize("pool", [1000, 5])
def test_few_points_integrate_polynomials(pool, monkeypatch):
    """Of 200 points some 12 integrate degree 11, the same on any ranks, by one look or many."""
    monkeypatch.setattr("plexus.reduction.cubature.POOL", pool)
    x = np.linspace(-1, 1, 200)
    whole = np.array([np.polynomial.legendre.legval(x, np.eye(12)[k]) for k in range(12)])
    weights, names = np.full(200, 0.01), np.arange(200, dtype=np.int64)
    here = np.array_split(np.arange(200), COMM.size)[COMM.rank]
    rows = compressed(COMM, [(slice(None), whole[:, here])], weights[here], 1e-10)
    found = cubature(COMM, rows, weights[here], names[here], 1e-8)
    assert len(found.names) <= 24 and (found.weights > 0).all()
    assert np.abs(whole[:, found.names] @ found.weights - whole @ weights).max() <= 1e-6
    every = compressed(MPI.COMM_SELF, [(slice(None), whole)], weights, 1e-10)
    alone = cubature(MPI.COMM_SELF, every, weights, names, 1e-8)
    assert np.array_equal(alone.names, found.names)


def test_a_search_that_stalls_says_how_far_it_came():
    """Below rounding no point lowers the error any more."""
    rng = np.random.default_rng(0)
    given = rng.standard_normal((20, 60)), np.full(60, 0.1), np.arange(60, dtype=np.int64)
    with pytest.raises(SolveError, match="stalls at an error of"):
        cubature(MPI.COMM_SELF, *given, 1e-18)
    assert 0 < cubature(MPI.COMM_SELF, *given, 1e-18, stalls=True).error < 1e-13


@pytest.mark.mpi
def test_samples_one_by_one_have_the_shapes_of_all():
    """Principal shapes are left singular vectors, and sums of the samples with which shapes came."""
    left, whole = snapshots()
    found = Orthonormal(COMM)
    for column in np.insert(whole, 3, 0.0, axis=1).T:
        found.take(share(column).copy())
    assert found.first == [0, 1, 2, 4]
    shares, before = found.shares, np.array(found.shapes)
    assert np.allclose(before.T @ shares, share(np.insert(whole, 3, 0.0, axis=1)), rtol=0, atol=1e-12)
    sizes, made = found.principal(1e-6)
    assert np.allclose(sizes, [1, 1e-2, 1e-4, 1e-5], rtol=1e-9)
    columns = np.array(found.shapes).T
    products = gram(COMM, columns, share(left))
    assert np.abs(np.abs(products) - np.eye(4)).max() <= 1e-9
    assert np.allclose(share(np.insert(whole, 3, 0.0, axis=1))[:, found.first] @ made, columns, atol=1e-8)
    assert len(found.shapes) == 4 and len(Orthonormal(COMM).principal(1e-6)[0]) == 0


@pytest.mark.mpi
def test_samples_that_count_as_zero_have_no_shape():
    """Rounding beside nothing would have one each."""
    rng, found = np.random.default_rng(0), Orthonormal(COMM, 1e-9)
    for _ in range(5):
        found.take(share(1e-12 * rng.standard_normal(60)))
    assert not found.shapes and found.shares.shape == (0, 5)
    found.take(share(np.ones(60)))
    assert found.first == [5] and found.principal(1e-6)[0] == pytest.approx([60**0.5])


@pytest.mark.mpi
def test_loads_are_sums_of_their_shapes():
    x = share(np.linspace(0, 1, 50))

    def f(t):
        return np.sin(t) * x + t**2 * np.exp(-x)

    def parted(function):
        def course(k):
            return lambda times: np.array([function(t)[k] for t in times]).T

        return Separated(COMM, "a load", function, course, np.linspace(0.1, 2, 9))

    def amplitudes(parts, *times):
        return parts.amplitudes(np.array(times), COMM.allreduce(parts.local(np.array(times))))

    parts = parted(f)
    assert parts.rank == 2
    times = 0.37, 1.9, 5.0
    for t, a in zip(times, amplitudes(parts, *times).T, strict=True):
        assert np.allclose(parts.shapes @ a, f(t), rtol=0, atol=1e-9 * 30)

    def other(t):
        return f(t) if t < 3 else x**2

    with pytest.raises(SolveError, match="a load: its shape at t = 4 s is no sum"):
        amplitudes(parted(other), 1.0, 4.0)
