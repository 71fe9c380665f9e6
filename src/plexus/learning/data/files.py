"""Columns of files: what the part sees and should answer, point by point, as another program has written it.

CSV with a line of names, each perhaps with its unit in brackets (`T [degC]`); HDF5, columns by the paths
of datasets, their units in an attribute `unit`; VTKHDF, point or cell data of all blocks and partitions,
components as `velocity_x` or `stress_xy`, with `time` for the times of the steps. Numbers are converted
to the units of the part's ports. Rows without a number in some column and rows at times that the deck's
run does not have are left out, counted and named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import model_validator

from plexus import registry
from plexus.deck import parts, solved
from plexus.deck.params import Field, InputFile, Params, Unit
from plexus.deck.suggest import nearest
from plexus.errors import InputError
from plexus.learning.data.base import DataBase
from plexus.protocols.training import Wrong
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.learning.samples import Samples
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "files", "files": ["measured.csv"], "columns": {"u": "T", "s": "heating"}}


class ColumnParams(Params):
    """Where the numbers of a port stand in a file; short form: the name alone."""

    name: str = Field(min_length=1, description="name of the column, or path of the dataset")
    imaginary: str | None = Field(None, description="column of the imaginary part, for complex ports")
    unit: str | None = Field(None, description="unit of the numbers; none: as the file says, else the port's")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"name": data} if isinstance(data, str) else data

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Allow the short form."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}


class FilesParams(Params):
    """Parameters of `Files`."""

    files: tuple[InputFile, ...] = Field(
        min_length=1, description="files with the same columns, one group each"
    )
    columns: dict[str, ColumnParams] = Field(min_length=1, description="port of the part -> column")
    time: ColumnParams | None = Field(None, description="column of times; none: the rows have none")
    start: Annotated[float, Unit("s")] = Field(0.0, ge=0, description="first time that is taken")
    end: Annotated[float, Unit("s")] | None = Field(
        None, description="last time that is taken; none: the run's end"
    )


@register("data", "files", FilesParams)
class Files(DataBase):
    """Loose points from files."""

    offers = frozenset({"targets"})

    @staticmethod
    def problems(params: FilesParams, deck: Deck) -> Wrong:
        """Yield ports without a column, and columns of no port."""
        for place, text in ports_without(params.columns, deck):
            yield ("columns", *place), text

    def words(self) -> str:
        """Return the names of the files."""
        names = [Path(file).name for file in self.params.files]
        return names[0] if len(names) == 1 else f"{len(names)} files"

    def samples(self, session: Session, leads: Sequence[int]) -> Samples:
        """Return every n-th row for n ranks; the first rank reads. Collective."""
        from plexus.learning.data._rows import rows

        with session.ctx.timers("data"):
            return rows(session, self.params)

    def case(self, group: int) -> dict[str, Any]:
        """Return the name of the file."""
        return {"file": Path(self.params.files[group]).name}

    def tell(self, session: Session) -> dict[str, dict[str, Any]]:
        """Return names and sums of the files."""
        told = super().tell(session)
        sums = {Path(f).name: hashlib.sha256(Path(f).read_bytes()).hexdigest() for f in self.params.files}
        told["training"] |= {"generator": "files", "files": sums, "filter": "rows without numbers left out"}
        return told


def ports_without(columns: Mapping[str, Any], deck: Deck) -> Wrong:
    """Yield ports of the deck's part that nothing is given for, names that are no ports, missing parts."""
    if deck.train is not None and deck.train.part == parts.CONTROLS:
        unknowns = [port.name for port in solved.answers(deck)]
        for name in columns:
            if name not in unknowns:
                yield (name,), f"the deck has no unknown called {name!r}{nearest(name, unknowns, 10)}"
        return
    try:
        path, part = parts.trained(deck)
    except InputError:
        return  # that there is no part to train is told once
    cls: Any = parts.component(part).cls
    made, gap = cls(part), parts.gap(deck.physics)
    if hasattr(cls, "surroundings"):
        try:
            made.accept(cls.surroundings(deck))
        except InputError:
            return  # what does not fit is told of the part
    known = set(gap.constants) if gap is not None else set()
    ports = {port.name: port for port in (*made.inputs, *made.outputs)}
    needed = ports if _targets(deck.train) else [port.name for port in made.inputs]
    missing = [name for name in needed if name not in columns and name not in known]
    if missing:
        takes, gives = (", ".join(map(str, some)) for some in (made.inputs, made.outputs))
        told = f"it takes {takes} and gives {gives}"
        yield (), f"nothing is given for {', '.join(missing)} of {path} ({part.type}); {told}"
    for name, column in columns.items():
        if name not in ports:
            yield (name,), f"{path} ({part.type}) has no such port{nearest(name, ports, 10)}"
        elif ports[name].complex and not column.imaginary:
            yield (name,), f"{name} is complex: write {{name: {column.name}, imaginary: …}}"
        elif column.imaginary and not ports[name].complex:
            yield (name,), f"{name} is real: leave out `imaginary`"


def _targets(train: Any) -> bool:
    """Return whether some stage needs targets."""
    needs = (registry.component("stage", s.type).cls.needs(s, train.loss) for s in train.stages)  # type: ignore[attr-defined]  # of the protocol
    return any("targets" in each for each in needs)
