"""Additive Runge-Kutta method with error estimate for spectral models: L implicit, N explicit, order 3 or 4.

    u_i = u + dt Σ_(j<i) (a^E_ij N_j + a^I_ij L u_j) + dt γ L u_i,   u' = u + dt Σ_i b_i (N_i + L u_i)

The implicit part is L-stable and stiffly accurate, with the stages and weights of the explicit one. The
estimate is dt Σ (b_i - b̂_i) (N_i + L u_i), the distance to an embedded method of one order less.
ARK3(2)4L[2]SA and ARK4(3)6L[2]SA of C. Kennedy, M. Carpenter, Appl. Numer. Math. 44 (2003) 139-181,
doi:10.1016/S0168-9274(02)00138-1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import Split, StepResult
from plexus.registry import register
from plexus.stepping.split import SplitStepper

if TYPE_CHECKING:
    import torch

    from plexus.fields.state import State

    Tensor = torch.Tensor

EXAMPLE: dict[str, Any] = {"type": "imex_rk", "order": 3}


@dataclass(frozen=True)
class Tableau:
    """Strictly lower rows of both parts, the common diagonal γ, times, weights and embedded weights."""

    explicit: tuple[tuple[float, ...], ...]
    implicit: tuple[tuple[float, ...], ...]
    diagonal: float
    times: tuple[float, ...]
    weights: tuple[float, ...]
    embedded: tuple[float, ...]


_G = 1767732205903 / 4055673282236
_W3 = (1471266399579 / 7840856788654, -4482444167858 / 7529755066697, 11266239266428 / 11593286722821)
_W4 = (82889 / 524892, 0.0, 15625 / 83664, 69875 / 102672, -2260 / 8211)
TABLEAUS = {
    3: Tableau(
        explicit=(
            (),
            (1767732205903 / 2027836641118,),
            (5535828885825 / 10492691773637, 788022342437 / 10882634858940),
            (
                6485989280629 / 16251701735622,
                -4246266847089 / 9704473918619,
                10755448449292 / 10357097424841,
            ),
        ),
        implicit=((), (_G,), (2746238789719 / 10658868560708, -640167445237 / 6845629431997), _W3),
        diagonal=_G,
        times=(0.0, 1767732205903 / 2027836641118, 3 / 5, 1.0),
        weights=(*_W3, _G),
        embedded=(
            2756255671327 / 12835298489170,
            -10771552573575 / 22201958757719,
            9247589265047 / 10645013368117,
            2193209047091 / 5459859503100,
        ),
    ),
    4: Tableau(
        explicit=(
            (),
            (1 / 2,),
            (13861 / 62500, 6889 / 62500),
            (
                -116923316275 / 2393684061468,
                -2731218467317 / 15368042101831,
                9408046702089 / 11113171139209,
            ),
            (
                -451086348788 / 2902428689909,
                -2682348792572 / 7519795681897,
                12662868775082 / 11960479115383,
                3355817975965 / 11060851509271,
            ),
            (
                647845179188 / 3216320057751,
                73281519250 / 8382639484533,
                552539513391 / 3454668386233,
                3354512671639 / 8306763924573,
                4040 / 17871,
            ),
        ),
        implicit=(
            (),
            (1 / 4,),
            (8611 / 62500, -1743 / 31250),
            (5012029 / 34652500, -654441 / 2922500, 174375 / 388108),
            (
                15267082809 / 155376265600,
                -71443401 / 120774400,
                730878875 / 902184768,
                2285395 / 8070912,
            ),
            _W4,
        ),
        diagonal=1 / 4,
        times=(0.0, 1 / 2, 83 / 250, 31 / 50, 17 / 20, 1.0),
        weights=(*_W4, 1 / 4),
        embedded=(
            4586570599 / 29645900160,
            0.0,
            178811875 / 945068544,
            814220225 / 1159782912,
            -3700637 / 11593932,
            61727 / 225920,
        ),
    ),
}


def advance(
    system: Split, hat: Tensor, t: float, dt: float, inverse: Tensor, tableau: Tableau
) -> tuple[Tensor, Tensor]:
    """Return the modes at ``t + dt`` and the error estimate. Collective, differentiable.

    ``inverse`` is 1 / (1 - γ dt L).
    """
    linear = system.linear
    n, l = [system.explicit(hat, t)], [linear * hat]
    for i in range(1, len(tableau.times)):
        # the first stage is explicit; the others solve (1 - γ dt L) u_i = known
        known = hat
        for j in range(i):
            known = known.add(n[j], alpha=dt * tableau.explicit[i][j])
            known = known.add(l[j], alpha=dt * tableau.implicit[i][j])
        stage = known * inverse
        n.append(system.explicit(stage, t + dt * tableau.times[i]))
        l.append(linear * stage)
    rates = [a + b for a, b in zip(n, l, strict=True)]
    new, error = hat, hat * 0
    for rate, b, b_hat in zip(rates, tableau.weights, tableau.embedded, strict=True):
        new = new.add(rate, alpha=dt * b)
        error = error.add(rate, alpha=dt * (b - b_hat))
    return new, error


class ImexRkParams(Params):
    """Parameters of `ImexRk`."""

    order: Literal[3, 4] = Field(3, description="order: 3 takes 4 evaluations of N per step, 4 takes 6")


@register("stepper", "imex_rk", ImexRkParams)
class ImexRk(SplitStepper):
    """Kennedy and Carpenter's additive method; works with ``time.adaptive``."""

    def __init__(self, params: ImexRkParams, tolerance: float | None = None):
        super().__init__(params, tolerance)
        self.tableau = TABLEAUS[params.order]
        # the error estimate is that of the embedded method
        self.order = params.order - 1 if tolerance else params.order

    def coefficients(self, linear: Tensor, dt: float) -> Tensor:
        """Return 1 / (1 - γ dt L)."""
        return 1 / (1 - self.tableau.diagonal * dt * linear)

    def step(self, system: Split, state: State, t: float, dt: float) -> StepResult:
        """Return the values at ``t + dt`` and, for adaptive steps, the error relative to the tolerance."""
        hat = state.values[system.unknown]
        new, error = advance(system, hat, t, dt, self.kept(system, dt), self.tableau)
        size = None
        if self.tolerance is not None:
            scale = self.tolerance * max(system.rms(hat), system.rms(new))
            size = system.rms(error) / scale if scale > 0 else 0.0
        return StepResult({**state.values, system.unknown: new}, size, {})
