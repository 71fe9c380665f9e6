"""The learned multigrid as `plexus train` sees it: networks with gradients, counts, its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.protocols import Port, Setting
from plexus.solvers.multigrid import bundle
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.matrices import Matrix, local
from plexus.solvers.multigrid.network import FEATURES, Network

if TYPE_CHECKING:
    from plexus.learning.session import Session
    from plexus.protocols import Problem

RTOL, MOST = 1e-6, 200
"""Reduction of the residual that is counted, and steps at most."""


class Trainable:
    """What a training asks of its part (`plexus.protocols.Trainable`), around `params` of a multigrid."""

    params: Any
    loose, guard = False, None
    inputs = (Port("features", "1", "scalar", "entry"),)
    outputs = (Port("factor", "1", "scalar", "entry"),)

    def settings(self) -> Settings:
        """Return how hierarchies are made."""
        p = self.params
        bits, cycle = 32 if p.precision == "single" else 64, p.cycle
        if cycle is None:
            cycle = bundle.trained_for(p.checkpoint)["cycle"] if p.checkpoint else "two_step"
        return Settings(degree=p.degree, cycle=cycle, theta=p.theta, bits=bits)

    def prepare(self, setting: Setting) -> None:
        """Make networks that change nothing yet, or take those of the bundle."""
        from plexus.solvers.multigrid.unrolled import Net, started

        self.scales: dict[str, float] = {}
        self.metadata: dict[str, Any] = {}
        path = self.params.checkpoint
        found = None if path is None else bundle.load(path, self.params.sha256, setting.comm)
        self.network = started(self.params.seed) if found is None else Net(found)

    def calibrate(self, inputs: Any, targets: Any) -> None:
        """Do nothing: features have no dimension."""

    def range_of(self, inputs: Any, widen: float) -> dict[str, tuple[float, float]]:
        """Return the range of the features that the training met, widened by a share of it."""
        low, high = self.network.low.numpy(), self.network.high.numpy()
        room = widen * (high - low)
        return {n: (float(a), float(b)) for n, a, b in zip(FEATURES, low - room, high + room, strict=True)}

    def use_range(self, box: Mapping[str, tuple[float, float]]) -> None:
        """Keep the range beside the weights."""
        self.network.eval()
        for n, (low, high) in enumerate(box.values()):
            self.network.low[n], self.network.high[n] = low, high

    def plain(self) -> Network:
        """Return the networks as a run has them."""
        net = self.network
        return Network(net.arrays(), net.low.numpy().copy(), net.high.numpy().copy())

    def rivals(self) -> dict[str, Any]:
        """Return nothing: `judged` counts those of the multigrid without learning."""
        return {}

    def describe(self, box: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
        """Return what the bundle says of the part."""
        return bundle.described(self.plain(), self.settings(), box)

    def golden(self, inputs: Any) -> Any:
        """Return features of couplings and levels, and what they are answered."""
        return bundle.golden(self.plain())

    def judged(self, session: Session) -> list[dict[str, Any]]:
        """Return mean and largest counts of the validation, by problem, beside the skeleton's. Collective."""
        data: Any = session.validation
        counts = np.zeros((data.total, 2))
        for number in range(session.team.rank, data.total, session.team.size):
            system = data.system(number)
            skeleton = hierarchy(system, self.settings())
            counts[number] = [iterations(*system, cycle) for cycle in _both(skeleton, self.plain())]
        if session.team.comm is not None:
            counts = session.team.comm.allreduce(counts)
        table = []
        for group in range(data.groups):
            own = counts[[n for n in range(data.total) if data.group(n) == group]]
            for metric, of in (("iterations", np.mean), ("iterations at most", np.max)):
                found, beside = (float(x) for x in of(own, axis=0))
                table.append({"case": data.case(group), "metric": metric, "value": found,
                              "baselines": {"aggregation": beside}, "fallback": 0.0})  # fmt: skip
        return table


def _both(skeleton: Hierarchy, network: Network) -> tuple[Hierarchy, Hierarchy]:
    from plexus.solvers.multigrid.learned import Learned

    return Learned(skeleton, network), skeleton


def system_of(problem: Problem) -> tuple[Matrix, np.ndarray | None, np.ndarray]:
    """Return matrix, cells and right-hand side of a problem, all on this process."""
    layout = problem.layout(MPI.COMM_SELF)
    found = problem.system(layout, 0.0)
    rows, ghosts = local(found.pointer.astype(np.int32), found.columns, found.values, 0, len(found.rhs))
    return Matrix(MPI.COMM_SELF, rows, ghosts), layout.positions, found.rhs


def hierarchy(system: tuple[Matrix, np.ndarray | None, np.ndarray], settings: Settings) -> Hierarchy:
    """Return the hierarchy of a system."""
    return Hierarchy(system[0], settings, system[1])


def iterations(matrix: Matrix, places: np.ndarray | None, b: np.ndarray, found: Hierarchy) -> int:
    """Return the steps of conjugate gradients to 1e-6 of b, flexible under a K-cycle."""
    from plexus_kernels.native.multigrid import Cycle, Level

    n, rows = matrix.n, matrix.rows
    fine = Cycle([Level(*rows, n, matrix.diagonal)], 64)
    r, p, before, z, q = b.copy(), np.zeros(n), b, np.empty(n), np.empty(n)
    energy, size = 1.0, float(np.linalg.norm(b))
    for step in range(1, MOST + 1):
        scale = 1 / float(np.linalg.norm(r))
        found.cycle.apply(r, z, 0, (scale, 1 / scale))
        now = float(r @ z)
        along = float((r - before) @ z) if found.settings.cycle == "k" else now
        p = z + (along / energy if step > 1 else 0.0) * p
        fine.product(p, q, 0)
        energy, before = now, r
        r = r - now / float(p @ q) * q
        if not float(np.linalg.norm(r)) > RTOL * size:
            return step
    return MOST
