"""The learned multigrid as `plexus train` sees it: networks with gradients, counts, its bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.protocols import Port, Setting
from plexus.solvers.trainable import TrainableBase

if TYPE_CHECKING:
    from plexus.learning.session import Session
    from plexus.solvers.multigrid.hierarchy import Settings
    from plexus.solvers.multigrid.network import Network


class Trainable(TrainableBase):
    """What a training asks of its part (`plexus.protocols.Trainable`), around `params` of a multigrid."""

    params: Any
    inputs = (Port("features", "1", "scalar", "entry"), Port("texture", "1", "scalar", "entry"))
    outputs = tuple(Port(name, "1", "scalar", "entry") for name in ("factor", "ends", "mixed"))

    def settings(self) -> Settings:
        """Return how hierarchies are made."""
        from plexus.solvers.multigrid import bundle
        from plexus.solvers.multigrid.hierarchy import Settings

        p = self.params
        bits, cycle = 32 if p.precision == "single" else 64, p.cycle
        if cycle is None:
            cycle = bundle.trained_for(p.checkpoint)["cycle"] if p.checkpoint else "two_step"
        return Settings(degree=p.degree, cycle=cycle, theta=p.theta, bits=bits)

    def prepare(self, setting: Setting) -> None:
        """Make networks that change nothing yet, or take those of the bundle."""
        from plexus.solvers.multigrid import bundle
        from plexus.solvers.multigrid.nets import Net, started

        self.scales: dict[str, float] = {}
        self.metadata: dict[str, Any] = {}
        path = self.params.checkpoint
        found = None if path is None else bundle.load(path, self.params.sha256, setting.comm)
        self.network = started(self.params.seed) if found is None else Net(found)

    def raw(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return factors (e,) for couplings (e, 8), ends (l, 2) and shares (l, 3) for levels (l, 4)."""
        from plexus.solvers.multigrid.network import ENDS

        factor, told = self.network.factors(fields["features"]), self.network.of_levels(fields["texture"])
        return {"factor": factor, "ends": told[..., :ENDS], "mixed": told[..., ENDS:]}

    def range_of(self, fields: Any, widen: float = 0.0) -> dict[str, tuple[float, float]]:
        """Return the range of the features that the training met, widened by a share of it."""
        from plexus.solvers.multigrid.network import FEATURES

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
        from plexus.solvers.multigrid.network import Network

        net = self.network
        return Network(net.arrays(), net.low.numpy().copy(), net.high.numpy().copy())

    def describe(self, box: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
        """Return what the bundle says of the part."""
        from plexus.solvers.multigrid import bundle

        return bundle.described(self.plain(), self.settings(), box)

    def golden(self, fields: Any) -> Any:
        """Return features of couplings and levels, and what they are answered."""
        from plexus.solvers.multigrid import bundle

        return bundle.golden(self.plain())

    def judged(self, session: Session) -> list[dict[str, Any]]:
        """Return mean and largest counts of the validation, by problem, beside the skeleton's. Collective."""
        from plexus.solvers.multigrid.trials import both

        data: Any = session.validation
        counts = np.zeros((data.total, 2))
        for number in range(session.team.rank, data.total, session.team.size):
            counts[number] = both(data.system(number), self.settings(), self.plain())
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
