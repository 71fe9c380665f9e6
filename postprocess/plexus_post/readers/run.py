"""``open(path)`` and the `Run` that it returns: everything that a run folder tells, read lazily."""

from __future__ import annotations

import json
import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fileformat import DECK, FIELDS, MODES, PROGRESS, SERIES, SUMMARY, SWEEP, shown
from plexus_post.columns import component_names
from plexus_post.errors import PostError
from plexus_post.readers import plain
from plexus_post.readers.grid import Grid
from plexus_post.readers.hdf5 import reading
from plexus_post.readers.locate import Locator
from plexus_post.readers.series import SeriesFile
from plexus_post.readers.vtkhdf import FieldFile

if TYPE_CHECKING:
    import pandas
    from xarray import DataArray


def open(path: str | Path) -> Run:
    """Open a run folder, or one of its files.

    Parameters
    ----------
    path
        Folder of a run, or a ``.vtkhdf`` file, or another file of the folder.

    Raises
    ------
    PostError
        If there is nothing that belongs to a run.
    """
    place = Path(path)
    if place.is_file():
        return Run(place.parent, place)
    if not place.is_dir():
        raise PostError(f"{path}: no such file or folder")
    if (place / SWEEP).is_file():
        raise PostError(f"{path}: a sweep, not a run: name one of its members, {place / 'member_0000'}")
    known = (FIELDS, SERIES, SUMMARY, DECK, PROGRESS)
    if not any((place / name).exists() for name in known) and not _field_files(place):
        raise PostError(f"{path}: not a run folder (none of {', '.join(known)} in it)")
    return Run(place)


def _field_files(folder: Path) -> list[Path]:
    """Return the field files of a folder: ``fields`` and what it was rolled into, else another series.

    Modes of reduced models are no times of a run.
    """
    stem, suffix = Path(FIELDS).stem, Path(FIELDS).suffix
    series: dict[str, list[Path]] = {}
    # fields.vtkhdf, fields_0001.vtkhdf, … are one series
    for path in sorted(folder.glob(f"*{suffix}")):
        if not path.name.endswith(MODES):
            series.setdefault(re.sub(r"_\d{4,}$", "", path.stem), []).append(path)
    return series.get(stem) or next(iter(series.values()), [])


class Run:
    """The results of one run.

    Parameters
    ----------
    folder
        The run folder.
    only
        Restrict the run to this one file.
    """

    def __init__(self, folder: Path, only: Path | None = None):
        self.folder, self._only = folder, only

    @property
    def name(self) -> str:
        """Name of the folder, or of the file that was opened."""
        return self._only.name if self._only else self.folder.resolve().name

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Content of ``summary.json``; empty while the run goes on."""
        return plain.read_json(self.folder / SUMMARY, plain.SUMMARY_SHAPE)

    @cached_property
    def progress(self) -> dict[str, Any]:
        """Content of ``progress.json``, or empty."""
        return plain.read_json(self.folder / PROGRESS, plain.PROGRESS_SHAPE)

    @cached_property
    def deck(self) -> dict[str, Any]:
        """The effective deck as plain data, or empty."""
        path = self.folder / DECK
        if path.is_file():
            return plain.deck(path, plain.text(path))
        return plain.deck(self.files[0].path, self.files[0].text("deck")) if self.files else {}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Who made the results when and with what, as the field file or the histories tell."""
        file = self.files[0] if self.files else self.series_file
        with reading(file.path):
            return dict(json.loads(file.text("provenance") or "{}"))

    @property
    def title(self) -> str:
        """Title from the deck, else the name."""
        return shown(str((self.deck.get("about") or {}).get("title") or self.name))

    @cached_property
    def files(self) -> list[FieldFile]:
        """The field files, rolled ones in order of time."""
        if self._only is not None:
            return [FieldFile(self._only)] if self._only.suffix == Path(FIELDS).suffix else []
        # a file in which no step is complete yet has no time to sort by
        files = [FieldFile(p) for p in _field_files(self.folder)]
        return sorted((f for f in files if len(f.times)), key=lambda f: float(f.times[0]))

    @cached_property
    def times(self) -> np.ndarray:
        """Times (S,) of all steps in the field files."""
        return np.concatenate([f.times for f in self.files]) if self.files else np.zeros(0)

    @property
    def fields(self) -> dict[str, str]:
        """Field name -> ``point`` or ``cell``."""
        return self.files[0].locations if self.files else {}

    def unit(self, name: str) -> str:
        """Return the unit of a field or component as text, empty when the file names none."""
        return self._file(-1)[0].unit(self.component(name)[0])

    def tip(self, name: str) -> str:
        """Return the one-line description of a field or component, empty when the file has none."""
        field, column = self.component(name)
        tip = self._file(-1)[0].tip(field)
        return tip if column is None or not tip else f"{tip}, {name.removeprefix(field)[1:]} component"

    def place(self, name: str) -> str:
        """Return where a field or component lives, ``point`` or ``cell``."""
        return self.fields.get(self.component(name)[0], "point")

    def component(self, name: str) -> tuple[str, int | None]:
        """Return the field and the column that a name means: ``stress_xy`` is a component of ``stress``.

        The column is None where the name is that of a field, or of nothing.
        """
        if name not in self.fields:
            for field in self.fields:
                ends = component_names(self.files[0].components(field))
                if name.startswith(field) and name[len(field) :] in ends:
                    return field, ends.index(name[len(field) :])
        return name, None

    def step(self, step: int | None = None, time: float | None = None) -> int:
        """Return a step number from a number (negative counts from the end) or the nearest time.

        Raises
        ------
        PostError
            If there are no fields or the number is out of range.
        """
        count = len(self.times)
        if count == 0:
            raise PostError(f"{self.folder}: no field data ({FIELDS})")
        if time is not None:
            return int(np.abs(self.times - time).argmin())
        number = -1 if step is None else step
        if not -count <= number < count:
            raise PostError(f"{self.name}: no step {number}; there are {count} (0 to {count - 1})")
        return number % count

    def field(self, name: str, step: int | None = None, time: float | None = None) -> np.ndarray:
        """Return a field: (P,), (P, components) on points or (C,), (C, components) on cells.

        Parameters
        ----------
        name
            Name of the field, or of one of its components: ``stress``, ``stress_xy``.
        step, time
            Which step; the last one by default.
        """
        file, local = self._file(self.step(step, time))
        field, column = self.component(name)
        values = file.values(field, local)
        return values if column is None else values[:, column]

    def mesh(self, step: int | None = None, time: float | None = None) -> Grid:
        """Return the mesh of a step; ``points, cells = run.mesh()`` works too."""
        file, local = self._file(self.step(step, time))
        return file.grid(local)

    def at(
        self, points: Any, fields: list[str] | None = None, step: int | None = None, time: float | None = None
    ) -> dict[str, np.ndarray]:
        """Return fields at points (N, 2 or 3): name -> (N,) or (N, components); NaN outside the mesh."""
        number = self.step(step, time)
        locator = Locator(self.mesh(number), np.atleast_2d(np.asarray(points, dtype=float)))
        names = fields or list(self.fields)
        return {n: locator.sample(self.field(n, number), self.place(n)) for n in names}

    def sides(self, points: Any, name: str, step: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return least and largest value of a field on points over the cells that meet at points (N, 2 or 3).

        They differ on contacts, and where materials meet; see `at` for the value of one cell.
        """
        number = self.step(step)
        locator = Locator(self.mesh(number), np.atleast_2d(np.asarray(points, dtype=float)))
        return locator.spread(self.field(name, number))

    @cached_property
    def series_file(self) -> SeriesFile:
        """The histories of the run."""
        return SeriesFile(self.folder / SERIES)

    def series(self, name: str) -> pandas.DataFrame:
        """Return one history as a table whose index is its first column (time, step or iteration)."""
        return self.series_file.table(name)

    def xarray(self, name: str) -> DataArray:
        """Return a field over all steps as a DataArray (time, point or cell[, component])."""
        import xarray

        values = np.stack([self.field(name, s) for s in range(len(self.times))])
        place = self.place(name)
        coords: dict[str, Any] = {"time": self.times}
        if place == "point":
            coords |= {axis: ("point", self.mesh().points[:, i]) for i, axis in enumerate("xyz")}
        dims = ["time", place, "component"][: values.ndim]
        return xarray.DataArray(values, coords, dims, name=name, attrs={"units": self.unit(name)})

    def gridded(self, name: str) -> DataArray:
        """Return a field on a rectangular grid as a DataArray (time, x, y, z[, component]), read when used.

        Axes along which the grid does not extend are left out. Values on cells stand at their centres.

        Raises
        ------
        PostError
            If the points or cells are not those of a rectangular grid, or there is no such field.
        """
        from plexus_post.readers.gridded import gridded

        return gridded(self, name)

    def _file(self, step: int) -> tuple[FieldFile, int]:
        """Return the file that holds a step and the step's number in it."""
        # steps count on over rolled files
        number = self.step(step)
        for file in self.files:
            if number < len(file.times):
                return file, number
            number -= len(file.times)
        raise PostError(f"{self.name}: no step {step}")
