"""Which run a checkpoint is from: a name that no other run has, and the runs that it went on from.

A run that goes on from an older checkpoint, while later ones are there, is another run from there on: a
branch, which knows its parent and the step at which it left it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

UNKNOWN = ""
"""The name of runs whose checkpoints do not tell one."""


@dataclass(frozen=True)
class Lineage:
    """A run and its ancestors.

    Attributes
    ----------
    name : name of the run.
    before : names of the runs before it and the last step that it shares with each, the parent first.
    """

    name: str = UNKNOWN
    before: tuple[tuple[str, int], ...] = ()

    @classmethod
    def fresh(cls, comm: Comm) -> Lineage:
        """Return a run that begins. Collective."""
        return cls(comm.bcast(uuid.uuid4().hex[:16] if comm.rank == 0 else None))

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Lineage:
        """Return the lineage that the facts of a checkpoint tell."""
        told = facts.get("lineage", {})
        return cls(str(told.get("name", UNKNOWN)), tuple((str(n), int(s)) for n, s in told.get("before", ())))

    def plain(self) -> dict[str, Any]:
        """Return the facts of a checkpoint."""
        return {"name": self.name, "before": [list(each) for each in self.before]}

    def branch(self, step: int, comm: Comm) -> Lineage:
        """Return another run that goes on from a step of this one. Collective."""
        return Lineage(Lineage.fresh(comm).name, ((self.name, step), *self.before))

    def owns(self, name: str, step: int) -> bool:
        """Return whether a checkpoint of a run, by name, is of this run's own past."""
        return name == self.name or any(name == n and step <= last for n, last in self.before)
