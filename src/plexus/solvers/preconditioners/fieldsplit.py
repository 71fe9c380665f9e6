"""A preconditioner for each field of a block, put together (PCFIELDSPLIT).

    additive         every field by itself, in any order
    multiplicative   one after the other, each with the residual that the fields before it leave
    schur            A = L D U of the two parts; the second is solved with S = A_11 - A_10 A_00⁻¹ A_01

Only for fields that are solved together, such as those of `cahn_hilliard`. Each field has its own near null
space, and its own preconditioner, which is applied once: the default for its number of unknowns where
``fields`` names none. M. Benzi, G. H. Golub, J. Liesen, Acta Numerica 14 (2005) 1,
doi:10.1017/S0962492904000212.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, cast

from plexus.deck.params import Component, Field, Params
from plexus.errors import InputError
from plexus.protocols import OptionValue, Preconditioner
from plexus.registry import build, component, register
from plexus.solvers import defaults
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "fieldsplit", "variant": "multiplicative", "fields": {"c": "ilu"}}


class FieldsplitParams(Params):
    """Parameters of PCFIELDSPLIT; more through ``options``, e.g. ``fieldsplit_mu_ksp_type``."""

    variant: Literal["additive", "multiplicative", "symmetric_multiplicative", "schur"] = Field(
        "multiplicative", description="how the fields are put together; schur needs two fields"
    )
    factorization: Literal["full", "upper", "lower", "diag"] = Field(
        "full", description="which factors of L D U schur uses; full makes exact parts an exact solve"
    )
    complement: Literal["selfp", "a11", "self"] = Field(
        "selfp",
        description="matrix that stands for S: A_11 - A_10 diag(A_00)⁻¹ A_01, A_11, or none",
    )
    fields: dict[str, Annotated[Params, Component("preconditioner")]] = Field(
        {}, description="field -> preconditioner of its part"
    )


@register("preconditioner", "fieldsplit", FieldsplitParams)
class Fieldsplit(PreconditionerBase):
    """PCFIELDSPLIT."""

    @property
    def varies(self) -> bool:  # type: ignore[override]
        """Whether the preconditioner of a field varies."""
        return any(build("preconditioner", params).varies for params in self.params.fields.values())

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options, those of every field below ``fieldsplit_<field>_``."""
        p = self.params
        for place, text in self.problems(tuple(target.parts) or (target.name,)):
            raise InputError(f"{'.'.join(('solver', target.name, 'preconditioner', *place))}: {text}")
        options: dict[str, OptionValue] = {"pc_type": "fieldsplit", "pc_fieldsplit_type": p.variant}
        if p.variant == "schur":
            options["pc_fieldsplit_schur_fact_type"] = p.factorization
            options["pc_fieldsplit_schur_precondition"] = p.complement
        for name, (member, part) in self.parts(target).items():
            own = {"ksp_type": "preonly", **member.options(part)}
            options |= {f"fieldsplit_{name}_{key}": value for key, value in own.items()}
        return options

    def problems(self, fields: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the fields that are not there, and what the preconditioners of the others object to."""
        p, told = self.params, ", ".join(fields)
        if len(fields) < 2:
            yield (), f"{told} is solved alone; fieldsplit is for a block of fields"
            return
        if p.variant == "schur" and len(fields) != 2:
            yield ("variant",), f"schur needs two fields, here are {told}"
        for name, params in p.fields.items():
            if name not in fields:
                yield ("fields", name), f"the fields of this block are {told}"
                continue
            for place, text in build("preconditioner", params).problems((name,)):
                yield ("fields", name, *place), text

    def parts(self, target: Target) -> Mapping[str, tuple[Preconditioner, Target]]:
        """Return the preconditioner of each field and the system that it sees.

        Raises
        ------
        InputError
            If one in Python is asked for inside of schur, whose inner solvers PETSc makes too late.
        """
        found = {}
        for name, m in target.parts.items():
            size = target.size * m // target.components
            rigid = target.rigid and m == target.dim
            part = replace(target, name=name, size=size, components=m, rigid=rigid, parts={})
            given = self.params.fields.get(name)
            member = build("preconditioner", given) if given is not None else _default(part)
            if self.params.variant == "schur" and member.context(part) is not None:
                raise InputError(
                    f"solver.{target.name}.preconditioner.fields.{name}: {given.type} computes in Python, "
                    "which schur does not take; use additive or multiplicative"
                )
            found[name] = (member, part)
        return found


def _default(part: Target) -> Preconditioner:
    """Return the default preconditioner of one field."""
    default = component("preconditioner", defaults.preconditioner(part))
    return cast("Preconditioner", default.cls(default.params()))
