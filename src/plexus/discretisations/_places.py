"""Whether the places of a deck are in the mesh, and what its conditions mean where they meet on facets.

A condition that finds nothing, a load on a facet inside the body of which no side is named, and a load where
every unknown is prescribed are refused. Where conditions share facets otherwise, the rule is told: a
prescribed value holds against a load, the later of two values holds, loads of one kind add up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from plexus.deck.crosscheck import NOTHING
from plexus.discretisations import _contacts
from plexus.errors import InputError, at_path
from plexus.formulation.terms import accepted
from plexus.mesh.facets import numbers
from plexus.mesh.turned import refuse_turned
from plexus.spaces import fit
from plexus.spaces.names import boundary_facets, facets_by_side, require_facets, with_area

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Mesh
    from plexus.protocols import Equation, FieldSpec


def check(deck: Deck, mesh: Mesh, equations: Sequence[Equation]) -> list[str]:
    """Refuse what does not fit the mesh, and loads without meaning; return warnings. Collective.

    `plexus check` calls it with the mesh on one rank, a run with its own.

    Raises
    ------
    InputError
        At the deck path of the first of them.
    """
    fit.check(deck.physics, mesh)
    fit.check_places(deck.boundary, mesh)
    refuse_turned(mesh, [spec for equation in equations for spec in equation.fields])
    _named(deck, mesh)
    for i, condition in enumerate(deck.boundary):
        area = with_area(mesh, condition.on)
        if area is None:
            continue
        with at_path(f"boundary[{i}].on"):
            require_facets(mesh, area, sided=not all(map(_contacts.between, condition.terms)))
        for kind, params in condition.terms.items():
            fit.check_cover(params, f"boundary[{i}].{kind}", mesh, boundary_facets(mesh, area)[:, 0])
    _contacts.check(deck, mesh)
    loads = _Loads(deck, mesh)
    return [text for equation in equations for text in loads.meetings(equation)]


def _named(deck: Deck, mesh: Mesh) -> None:
    """Refuse regions and boundaries of the deck's own that no cell or facet fulfils. Collective."""
    kinds = {"regions": mesh.regions, "boundaries": mesh.boundaries}
    for kind, parts in (kinds | dict.fromkeys(("curves", "points"), mesh.skeleton)).items():
        names = sorted(name for name in parts if deck.place(f"mesh.{kind}.{name}"))
        counts = mesh.comm.allreduce(np.array([len(parts[name]) for name in names], dtype=int))
        for name, count in zip(names, counts, strict=True):
            if not count:
                raise InputError(f"mesh.{kind}.{name}: {NOTHING[kind]}")


@dataclass
class _Loads:
    """The conditions of a deck as sets of facets that this rank owns; methods are collective."""

    deck: Deck
    mesh: Mesh

    def meetings(self, equation: Equation) -> Iterator[str]:
        """Yield a warning for conditions of one equation that share facets.

        Raises
        ------
        InputError
            If a load acts where all components are prescribed, and nowhere else.
        """
        for spec in equation.fields:
            yield from self._values(spec)
        terms = set(accepted(equation.boundary_terms, equation.field.name))
        loads = [(i, kind) for i, c in enumerate(self.deck.boundary) for kind in c.terms if kind in terms]
        held = self._held(equation.field)
        for i, kind in loads:
            yield from self._against(i, kind, equation.field.name, held)
        for (i, kind), (j, other) in combinations(loads, 2):
            shared = self._shared(i, j) if kind == other else 0
            if shared:
                what = f"acts on {shared:,} facets together with {self._at(i)}"
                yield f"boundary[{j}].{kind}: {what}: both add up"

    def _values(self, spec: FieldSpec) -> Iterator[str]:
        """Yield where two values of one component differ on the same facets."""
        given = [(i, c.values[spec.name]) for i, c in enumerate(self.deck.boundary) if spec.name in c.values]
        for (i, first), (j, second) in combinations(given, 2):
            if any(a and b and a != b for a, b in zip(first, second, strict=False)):
                shared = self._shared(i, j)
                if shared:
                    text = f"{self._at(i)} gives {shared:,} of its facets another value"
                    yield f"boundary[{j}].{spec.name}: {text}: this later one holds there"

    def _held(self, spec: FieldSpec) -> Mapping[int, np.ndarray]:
        """Return number of a condition -> those of its facets on which all components are prescribed."""
        given = [(i, c.values[spec.name]) for i, c in enumerate(self.deck.boundary) if spec.name in c.values]
        nothing = np.empty(0, dtype=np.int64)
        by_component = [
            np.concatenate([nothing, *(self.facets[i] for i, values in given if values[c] is not None)])
            for c in range(spec.components(self.mesh.dim))
        ]
        everywhere = reduce(np.intersect1d, by_component)
        return {i: np.intersect1d(self.facets[i], everywhere) for i, _ in given}

    def _against(self, i: int, kind: str, name: str, held: Mapping[int, np.ndarray]) -> Iterator[str]:
        """Yield that prescribed values hold against a load on a part of its facets."""
        own = self.facets[i]
        shared = {j: self._count(np.intersect1d(own, facets)) for j, facets in held.items()}
        values = [self._at(j) for j, n in shared.items() if n]
        if not values:
            return
        lost = self._count(np.intersect1d(own, np.concatenate(list(held.values()))))
        path, what = f"boundary[{i}].{kind}", f"{name} is prescribed by {' and '.join(values)}"
        if lost == self._count(own):
            raise InputError(f"{path}: has no effect, {what} on all of its facets; remove one of them")
        # what lies between two sides has an effect as long as one of them is free
        if _contacts.between(kind):
            return
        yield f"{path}: has no effect on {lost:,} of its {self._count(own):,} facets: {what} there"

    @cached_property
    def facets(self) -> list[np.ndarray]:
        """Numbers of the own facets of each condition, each once."""
        found = []
        for condition in self.deck.boundary:
            area = with_area(self.mesh, condition.on)
            pairs = self.mesh.outside[:0] if area is None else facets_by_side(self.mesh, area)
            found.append(np.unique(numbers(pairs[pairs[:, 0] < self.mesh.n_owned_cells])))
        return found

    def _shared(self, i: int, j: int) -> int:
        return self._count(np.intersect1d(self.facets[i], self.facets[j], assume_unique=True))

    def _count(self, facets: np.ndarray) -> int:
        return int(self.mesh.comm.allreduce(len(np.unique(facets))))

    def _at(self, i: int) -> str:
        """Return a condition with its place in the deck."""
        place = self.deck.place(f"boundary[{i}]")
        return f"boundary[{i}]" + (f" ({place})" if place else "")
