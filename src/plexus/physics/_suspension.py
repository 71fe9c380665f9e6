"""What the models of an active suspension share: parameters, fields, initial state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import ValidationInfo, model_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Movable, Moved, Params
from plexus.deck.values import refuse
from plexus.models.suspension.specs import SHOWN, SPECS
from plexus.protocols import FieldSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import torch

    from plexus.models.suspension.medium import Medium
    from plexus.models.suspension.passive import Passive
    from plexus.spaces.fourier import Fourier

    Tensor = torch.Tensor

SOURCE = {"source": "S. Maddu, S. Weady, M. Shelley, J. Comput. Phys. 504 (2024) 112869"}


class PassiveStress(Params):
    """How the strain rate in the constraint stress is found; short form: the name of the method."""

    method: Literal["lagged", "fixed_point", "krylov"] = Field(
        "lagged", description="one sweep per evaluation, sweeps to the tolerance, or conjugate gradients"
    )
    tolerance: float = Field(1e-10, gt=0, lt=1, description="relative change, or residual, to stop at")
    max: int = Field(50, ge=1, description="limit on sweeps or iterations per evaluation")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Allow the short form."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"method": data}
        if isinstance(data, dict) and "type" in data:
            return {"method": data["type"], **{k: v for k, v in data.items() if k != "type"}}
        return data


class SuspensionParams(Params):
    """Constants of the suspension, in the units of its theory, and its initial state."""

    alpha: Annotated[float, Movable()] = Field(
        -1.0, description="dipole strength; negative: pushers", json_schema_extra=SOURCE
    )
    beta: Annotated[float, Movable()] = Field(
        0.8, ge=0, description="strength of the constraint stress", json_schema_extra=SOURCE
    )
    zeta: Annotated[float, Movable()] = Field(
        1.0, ge=0, description="steric alignment (Maier-Saupe)", json_schema_extra=SOURCE
    )
    d_T: Annotated[float, Movable()] = Field(
        0.05, ge=0, description="translational diffusion", json_schema_extra=SOURCE
    )
    d_R: Annotated[float, Movable()] = Field(
        0.05, gt=0, description="rotational diffusion", json_schema_extra=SOURCE
    )
    swim_speed: float = Field(0.0, description="must be 0: rods without a head, so that even moments suffice")
    passive_stress: PassiveStress = Field("lagged", description="strain rate in the constraint stress")
    dealias: Literal["two_thirds", "smooth36"] = Field(
        "two_thirds",
        description="modes that are kept of products: published sharp rule, or a smooth cut that keeps more",
    )
    start: Literal["waves", "isotropic", "nematic"] = Field(
        "waves", description="random waves on the isotropic state, or one of the uniform states"
    )
    amplitude: float | None = Field(
        None, ge=0, description="size of the random waves; left out: 0.1 for start waves, else 0"
    )

    @model_validator(mode="after")
    def _apolar_in_a_plane(self, info: ValidationInfo) -> Any:
        if known(info).dim not in (None, 2):
            raise refuse(f"rods in a plane: the grid needs 2 axes, this one has {known(info).dim}")
        if self.swim_speed != 0:
            raise refuse(f"swim_speed must be 0, not {self.swim_speed:g}: polar suspensions are not modelled")
        if self.start == "nematic" and any(isinstance(n, Moved) for n in (self.zeta, self.d_R)):
            raise refuse("start: nematic follows from zeta/d_R without a gradient: take another start")
        return self


class Parts(NamedTuple):
    """What a model is made of beside its unknown."""

    medium: Medium
    passive: Passive
    start: Callable[[int], Tensor]
    """Order -> moments of the initial state, (order+1, *shape)."""


class SuspensionPhysics:
    """An active suspension, whatever carries its distribution of orientation."""

    discretisation: ClassVar[str] = "spectral"
    starts: ClassVar[tuple[str, ...]] = ("concentration", "nematic")
    """Fields that the block `initial` may give."""

    @staticmethod
    def fields(params: SuspensionParams) -> Sequence[FieldSpec]:
        """Return the fields that outputs show by default."""
        return tuple(spec for spec in SPECS if spec.name in SHOWN)

    @staticmethod
    def derived_specs() -> Sequence[FieldSpec]:
        """Return all fields that outputs can ask for."""
        return SPECS

    @staticmethod
    def periods(params: SuspensionParams) -> int:
        """Return the largest number of periods that the random waves of the start have along an axis."""
        return 8 if _amplitude(params) else 0

    @staticmethod
    def parts(p: SuspensionParams, space: Fourier, seed: int, given: Mapping[str, Any] | None) -> Parts:
        """Return constants, flow and initial state; ``given`` as in `plexus.models.suspension.waves`."""
        from plexus.models.suspension import waves
        from plexus.models.suspension.medium import Medium
        from plexus.models.suspension.passive import Passive
        from plexus.models.suspension.stokes import Stokes

        how = p.passive_stress
        size = _amplitude(p)
        ratio = p.zeta / p.d_R if p.start == "nematic" else 0.0
        return Parts(
            Medium(p.alpha, p.beta, p.zeta, p.d_T, p.d_R),
            Passive(Stokes(space), how.method, how.tolerance, how.max),
            lambda order: waves.initial(space, order, ratio, size, seed, given),
        )


def _amplitude(p: SuspensionParams) -> float:
    """Return the size of the random waves."""
    return p.amplitude if p.amplitude is not None else 0.1 * (p.start == "waves")
