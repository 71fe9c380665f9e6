"""The block ``ensemble``: many members of one model as one batch, from initial states that differ."""

from __future__ import annotations

from pydantic import ValidationInfo, model_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Params


class Ensemble(Params):
    """Members that march as one batch: dealt over the ranks without a mesh, parts of each member on grids.

    Member k starts at x + perturbation · ξ_k with ξ_k standard normal numbers drawn from (seed, k): the same
    on any number of ranks and in any part of the ensemble. In Fourier space ξ_k has no mean and none of the
    modes that dealiasing removes, and the members are what the model admits: velocities without divergence,
    distributions of rods (concentration and alignment are perturbed).
    """

    members: int = Field(ge=1, description="number of members")
    perturbation: float = Field(
        0.0, ge=0, description="standard deviation of what is added to each initial value, in its SI unit"
    )
    seed: int | None = Field(
        None, ge=0, lt=2**63, description="seed of the perturbations; runtime.seed without it"
    )
    first: int = Field(0, ge=0, description="number of the first member, to run a part of an ensemble alone")

    @model_validator(mode="after")
    def _tell(self, info: ValidationInfo) -> Ensemble:
        # physics, probes and quantities are checked against it
        known(info).members = self.members
        return self
