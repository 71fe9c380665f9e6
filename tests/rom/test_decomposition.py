"""Decomposition and cubature of known matrices: modes, orthonormality, exact integrals, ranks, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import InputError, SolveError
from plexus.reduction.cubature import compressed, cubature
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
    """Some 12 of 200 points integrate polynomials to degree 11, alike on all ranks, by one look or more."""
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
