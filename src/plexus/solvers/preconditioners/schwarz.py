"""Balanced additive Schwarz: subdomains solved one by one, as many on one rank as on a hundred.

Each subdomain, a box of the grid or a share of the rows, is enlarged by layers of its neighbours and solved
by whatever preconditioner is named; weights whose squares add up to one keep the sum symmetric, and one
unknown per subdomain (one per rigid motion of it) carries over what is smooth. Iterations then depend little
on the number of subdomains, and not on that of ranks. J. Mandel, Comm. Numer. Methods Engrg. 9 (1993) 233,
doi:10.1002/cnm.1640090307.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, cast

from plexus.deck.params import Component, Field, Params
from plexus.protocols import OptionValue, Outline, PcContext, Preconditioner
from plexus.registry import build, register
from plexus.solvers.preconditioners.base import PreconditionerBase

if TYPE_CHECKING:
    from plexus.solvers.schwarz.context import Schwarz as Context
    from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "schwarz", "subdomains": 8, "local": "aggregation"}


class SchwarzParams(Params):
    """Parameters of balanced additive Schwarz."""

    subdomains: int = Field(8, ge=1, le=100_000, description="subdomains of all ranks together")
    overlap: int = Field(1, ge=0, le=8, description="layers of neighbouring nodes")
    coarse: bool = Field(True, description="with a coarse space, without which iterations grow")
    local: Annotated[Params | None, Component("preconditioner")] = Field(
        None, description="preconditioner of each subdomain; an exact factorisation if left out"
    )


@register("preconditioner", "schwarz", SchwarzParams)
class Schwarz(PreconditionerBase):
    """What other programs get by ``-pc_python_type plexus.solvers.learned.Schwarz``."""

    @property
    def _inside(self) -> Preconditioner | None:
        local = self.params.local
        return None if local is None else cast("Preconditioner", build("preconditioner", local))

    @property
    def varies(self) -> bool:  # type: ignore[override]
        """Return whether what is done in a subdomain varies."""
        return self._inside is not None and self._inside.varies

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the options that the context reads, those of subdomains below ``sub_``."""
        p, prefix = self.params, "pc_plexus_"
        inside = {} if self._inside is None else self._inside.options(self._part(target))
        return {
            "pc_type": "python",
            prefix + "subdomains": p.subdomains,
            prefix + "overlap": p.overlap,
            prefix + "coarse": p.coarse,
            **{f"sub_{name}": value for name, value in inside.items()},
        }

    def problems(self, fields: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield what the preconditioner of subdomains objects to."""
        for place, text in self._inside.problems(fields) if self._inside else ():
            yield ("local", *place), text

    def unfit(self, outline: Outline | None) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield more subdomains than nodes, and what the preconditioner of subdomains objects to."""
        if outline is not None and self.params.subdomains > outline.blocks:
            yield ("subdomains",), f"must be <= {outline.blocks}, the nodes, not {self.params.subdomains}"
        for place, text in self._inside.unfit(outline) if self._inside else ():
            yield ("local", *place), text

    def context(self, target: Target) -> Context:
        """Return what PETSc calls."""
        from plexus.solvers.schwarz.context import Schwarz as Context

        def made() -> PcContext | None:
            return None if self._inside is None else self._inside.context(self._part(target))

        return Context(made, f"solver.{target.name}.preconditioner.")

    def _part(self, target: Target) -> Target:
        """Return the system of a subdomain."""
        return replace(target, ranks=1, size=max(target.size // self.params.subdomains, 1))
