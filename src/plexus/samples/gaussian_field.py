"""A Gaussian random field on a box: a sum of modes with independent normal coefficients.

    f(x) = m + Σ_k a_k φ_k(x),   a_k ~ N(0, s_k²),   s_k = σ (|k|² + τ²)^(-α/2)

which is N(m, σ² (-Δ + τ²)^(-α)). In each direction of length L the modes are, of norm 1 on the box,

========= ==================================================================== ====================
edge      φ                                                                    k
========= ==================================================================== ====================
periodic  √(1/L), √(2/L) cos kx, √(2/L) sin kx                                 2πn/L
neumann   √(1/L), √(2/L) cos kx                                                πn/L
dirichlet √(2/L) sin kx                                                        πn/L
========= ==================================================================== ====================

for n up to `modes`, and products of these in several directions; |k|² is the sum over directions. With L =
2π, σ = 25, τ = 5, α = 2 and periodic edges this is the start of Burgers' equation in Z. Li et al.,
doi:10.48550/arXiv.2010.08895: s_k = 25/(k² + 25), root mean square 1.11. With `deviation` in the place of σ
the mean over the box of the variance of f - m is its square. Cut off after few modes it is a Karhunen-Loève
sum, and all its samples are sums of so many fields (R. G. Ghanem, P. D. Spanos, Stochastic Finite Elements,
Springer 1991). Coefficients are drawn by seed, number of the sample and mode: beside σ more modes leave the
others as they are, and no mesh and no ranks are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Field, Unit
from plexus.deck.values import refuse
from plexus.registry import register
from plexus.samples.base import AXES, SampleBase, SampleParams

if TYPE_CHECKING:
    import numpy as np

EXAMPLE: dict[str, Any] = {
    "type": "gaussian_field", "seed": 1, "size": ["1 m", "1 m"], "scale": 25, "tau": 5, "alpha": 2,
}  # fmt: skip
TOGETHER = 2**22
"""Numbers (places times modes) that are held at once."""
Length = Annotated[float, Unit("m"), Field(gt=0)]


class GaussianFieldParams(SampleParams):
    """Parameters of `GaussianField`."""

    size: Annotated[tuple[Length, ...], Unit("m")] = Field(
        min_length=1, max_length=3, description="lengths L of the box"
    )
    origin: tuple[Annotated[float, Unit("m")], ...] = Field(
        (), description="lower corner of the box; absent: the origin"
    )
    edge: Literal["periodic", "neumann", "dirichlet"] = Field(
        "periodic", description="modes, by what holds at edges"
    )
    modes: int = Field(16, ge=1, le=1024, description="largest n of a mode in each direction")
    mean: float = Field(0.0, description="mean m")
    scale: float = Field(1.0, gt=0, description="factor σ")
    deviation: float | None = Field(
        None, gt=0, description="standard deviation, in the mean over the box; absent: as σ makes it"
    )
    tau: Annotated[float, Unit("1/m")] = Field(
        ge=0, description="inverse length τ below which modes do not matter"
    )
    alpha: float = Field(2.0, gt=0, description="power α: larger is smoother")

    @model_validator(mode="after")
    def _fits(self) -> GaussianFieldParams:
        if self.origin and len(self.origin) != len(self.size):
            raise refuse(f"origin has {len(self.origin)} coordinates, size {len(self.size)}")
        if self.deviation is not None and self.scale != 1:
            raise refuse("scale and deviation both say how large the field is: give one of them")
        return self


@register("sample", "gaussian_field", GaussianFieldParams)
class GaussianField(SampleBase):
    """f of the module's head."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Return one coordinate per length of the box."""
        return AXES[: len(self.params.size)]

    def values(self, *places: np.ndarray) -> np.ndarray:
        """Return f at places of one shape."""
        return self._total(self.coefficients(), self._pieces(places), places[0].shape)

    def family(self, *places: np.ndarray) -> Callable[[int], np.ndarray]:
        """Return what gives the values of any number; modes at the places are kept where there is room."""
        if places[0].size * len(self._numbers()) * len(places) > TOGETHER:
            return super().family(*places)
        pieces = list(self._pieces(places))

        def of(number: int) -> np.ndarray:
            other = GaussianField(self.params.model_copy(update={"number": number}))
            return self._in_si(self._total(other.coefficients(), pieces, places[0].shape))

        return of

    def _pieces(self, places: Sequence[np.ndarray]) -> Iterator[list[np.ndarray]]:
        """Yield φ of each direction at some places after the other, (n, modes)."""
        corner = self.params.origin or (0.0,) * len(places)
        flat = [place.reshape(-1) - low for place, low in zip(places, corner, strict=True)]
        count = max(1, TOGETHER // len(self._numbers()) ** max(len(flat) - 1, 1))
        for n in range(0, len(flat[0]), count):
            yield [self._modes(axis, f[n : n + count]) for axis, f in enumerate(flat)]

    def _total(self, a: np.ndarray, pieces: Iterable[list[np.ndarray]], shape: tuple[int, ...]) -> np.ndarray:
        """Return m + Σ a φ at the places of all pieces."""
        import numpy as np

        found = [self._sum(a, modes) for modes in pieces]
        return np.asarray(self.params.mean + (np.concatenate(found) if found else np.zeros(0)).reshape(shape))

    def _sum(self, a: np.ndarray, modes: list[np.ndarray]) -> np.ndarray:
        """Return Σ a φ at some places (n,)."""
        import numpy as np

        # a sum that BLAS orders by the number of places would depend on the ranks
        found = np.einsum("nm,m...->n...", modes[0], a)
        for rows in modes[1:]:
            found = np.einsum("nm,nm...->n...", rows, found)
        return found

    def coefficients(self) -> np.ndarray:
        """Return a, one axis per direction, modes in the order of their numbers."""
        import numpy as np

        from plexus.samples._counter import normal

        p = self.params
        numbers = np.meshgrid(*[self._numbers() for _ in p.size], indexing="ij")
        step = 2 * np.pi if p.edge == "periodic" else np.pi
        k2 = sum((step * np.abs(n) / length) ** 2 for n, length in zip(numbers, p.size, strict=True))
        with np.errstate(divide="ignore"):
            deviation = np.where(k2 + p.tau**2 > 0, p.scale * (k2 + p.tau**2) ** (-p.alpha / 2), 0.0)
        if p.deviation is not None:
            # modes have norm 1 on the box, so that their mean squares are 1 over its volume
            deviation *= p.deviation * (np.prod(p.size) / (deviation**2).sum()) ** 0.5
        return np.asarray(deviation * normal(p.seed, p.number, *numbers))

    def _numbers(self) -> np.ndarray:
        """Return n of the modes in one direction; those of sines on a periodic box are negative."""
        import numpy as np

        n = np.arange(1, self.params.modes + 1)
        if self.params.edge == "dirichlet":
            return n
        return np.concatenate([[0], n, -n] if self.params.edge == "periodic" else [[0], n])

    def _modes(self, axis: int, place: np.ndarray) -> np.ndarray:
        """Return φ in one direction, (places, modes)."""
        import numpy as np

        length, edge, n = self.params.size[axis], self.params.edge, self._numbers()
        k = (2 if edge == "periodic" else 1) * np.pi * np.abs(n) / length
        phase = place[:, None] * k
        wave = np.sin(phase) if edge == "dirichlet" else np.where(n < 0, np.sin(phase), np.cos(phase))
        return np.asarray(wave * np.where(n == 0, 1.0, 2**0.5) / length**0.5)
