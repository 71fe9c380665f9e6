"""The XDMF file grows with its outputs instead of being written anew, and is whole at any moment."""

import errno
import os
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from plexus.errors import OutputError
from plexus.io.vtkhdf_layout import Grid, Layout, Step, Totals, column
from plexus.io.xdmf import Collection


def layout(steps: int, rows: int = 4000) -> Layout:
    """Return what a file of so many outputs on four points holds."""
    grid = Grid(0, 0, 0, 0, 1, 4, 1, 4)
    columns = [column("T", "K", "scalar", "node", "temperature", None)]
    made = [Step(i, 0.5 * i, 0, 4 * i, i) for i in range(steps)]
    return Layout(columns, [grid], made, 9, Totals(4, 1, 4, rows, 1000))


def test_an_output_adds_its_grid_only(tmp_path, monkeypatch):
    written = []
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda f, data, at: written.append(len(data)) or pwrite(f, data, at))
    grown, path = Collection(tmp_path / "a.xdmf"), tmp_path / "b.xdmf"
    for n in range(1, 300):
        grown.show([("fields.vtkhdf", layout(n))])
        assert len(ET.parse(grown.path).getroot().findall(".//Time")) == n
    Collection(path).show([("fields.vtkhdf", layout(299))])
    assert grown.path.read_bytes() == path.read_bytes()
    assert sum(written) < 1.1 * path.stat().st_size


def test_what_changes_is_written_anew(tmp_path):
    """A dataset that has grown, a file that was cut, a further file, a file that somebody has changed."""
    grown, path = Collection(tmp_path / "a.xdmf"), tmp_path / "b.xdmf"
    one = layout(3)
    for files in (
        [("f.vtkhdf", one)],
        [("f.vtkhdf", replace(layout(4), totals=Totals(4, 1, 4, 8000, 2000)))],
        [("f.vtkhdf", one)],
        [("f.vtkhdf", one), ("f_0001.vtkhdf", layout(2))],
        [("f.vtkhdf", one), ("f_0001.vtkhdf", layout(5))],
    ):
        grown.show(files)
        Collection(path).show(files)
        assert grown.path.read_bytes() == path.read_bytes()
    grown.path.write_text("mine")
    grown.show(files)
    assert grown.path.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("short", [True, False])
def test_a_full_disk_leaves_what_was_shown(short, tmp_path, monkeypatch):
    grown = Collection(tmp_path / "a.xdmf")
    grown.show([("f.vtkhdf", layout(3))])
    before, pwrite = grown.path.read_bytes(), os.pwrite

    def full(file: int, data: bytes, at: int) -> int:
        if len(data) < 100:
            return pwrite(file, data, at)
        if short:
            return pwrite(file, data[:200], at)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match="No space left"):
        grown.show([("f.vtkhdf", layout(4))])
    assert grown.path.read_bytes() == before
    monkeypatch.undo()
    grown.show([("f.vtkhdf", layout(4))])
    assert len(ET.parse(grown.path).getroot().findall(".//Time")) == 4
