"""How equations become numbers: what a discretisation tells the deck, and the model that it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from plexus.protocols.fields import FieldSpec

if TYPE_CHECKING:
    from plexus.coupling.base import BaseSystem
    from plexus.deck.context import Context as Names
    from plexus.deck.schema import Deck
    from plexus.mesh.grid import Grid
    from plexus.mesh.mesh import Estimate, Mesh
    from plexus.runtime.context import Context


Found = tuple[tuple[Any, ...], str]
"""Place in a deck, and what is wrong there."""

Doubt = tuple[str, str]
"""Deck path, and what is doubtful there."""


@dataclass(frozen=True)
class Outlook:
    """What a run would be: its mesh, its unknowns by field, and the peak memory of one rank.

    Attributes
    ----------
    estimate : sizes and names of the mesh; None where there is none.
    unknowns : field -> number of unknowns.
    fixed, shared : bytes of every rank, and bytes that all ranks share.
    """

    estimate: Estimate | None
    unknowns: Mapping[str, int]
    fixed: float
    shared: float

    def per_rank(self, ranks: int) -> float:
        """Return the approximate peak memory of one rank [B]."""
        return self.fixed + self.shared / ranks


class Seen(NamedTuple):
    """What is known of a mesh before a run, without MPI.

    Attributes
    ----------
    lines : label -> what a person should know of it.
    warnings : what is seldom meant, with deck paths in front.
    """

    lines: Mapping[str, str]
    warnings: Sequence[str]


class Assembled(NamedTuple):
    """A model at its start: mesh, system, and values by name in the system's own kind of array."""

    mesh: Mesh | Grid | None
    system: BaseSystem
    values: dict[str, Any]


class Discretisation(Protocol):
    """A member of kind ``discretisation``; physics name it in their attribute ``discretisation``.

    Attributes
    ----------
    words : where models of this kind live, as messages say it: ``on elements``.
    physics : protocol of its physics.
    mesh : protocol of the mesh sources that it can use; None where there is no mesh.
    offers : protocols that its systems and their fields fulfil; steppers, quantities and outputs name the one
        that they need.
    blocks : block of the deck -> why a model of this kind cannot have it.
    steady : whether a deck without the block ``time`` has a meaning.
    usual : output that every run has -> parameters that differ from that output's defaults.
    threads : most cores that a rank makes use of; None for all.
    """

    words: str
    physics: type
    mesh: type | None
    offers: frozenset[type]
    blocks: Mapping[str, str]
    steady: bool
    usual: Mapping[str, Mapping[str, Any]]
    threads: int | None

    def learn(self, physics: Any, params: Any, names: Names) -> None:
        """Note the names that a physics brings: unknowns, derived fields, boundary terms.

        ``physics`` is its class.
        """

    def fields(self, model: Any) -> Iterator[tuple[FieldSpec, bool]]:
        """Yield the fields of a physics, and whether each is an unknown."""

    def problems(self, deck: Any) -> Iterator[Found]:
        """Yield what does not go together in a deck that is valid otherwise; needs no MPI."""

    def doubts(self, deck: Deck) -> Iterator[Doubt]:
        """Yield what a valid deck says without effect, or hardly means; needs no MPI."""

    def look(self, deck: Deck) -> Seen:
        """Return what is seen of the mesh, refusing what a run would refuse; needs no MPI, takes a second.

        Raises
        ------
        InputError
            If the mesh is unusable or the deck does not fit it, with a deck path in front.
        """

    def outlook(self, deck: Deck) -> Outlook:
        """Return the sizes of a run; reads a mesh file as far as it must, needs no MPI."""

    def assemble(self, deck: Deck, ctx: Context, t: float) -> Assembled:
        """Return mesh, system and values at time ``t``. Collective.

        Raises
        ------
        InputError
            If the deck does not fit the mesh, the ranks or this machine.
        """
