"""Learned closure of f_2 or f_3 that turns with the flow and cannot leave the possible moments.

A state (c, f_1[, f_2]) leaves the next moment a disk (see `plexus.models.suspension.toeplitz`). The network
moves the classical point within it. With r = |f_1|/c, n = f_1/|f_1| and the strain e seen along n, h = e n*:

    f_2 = c n² [r² + (1 - r²) ρ],   ρ = (ρ_B + w)/(1 + ρ_B w),      ρ_B = Bingham's coefficient
    f_3 = c [s_2 + E_2 n³ w],                                         s_2, E_2 = centre and radius of the disk
    w = z/(1 + |z|²)^(1/2),   z = r (R + i Σ_j q_j A_j)

R and A_j are a network of even scalars and of products of odd ones (`plexus.nets.spin`): r, Re h, (Im h)²,
for f_3 also k_2 n*², optionally ζ, d_R, |∇f_1| and the vorticity. So |w| < 1 gives a realizable moment by
construction, rotations and reflections are exact, the correction vanishes with r and leaves the isotropic
state's linear growth alone, and untrained weights give Bingham's (f_2) or the autoregressive (f_3) closure.

The strain enters as h/(h_0² + |h|²)^(1/2): bounded, however strong the flow.

Source: S. Maddu, S. Weady, M. J. Shelley, J. Comput. Phys. 504 (2024) 112869,
doi:10.1016/j.jcp.2024.112869, for learning closures of this theory; the reflection coefficient is that of
B. Simon, doi:10.1090/coll054.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from plexus.closures._bingham import bingham_table
from plexus.closures._learned import Learned, LearnedParams
from plexus.closures._native import Native
from plexus.closures.base import Fields, pointwise, scaled
from plexus.deck.params import Field
from plexus.learned.ports import Properties
from plexus.models.suspension import toeplitz
from plexus.models.suspension.ports import D_R, GRADIENT, STRAIN, VORTICITY, ZETA
from plexus.registry import register

if TYPE_CHECKING:
    import torch

EXAMPLE: dict[str, Any] = {"type": "spin_network", "moment": 3, "width": 24, "inputs": ["zeta"]}

Extra = Literal["zeta", "d_R", "gradient", "vorticity"]
SMALL = 1e-30
"""Added to |f_1|²: the direction of nothing is zero, with a finite derivative."""


class SpinNetworkParams(LearnedParams):
    """Parameters of the spin network; a checkpoint brings its own architecture."""

    moment: Literal[2, 3] = Field(
        2, description="which moment is learned: 2 in a model of order 1, 3 of order 2"
    )
    width: int = Field(32, ge=1, le=512, description="neurons per hidden layer")
    depth: int = Field(2, ge=1, le=8, description="hidden layers")
    activation: Literal["tanh", "sine", "silu", "gelu"] = Field("silu", description="activation function")
    inputs: tuple[Extra, ...] = Field((), description="what the network sees beside moments and strain")


@dataclass(frozen=True)
class _Frame:
    """A state seen along its director: all that is needed to go back, in the solver's precision."""

    c: Any
    r: Any
    n: Any
    square: Any
    """r², at most 1."""
    evens: list[Any]
    odds: list[Any]
    disk: toeplitz.Disk | None


@register("closure", "spin_network", SpinNetworkParams)
class SpinNetwork(Learned):
    """Reflection coefficient of f_2 or f_3 from a small equivariant network."""

    admissible = True

    def __init__(self, params: SpinNetworkParams):
        super().__init__(params)
        self.native = Native(self)

    def chosen(self) -> dict[str, Any]:
        """Return moment, width, depth, activation and inputs."""
        p = self.params
        return {"moment": p.moment, "width": p.width, "depth": p.depth, "activation": p.activation,
                "inputs": list(p.inputs)}  # fmt: skip

    @property
    def closes(self) -> int:  # type: ignore[override]
        """Return 2 or 3."""
        return int(self.hyper["moment"])

    @property
    def properties(self) -> Properties:
        """Return the inputs that the architecture reads."""
        ports = {"zeta": ZETA, "d_R": D_R, "gradient": GRADIENT, "vorticity": VORTICITY}
        return pointwise(self.closes - 1, STRAIN, *(ports[name] for name in self.hyper["inputs"]))

    scale_units: ClassVar = {"e": "1/s", "zeta": "1/s", "d_R": "1/s", "gradient": "1/m", "W": "1/s"}

    @property
    def loose(self) -> bool:
        """Return whether it sees nothing of the neighbourhood of a point."""
        return "gradient" not in self.hyper["inputs"]

    @property
    def turns(self) -> bool:
        """Return whether the network sees the vorticity."""
        return "vorticity" in self.hyper["inputs"]

    @property
    def scalar_names(self) -> list[str]:
        """Return the additional inputs that are even, in the order of the evens."""
        return [name for name in self.hyper["inputs"] if name != "vorticity"]

    def feature_units(self) -> dict[str, str]:
        """Return the invariants that the guard watches."""
        named = {"r": "1", "strain_along": "1/s", "strain_across": "1/s"}
        if self.closes == 3:
            named |= {"k2_along": "1", "k2_across": "1"}
        extra = {"zeta": "1/s", "d_R": "1/s", "gradient": "1/m", "vorticity": "1/s"}
        return named | {name: extra[name] for name in self.hyper["inputs"]}

    def make(self) -> torch.nn.Module:
        """Return the network; its last layer is zero, so that it starts as the classical closure."""
        from plexus.nets.spin import SpinNet

        third = self.closes == 3
        odds = 1 + third + self.turns
        h = self.hyper
        return SpinNet(
            2 + third + len(self.scalar_names),
            odds,
            h["width"],
            h["depth"],
            h["activation"],
            self.params.seed,
        )

    def features(self, fields: Fields) -> torch.Tensor:
        """Return the invariants (features, ...) in the network's precision."""
        return self._rows(self._frame(fields))

    def _rows(self, frame: _Frame) -> torch.Tensor:
        import torch

        # order as in feature_units: r, Re h, |Im h|, then k2's two, then the rest
        odds = [q.abs() for q in frame.odds]
        third = self.closes == 3
        rows = [frame.evens[0], frame.evens[1], odds[0], *([frame.evens[2], odds[1]] if third else [])]
        more = dict(zip(self.scalar_names, frame.evens[2 + third :], strict=True))
        rows += [odds[-1] if name == "vorticity" else more[name] for name in self.hyper["inputs"]]
        return torch.stack(torch.broadcast_tensors(*rows))

    def _frame(self, fields: Fields) -> _Frame:
        """Return the state seen along its director; evens and odds in the network's precision, unscaled."""
        c, f1 = fields["c"], fields["f1"]
        norm = (f1 * f1.conj()).real
        size = (norm + SMALL).sqrt()
        n = f1 / size
        r = size / c
        back = n.conj()
        h = fields["e"] * back
        evens, odds, disk = [r, h.real], [h.imag], None
        if self.closes == 3:
            disk = toeplitz.disk(scaled(fields, 2), 0.999)
            k = disk.reflections[1] * back * back
            evens, odds = [*evens, k.real], [*odds, k.imag]
        for name in self.hyper["inputs"]:
            if name == "vorticity":
                odds.append(fields["W"])
            else:
                evens.append(self.scalar(name, fields))
        kind = self.dtype
        return _Frame(c, r, n, (norm / (c * c)).clamp_max(1.0), [v.to(kind) for v in evens],
                      [q.to(kind) for q in odds], disk)  # fmt: skip

    def scalar(self, name: str, fields: Fields) -> torch.Tensor:
        """Return ζ, d_R (a field in mixed batches, else the setting's) or |∇f_1|/c."""
        if name == "gradient":
            return (fields["grad_f1"] if "grad_f1" in fields else self._gradient(fields["f1"])) / fields["c"]
        if name in fields:
            return fields[name] + 0 * fields["c"]
        return self.setting.constants[name] + 0 * fields["c"]

    def port(self, name: str, fields: Fields) -> torch.Tensor:
        """Return what goes in at a port; |∇f_1| from f_1 where it is not given."""
        if name == "grad_f1" and name not in fields:
            return self._gradient(fields["f1"])
        return super().port(name, fields)

    def _gradient(self, f1: torch.Tensor) -> torch.Tensor:
        """Return |∇f_1| by Fourier derivatives on the setting's space."""
        space = self.setting.space.sibling(real=False)
        hat = space.forward(f1)
        import torch

        slopes = space.inverse(torch.stack([space.ik(axis) * hat for axis in range(2)]))
        return ((slopes * slopes.conj()).real.sum(0) + SMALL).sqrt()

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return f_2 or f_3; on a CPU and without derivatives by the compiled kernel."""
        if self.guard.using_fallback or not self.native.fits(fields):
            return super().evaluate(fields)
        found = self.native.evaluate(fields)
        if found is None:
            return super().evaluate(fields)
        value, beyond, guarded = found
        return self.guard.judged(fields, beyond, {f"f{self.closes}": value}, guarded == 0)

    def answer(self, fields: Fields) -> tuple[dict[str, Any], torch.Tensor]:
        """Return f_2 or f_3."""
        frame = self._frame(fields)
        real, imaginary = self.network(*self._scaled(frame))
        r = frame.evens[0].clamp_max(1.0)
        real, imaginary = r * real, r * imaginary
        shrink = (1 + real * real + imaginary * imaginary).rsqrt()
        u, v = (real * shrink).to(frame.r.dtype), (imaginary * shrink).to(frame.r.dtype)
        value = self._third(frame, u, v) if self.closes == 3 else self._second(frame, u, v)
        return {f"f{self.closes}": value}, self._rows(frame)

    def _scaled(self, frame: _Frame) -> tuple[list[Any], list[Any]]:
        """Return the network's inputs, all of order one."""
        s = self.scales
        evens, odds = list(frame.evens), list(frame.odds)
        soft = (s["e"] ** 2 + evens[1] ** 2 + odds[0] ** 2).rsqrt()
        evens[0], evens[1], odds[0] = 2 * evens[0] - 1, evens[1] * soft, odds[0] * soft
        first = 3 if self.closes == 3 else 2
        for place, name in enumerate(self.scalar_names, start=first):
            evens[place] = evens[place] / s[name]
        if self.turns:
            odds[-1] = odds[-1] * (s["W"] ** 2 + odds[-1] ** 2).rsqrt()
        return evens, odds

    def _second(self, frame: _Frame, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return f_2: Bingham's reflection coefficient -r² Q, moved by w = u + iv within the unit disk."""
        import torch

        s = frame.square
        b = -s * bingham_table(str(s.device), s.dtype)(s)
        # ρ = (w + b)/(1 + b w) is a hyperbolic translation: the unit disk onto itself, w = 0 is Bingham's
        # closure. Written out in real numbers: complex division costs several times as much.
        p, q = 1 + b * u, b * v
        room = (1 - s) / (p * p + q * q)
        along = s + ((u + b) * p + q * v) * room
        across = v * (1 - b * b) * room
        return frame.n * frame.n * torch.complex(frame.c * along, frame.c * across)

    def _third(self, frame: _Frame, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return f_3: the autoregressive value, moved by w = u + iv within the disk."""
        import torch

        disk = frame.disk
        assert disk is not None
        room = frame.c * disk.radius.clamp_min(0.0)
        n = frame.n
        return torch.addcmul(frame.c * disk.center, n * n * n, torch.complex(room * u, room * v))

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Set the scales from training data: twice the root mean square of each scalar."""
        frame = self._frame(inputs)

        def rms(*rows: torch.Tensor) -> float:
            return 2 * float(sum((row.double() ** 2).mean() for row in rows) ** 0.5) or 1.0

        self.scales["e"] = rms(frame.evens[1], frame.odds[0])
        first = 3 if self.closes == 3 else 2
        for place, name in enumerate(self.scalar_names, start=first):
            self.scales[name] = rms(frame.evens[place])
        if self.turns:
            self.scales["W"] = rms(frame.odds[-1])
