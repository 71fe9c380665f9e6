"""What a preconditioner may know about the system that it is made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """Facts about a linear system, equal on all ranks.

    Attributes
    ----------
    name : str
        Field that is solved for; appears in messages.
    size : int
        Global number of unknowns.
    dim, components : int
        Space dimension and components per node.
    ranks : int
        Processes that share the matrix.
    linear : bool
        One linear solve is exact.
    singular : bool
        No condition fixes the unknown, so the matrix may have a kernel.
    rigid : bool
        The near null space holds rigid-body modes.
    packages : frozenset of str
        External packages that this PETSc was built with, in lower case.
    zeros : tuple of str
        Deck paths of properties that are zero everywhere, for messages.
    device : str
        Torch's name of the device of this rank.
    definite : bool
        The matrix is symmetric positive definite for sure.
    parts : mapping
        Name -> components of each field that is solved for at once; empty for a single one.
    """

    name: str
    size: int
    dim: int
    components: int
    ranks: int
    rigid: bool
    linear: bool
    singular: bool
    packages: frozenset[str]
    zeros: tuple[str, ...] = ()
    device: str = "cpu"
    definite: bool = False
    parts: Mapping[str, int] = field(default_factory=dict)
