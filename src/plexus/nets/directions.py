"""The convolutional network that maps a residual on a grid to a search direction, and what it costs.

One channel in and out, 3³ kernels with bias and zeros outside of the grid, ReLU after each of them but the
first; pairs of them bring a change that is added to what they got. In the middle the same on cells of twice
the width, by averages, whose answer is added on the fine cells again; with more levels the coarse cells have
coarser ones in their middle. Residuals come with a mean square of one, so that biases mean the same on grids
of all sizes. Neither linear nor symmetric.

Two other forms: `linear`, without ReLU and biases, and `symmetric`, q = Nᵀ N r with the linear network N,
whose transpose is its gradient.

Source: A. Kaneda, O. Akar, J. Chen, V. Trevino Kala, D. Hyde, J. Teran, ICML (2023),
doi:10.48550/arXiv.2205.10763; levels and the other forms are ours.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

KERNEL = 27
"""Cells of a kernel."""
TINY = 1e-30
"""What keeps a residual of zeros from being divided by nothing."""
FORMS = ("published", "linear", "symmetric")
LEVELS = 6
"""Levels at most."""


class Profile(NamedTuple):
    """Pairs of convolutions before the coarse cells, on each level of them, and after them."""

    before: int
    coarse: int
    after: int


PROFILES = {"64": Profile(1, 3, 2), "128": Profile(2, 5, 3)}
"""The two published networks by the grid that they were made for."""


class Plan(NamedTuple):
    """What tells networks apart.

    Attributes
    ----------
    profile : one of `PROFILES`.
    channels : features per cell.
    form : one of `FORMS`.
    levels : widths of cells, each twice the one before.
    """

    profile: str = "64"
    channels: int = 16
    form: str = "published"
    levels: int = 2

    @property
    def parameters(self) -> int:
        """Number of weights."""
        counts, c = PROFILES[self.profile], self.channels
        pairs = counts.before + counts.after + counts.coarse * (self.levels - 1)
        biases = (3 + 2 * pairs) * c + 1 if self.form == "published" else 0
        return KERNEL * c + (2 + 2 * pairs) * KERNEL * c**2 + c + biases

    @property
    def radius(self) -> int:
        """How many cells away a residual still changes a direction, along an axis."""
        counts, last = PROFILES[self.profile], 2 ** (self.levels - 1)
        fine = 3 + 2 * (counts.before + counts.after)
        # convolutions on cells of width 2, 4, …, last
        reach = (fine + 2 * counts.coarse * (2 * last - 2)) * (2 if self.form == "symmetric" else 1)
        return reach + last - 1  # averages lie between cells

    @property
    def flops(self) -> float:
        """Additions and multiplications of one application, per cell."""
        counts, c = PROFILES[self.profile], self.channels
        fine = 2 + 2 * (counts.before + counts.after)
        coarse = 2 * counts.coarse * sum(8.0**-k for k in range(1, self.levels))
        once = 2 * KERNEL * c + (fine + coarse) * 2 * KERNEL * c**2 + 2 * c
        return once * (2 if self.form == "symmetric" else 1)


class Pair(nn.Module):
    """x + a(C a(C x)) with the ReLU a and convolutions C; linear ones without a."""

    def __init__(self, channels: int, linear: bool):
        super().__init__()
        self.one, self.two = (_cube(channels, channels, linear) for _ in range(2))
        self.bent: nn.Module = nn.Identity() if linear else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, channels, cells) of the same."""
        found: Tensor = x + self.bent(self.two(self.bent(self.one(x))))
        return found


class Wider(nn.Module):
    """x + U c(P x) with the averages P over 2³ cells, the copies U to them, and layers c."""

    def __init__(self, plan: Plan, level: int = 1):
        super().__init__()
        count, linear = PROFILES[plan.profile].coarse, plan.form != "published"
        layers: list[nn.Module] = [Pair(plan.channels, linear) for _ in range(count)]
        if level + 1 < plan.levels:
            layers.insert(count // 2, Wider(plan, level + 1))
        self.inner = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return (samples, channels, cells) of the same."""
        nx, ny, nz = x.shape[2:]
        even = nn.functional.pad(x, [pad for n in (nz, ny, nx) for pad in (0, n % 2)])
        wide = self.inner(nn.functional.avg_pool3d(even, 2))
        wide = wide.repeat_interleave(2, 2).repeat_interleave(2, 3).repeat_interleave(2, 4)
        found: Tensor = x + wide[..., :nx, :ny, :nz]
        return found


class Directions(nn.Module):
    """The network of a plan; weights by seed, the same on every machine."""

    def __init__(self, plan: Plan, seed: int = 0):
        super().__init__()
        self.plan = plan
        counts, channels, linear = PROFILES[plan.profile], plan.channels, plan.form != "published"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.first = _cube(1, channels, linear)
            self.enter, self.leave = (_cube(channels, channels, linear) for _ in range(2))
            self.before, self.after = (
                nn.Sequential(*(Pair(channels, linear) for _ in range(n)))
                for n in (counts.before, counts.after)
            )
            self.wider = Wider(plan)
            self.last = nn.Conv3d(channels, 1, 1, bias=not linear)
            self.bent: nn.Module = nn.Identity() if linear else nn.ReLU()
            for name, value in self.named_parameters():
                nn.init.zeros_(value) if name.endswith("bias") else nn.init.xavier_uniform_(value)
        # features of a cell side by side: half the time on a CPU
        for value in self.parameters():
            if value.dim() == 5:
                value.data = value.data.contiguous(memory_format=torch.channels_last_3d)

    def forward(self, r: Tensor, size: Tensor | None = None) -> Tensor:
        """Return directions (samples, nx, ny, nz) of residuals; ``size`` is their root mean square."""
        if size is None:
            size = r.square().mean((-3, -2, -1), keepdim=True).sqrt()
        r = r / (size + TINY)
        return self._both(r) if self.plan.form == "symmetric" else self._once(r)

    def _once(self, r: Tensor) -> Tensor:
        x = self.bent(self.enter(self.first(r[:, None])))
        x = self.wider(self.bent(self.leave(self.before(x))))
        found: Tensor = self.last(self.after(x))[:, 0]
        return found

    def _both(self, r: Tensor) -> Tensor:
        """Return Nᵀ N r, half the gradient of |N r|²."""
        learns = torch.is_grad_enabled()
        with torch.enable_grad():
            r = r.detach().requires_grad_()
            found, *_ = torch.autograd.grad(self._once(r).square().sum() / 2, r, create_graph=learns)
        return found


def _cube(inward: int, outward: int, linear: bool) -> nn.Conv3d:
    return nn.Conv3d(inward, outward, 3, padding=1, bias=not linear)
