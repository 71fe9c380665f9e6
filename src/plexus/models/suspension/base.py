"""What every model of an active suspension shares: moments to flow, memory, derived fields, monitors.

The stress of a suspension of rods, as the spin of its traceless part, is

    s = α f_1 - ζ β c f_1 + β/2 (g c + conj(g) f_2),   g = e + ζ f_1

from Σ = α (D - c I/2) + β S:E - 2ζβ (D·D - S:D): the spins of D·D and of S:T, T = E + 2ζD, are c f_1 and
ζ c f_1 + (g c + conj(g) f_2)/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch

from plexus.errors import InputError
from plexus.models.suspension import observables
from plexus.models.suspension.medium import Medium, aligned
from plexus.models.suspension.passive import Load, Memory, Passive, remember
from plexus.models.suspension.pointwise import Divergence, Second
from plexus.models.suspension.ports import missing
from plexus.models.suspension.snapshot import Snapshot
from plexus.models.suspension.waves import tilted
from plexus.protocols import Closure, Deviations, Setting
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor


class Suspension:
    """Base of `SpinModel` and `KineticModel`: a `plexus.protocols.Split` with a flow.

    Parameters
    ----------
    space:
        Complex fields of a periodic square.
    medium:
        Constants.
    passive:
        How the strain rate in the stress is found.
    start:
        Order of moments -> moments of the initial state, (order+1, *shape).
    order:
        Number of moments that the model carries.
    closure:
        What gives the next moment; None for zero.
    """

    unknown = "moments"
    real = False

    def __init__(
        self,
        space: Fourier,
        medium: Medium,
        passive: Passive,
        start: Callable[[int], Tensor],
        order: int,
        closure: Closure | None = None,
    ):
        if space.real or space.dim != 2:
            raise InputError("a suspension lives on a two-dimensional space of complex fields")
        self.space, self.passive, self.start = space, passive, start
        self.order, self.closure = order, closure
        self.change(medium)
        self._divergence = Divergence((space.ik(0), space.ik(1)), space.mask, self.turning_factors)
        self._memory: Memory | None = None
        self._seen: tuple[Tensor, float, Snapshot] | None = None
        if closure is not None:
            closure.prepare(self.setting())

    def setting(self) -> Setting:
        """Return what the closure is prepared for."""
        space = self.space
        return Setting(self.medium.numbers(), missing(self.order), space, str(space.device), space.comm)

    # what a model defines

    @property
    def rates_of_decay(self) -> Tensor:
        """Rotational decay of each part of the unknown, (M, 1, 1), without the factor d_R."""
        raise NotImplementedError

    @property
    def turning_factors(self) -> Tensor:
        """Factor of the rotation of each part of the unknown but the first, (M-1, 1, 1) complex."""
        raise NotImplementedError

    def initial(self, deviations: Deviations | None = None) -> Tensor:
        """Return the modes of the initial state and forget earlier evaluations. Collective."""
        self.reset()
        return self.modes(self.moments(deviations))

    def modes(self, f: Tensor) -> Tensor:
        """Return the modes of the unknown that has moments 0..K, (..., K+1, nx, ny). Collective."""
        raise NotImplementedError

    def on_grid(self, hat: Tensor) -> tuple[Tensor, Tensor]:
        """Return the unknown on the grid and the moments that the stress needs. Collective."""
        raise NotImplementedError

    def advance(self, s: Snapshot) -> Tensor:
        """Return the modes of what is explicit. Collective."""
        raise NotImplementedError

    # the protocol of steppers

    def change(self, medium: Medium) -> None:
        """Use other constants from now on, e.g. tensors that carry gradients."""
        self.medium = medium
        decay = self.rates_of_decay * aligned(medium.d_R)
        self.linear = -aligned(medium.d_T) * self.space.k2 - decay

    def explicit(self, hat: Tensor, t: float) -> Tensor:
        """Return the modes (..., M, *hat_shape) of the explicit terms, dealiased. Collective.

        The strain rate is kept for the next evaluation, with its graph where there is one: call `reset`
        before a new graph starts, or use `rates`.
        """
        rates, self._memory = self.rates(hat, t, self._memory)
        return rates

    def rates(self, hat: Tensor, t: float, memory: Memory | None) -> tuple[Tensor, Memory]:
        """Return explicit terms and memory: `explicit` as a pure function. Collective, differentiable."""
        s = self.snapshot(hat, t, memory)
        return self.advance(s), s.memory

    def rms(self, hat: Tensor) -> float:
        """Return the root mean square of the unknown. Collective."""
        return math.sqrt(float(self.space.power(hat).sum()))

    # evaluation

    def moments(self, deviations: Deviations | None) -> Tensor:
        """Return the moments 0..K at the start, (..., K+1, nx, ny), of distributions. Collective."""
        if deviations is None:
            return self.start(self.order)
        return tilted(self.space, self.start(self.order + 1), deviations(3))

    def snapshot(self, hat: Tensor, t: float, memory: Memory | None) -> Snapshot:
        """Return state and flow at one time; ``memory`` is that of earlier evaluations. Collective."""
        state, f = self.on_grid(hat)
        guess, w = memory.at(t) if memory else (None, None)
        solved = self.passive.solve(self.load(f, w), guess)
        kept, zeta = remember(memory, t, solved.flow), self.medium.zeta
        return Snapshot(state, f, solved.flow, zeta, solved.second, solved.sweeps, solved.change, kept)

    def load(self, f: Tensor, w: Tensor | None) -> Load:
        """Return the stress of moments f as a function of the strain rate."""
        return Load(f, self.medium, self.second(f, w))

    def second(self, f: Tensor, w: Tensor | None) -> Callable[[Tensor], Second]:
        """Return strain rate -> second moment, ``w`` half the vorticity or None."""
        return lambda _: Second(f[..., 2, :, :])

    def stress(self, s: Snapshot) -> Tensor:
        """Return the spin of the stress at the strain rate of a snapshot."""
        return self.load(s.f, s.flow.w).stress(s.flow.e, s.second)

    def divergence(self, carried: Tensor, rest: Tensor) -> Tensor:
        """Return the modes of -∇·(u a) + b, dealiased. Collective.

        Parameters
        ----------
        carried:
            Products u a and v a, (..., 2, M, nx, ny).
        rest:
            b without its `turning_factors`, for all parts of the unknown but the first, which has none.
        """
        return self._divergence(*self.space.forward_each(carried, rest))

    # what outputs ask for

    def now(self, hat: Tensor, t: float) -> Snapshot:
        """Return the snapshot of a state, kept until another state is asked for. Collective."""
        if self._seen is None or self._seen[0] is not hat or self._seen[1] != t:
            self._seen = hat, t, self.snapshot(hat, t, self._memory)
        return self._seen[2]

    def derived(self, name: str, hat: Tensor, t: float) -> Tensor:
        """Return a field of `plexus.models.suspension.specs`, real (..., m, *shape). Collective."""
        return observables.FORMULAS[name](self, self.now(hat, t))

    def monitor(self, hat: Tensor, t: float) -> dict[str, float]:
        """Return conservation, admissibility, power identity and work of the flow by name. Collective."""
        return observables.monitor(self, self.now(hat, t))

    # what restarts need

    def memory(self) -> dict[str, Tensor]:
        """Return the strain rates of the last two evaluations, `Memory.packed`; nothing before the first."""
        return {} if self._memory is None else {"strain": self._memory.packed()}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from what `memory` returned."""
        self.reset()
        if "strain" in memory:
            self._memory = Memory.unpacked(memory["strain"].to(self.space.device))

    def reset(self) -> None:
        """Forget the strain rates of earlier evaluations."""
        self._memory = self._seen = None
