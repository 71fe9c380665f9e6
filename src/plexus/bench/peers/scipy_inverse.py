"""Gradient of a misfit with respect to a conductivity at nodes, with SciPy; needs no plexus.

    -∇·(k ∇u) = 1,    u = 0 at the held nodes,    k = m or m (1 + u),    J = Σ_s (u_s - d_s)²

Linear triangles, whose integrals have closed forms (|c| area, G_ij = |c| ∇φ_i·∇φ_j, sums over nodes):

    ∫ m = |c| Σ_i m_i/3,    ∫ m φ_j = |c| (Σ_i m_i + m_j)/12.

The matrix of free nodes is factorised by SuperLU, whose transposed solve gives λ, and
dJ/dm_i = -∂(λᵀF)/∂m_i. Newton's method ends where ours does, and the adjoint takes the tangent there.

Protocol, one JSON object per line: ``{"job": path, "bent": bool, "rtol": number}`` reads points, cells, held,
sensors, data and m; ``{}`` computes solution and gradient and answers with seconds and iterations;
``{"scale": number}`` does so for that many times m, and ``{"result": path}`` writes the gradient.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import scipy
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import SuperLU, splu

Array = np.ndarray
# the ordering and pivots that are fastest for nearly symmetric matrices
SETTINGS: dict[str, Any] = {
    "permc_spec": "MMD_AT_PLUS_A",
    "diag_pivot_thresh": 0.0,
    "options": {"SymmetricMode": True},
}


class Problem:
    """Mesh, sensors and data."""

    def __init__(self, job: Any, bent: bool, rtol: float):
        self.cells, self.m, self.bent, self.rtol = job["cells"], job["m"], bent, rtol
        self.sensors, self.data = job["sensors"], job["data"]
        x = job["points"][self.cells]
        sides = x[:, [2, 0, 1]] - x[:, [1, 2, 0]]
        turned = np.stack([-sides[..., 1], sides[..., 0]], -1)
        area = 0.5 * (sides[:, 2, 0] * turned[:, 0, 0] + sides[:, 2, 1] * turned[:, 0, 1])
        self.area = np.abs(area)
        slopes = turned / (2 * area[:, None, None])
        self.pairs = self.area[:, None, None] * (slopes @ slopes.swapaxes(1, 2))
        self.n = len(job["points"])
        self.free = np.setdiff1d(np.arange(self.n), job["held"])
        place = np.full(self.n, -1)
        place[self.free] = np.arange(len(self.free))
        rows, cols = np.broadcast_arrays(place[self.cells][:, :, None], place[self.cells][:, None])
        self.kept = ((rows >= 0) & (cols >= 0)).ravel()
        self.rows, self.cols = rows.ravel()[self.kept], cols.ravel()[self.kept]
        self.load = self.spread(np.repeat(self.area[:, None] / 3, 3, 1))
        self.iterations = 0

    def spread(self, local: Array) -> Array:
        """Return sums over cells at all nodes."""
        return np.bincount(self.cells.ravel(), local.ravel(), self.n)

    def mean(self, u: Array) -> Array:
        """Return the mean of k in each cell."""
        m = self.m[self.cells]
        plain = m.sum(1) / 3
        if not self.bent:
            return plain
        return plain + np.einsum("ci,ci->c", m.sum(1)[:, None] + m, u[self.cells]) / 12

    def factorised(self, u: Array) -> SuperLU:
        """Return the factors of ∂F/∂u at free nodes."""
        local = self.mean(u)[:, None, None] * self.pairs
        if self.bent:
            m, flow = self.m[self.cells], np.einsum("cij,cj->ci", self.pairs, u[self.cells])
            local = local + flow[:, :, None] * ((m.sum(1)[:, None] + m) / 12)[:, None]
        n = len(self.free)
        matrix = coo_matrix((local.ravel()[self.kept], (self.rows, self.cols)), (n, n))
        return splu(matrix.tocsc(), **SETTINGS)

    def residual(self, u: Array) -> Array:
        """Return F at free nodes."""
        flow = self.mean(u)[:, None] * np.einsum("cij,cj->ci", self.pairs, u[self.cells])
        return (self.spread(flow) - self.load)[self.free]

    def gradient(self) -> Array:
        """Return dJ/dm at all nodes."""
        u, factors = self.solve()
        v = np.zeros(self.n)
        np.add.at(v, self.sensors, 2 * (u[self.sensors] - self.data))
        lam = np.zeros(self.n)
        lam[self.free] = factors.solve(v[self.free], "T")
        work = np.einsum("ci,cij,cj->c", lam[self.cells], self.pairs, u[self.cells])[:, None]
        share = np.full((1, 3), 1 / 3)
        if self.bent:
            share = share + (u[self.cells].sum(1)[:, None] + u[self.cells]) / 12
        return -self.spread(work * share)

    def solve(self) -> tuple[Array, SuperLU]:
        """Return u and the factors of the tangent there."""
        u = np.zeros(self.n)
        f = self.residual(u)
        start, self.iterations = np.linalg.norm(f), 0
        factors = self.factorised(u)
        while True:
            u[self.free] -= factors.solve(f)
            self.iterations += 1
            if not self.bent:
                return u, factors
            f, factors = self.residual(u), self.factorised(u)
            if np.linalg.norm(f) <= self.rtol * start:
                return u, factors


def main() -> None:
    """Answer one line per request."""
    first = json.loads(sys.stdin.readline())
    job = np.load(first["job"])
    problem = Problem(job, first["bent"], first["rtol"])
    print(json.dumps({"version": scipy.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        problem.m = request.get("scale", 1.0) * job["m"]
        start = time.process_time()
        found = problem.gradient()
        seconds = time.process_time() - start
        if "result" in request:
            np.save(request["result"], found)
        print(json.dumps({"seconds": seconds, "iterations": problem.iterations}), flush=True)


main()
