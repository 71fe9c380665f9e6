"""Any other preconditioner of PETSc by its own name, with its options in the solver's ``options``."""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "petsc", "name": "eisenstat"}


class PetscParams(Params):
    """Parameters of a preconditioner that PETSc knows by name."""

    name: str = Field(
        pattern=r"^(?!python|shell)[a-z][a-z0-9_]{0,60}$(?!\n)",
        description="value of PETSc's -pc_type, e.g. bddc, ml, telescope, eisenstat",
    )


@register("preconditioner", "petsc", PetscParams)
class Petsc(PreconditionerBase):
    """A preconditioner by its PETSc type."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {"pc_type": self.params.name}
