"""Kuramoto-Sivashinsky equation on a periodic interval: the smallest flow that is turbulent.

    u_t = -u_xx - u_xxxx - u u_x + s

====== ============================================== ====
symbol meaning                                        unit
====== ============================================== ====
u      velocity, or slope of a flame or a film        1
s      source, zero in the equation of the name       1
====== ============================================== ====

Lengths and times are scaled so that all coefficients are one: u grows as exp((k² - k⁴) t) while it is small,
fastest at k = 1/√2, a wave of length 8.89. Boxes longer than some 20 of these units are chaotic; 22 and 32π
are the usual ones. Source: Y. Kuramoto, T. Tsuzuki, Prog. Theor. Phys. 55 (1976) 356-369,
doi:10.1143/PTP.55.356; G. I. Sivashinsky, Acta Astronaut. 4 (1977) 1177-1206,
doi:10.1016/0094-5765(77)90096-0; the start ``wave`` on 32π from A.-K. Kassam, L. N. Trefethen, SIAM J. Sci.
Comput. 26 (2005) 1214-1233, doi:10.1137/S1064827502410633. A run is resolved when the grid has points closer
than about 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import ValidationInfo, model_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Movable, Params, Property
from plexus.deck.values import refuse
from plexus.protocols import FieldSpec
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.protocols import Closure, SpectralModel
    from plexus.spaces.fourier import Fourier

UNKNOWN = FieldSpec("u", "1", "scalar", "velocity")
DERIVED = (
    FieldSpec("slope", "1", "scalar", "u_x"),
    FieldSpec("curvature", "1", "scalar", "u_xx"),
)


class KuramotoSivashinskyParams(Params):
    """Parameters of `KuramotoSivashinsky`."""

    start: Literal["wave", "random"] = Field(
        "wave", description="u at the start, unless the block `initial` gives it: cos θ (1 + sin θ), or noise"
    )
    amplitude: Annotated[float, Movable()] = Field(
        1.0, gt=0, description="factor on the wave, or rms value of the noise"
    )
    source: Property | None = Field(None, description="source s; expressions may read u, too")
    dealias: Literal["two_thirds", "smooth36"] = Field(
        "two_thirds", description="modes that are kept of products: a sharp or a smooth cut"
    )

    @model_validator(mode="after")
    def _on_a_line(self, info: ValidationInfo) -> KuramotoSivashinskyParams:
        if known(info).dim not in (None, 1):
            raise refuse(f"needs a grid with one axis, such as cells: [128]; this one has {known(info).dim}")
        return self


@register("physics", "kuramoto_sivashinsky", KuramotoSivashinskyParams)
class KuramotoSivashinsky:
    """One scalar in Fourier space."""

    discretisation: ClassVar[str] = "spectral"
    starts_without: ClassVar[tuple[str, ...]] = ("short_waves",)

    def __init__(self, params: KuramotoSivashinskyParams):
        self.params = params

    @staticmethod
    def fields(params: KuramotoSivashinskyParams) -> Sequence[FieldSpec]:
        """Return the unknown."""
        return (UNKNOWN,)

    @staticmethod
    def unknowns(params: KuramotoSivashinskyParams, dim: int) -> dict[str, int]:
        """Return the real numbers per grid point of the unknown."""
        return {"u": 1}

    def derived_specs(self) -> Sequence[FieldSpec]:
        """Return what is computed of it."""
        return DERIVED

    def model(
        self,
        space: Fourier,
        closure: Closure | None = None,
        seed: int = 0,
        initial: Mapping[str, torch.Tensor] | None = None,
    ) -> SpectralModel:
        """Return the equation on a grid; ``initial`` may hold u (1, *shape).

        Raises
        ------
        InputError
            If the grid has several axes, or a closure is given: all scales are resolved.
        """
        from plexus.errors import InputError
        from plexus.models.kuramoto import KuramotoModel, noise, wave

        if closure is not None:
            raise InputError("closure: kuramoto_sivashinsky resolves all scales and has nothing to close")
        if space.dim != 1:
            raise InputError(f"physics: kuramoto_sivashinsky needs a grid with one axis, not {space.dim}")
        p, real = self.params, space.sibling(real=True)
        if initial and "u" in initial:
            given = initial["u"]
            return KuramotoModel(real, lambda: given, p.source)
        if p.start == "random":
            return KuramotoModel(real, partial(noise, real, p.amplitude, seed), p.source)
        return KuramotoModel(real, partial(wave, real, p.amplitude), p.source)


EXAMPLE: dict[str, Any] = {"start": "random", "amplitude": 0.1}
