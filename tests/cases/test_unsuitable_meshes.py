"""Meshes that cannot be read or do not suit: each is refused with its reason before a run, and never good.

They are made from good ones by editing their text. What ``plexus check`` says of them, a run says too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from case_runs import command

from plexus.cli import main
from plexus.mesh.convert import convert

DATA = Path(__file__).parents[1] / "unit" / "mesh" / "data"
TEXT = (DATA / "triangle1.msh").read_text()
HEAD = "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n"
DECK = """\
plexus: 1
mesh: {{type: {type}, file: {file}}}
physics: {{type: heat, {physics}}}
boundary:
  - {{on: {first}, temperature: 400}}
  - {{on: {on}, {term}}}
"""
USUAL = {
    "type": "gmsh",
    "file": "mesh.msh",
    "physics": "material: {conductivity: 1}",
    "first": "floor",
    "on": "roof",
    "term": "temperature: 300",
}


def swapped(*pairs: tuple[str, str]) -> Callable[[], str]:
    """Return what gives the good mesh with texts replaced, each where it stands first."""

    def edit() -> str:
        text = TEXT
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        return text

    return edit


def after(section: str, old: str, new: str) -> Callable[[], str]:
    """Return what gives the good mesh with a text replaced where it first stands behind a section's head."""

    def edit() -> str:
        head, _, rest = TEXT.partition(f"${section}\n")
        assert old in rest
        return head + f"${section}\n" + rest.replace(old, new, 1)

    return edit


def cut(words: str, back: int = 0) -> Callable[[], str]:
    """Return what gives the good mesh up to some words, or some characters less."""
    return lambda: TEXT[: TEXT.index(words) - back]


def without(section: str) -> Callable[[], str]:
    """Return what gives the good mesh without a section."""
    return lambda: re.sub(rf"\${section}\n.*?\$End{section}\n", "", TEXT, flags=re.DOTALL)


def small(elements: str, n_nodes: int = 9) -> Callable[[], str]:
    """Return what gives a square of one surface in the group ``west`` with these element blocks."""
    at = ("0 0 0", "1 0 0", "1 1 0", "0 1 0", ".5 0 0", "1 .5 0", ".5 1 0", "0 .5 0", "2 .5 0")[:n_nodes]
    groups = '$PhysicalNames\n3\n1 1 "floor"\n1 2 "roof"\n2 1 "west"\n$EndPhysicalNames\n'
    entities = "$Entities\n0 2 1 0\n1 0 0 0 1 0 0 1 1 0\n2 0 1 0 1 1 0 1 2 0\n1 0 0 0 1 1 0 1 1 0\n"
    tags = "\n".join(str(i + 1) for i in range(len(at)))
    nodes = f"$Nodes\n1 {len(at)} 1 {len(at)}\n2 1 0 {len(at)}\n{tags}\n" + "\n".join(at) + "\n$EndNodes\n"
    return lambda: f"{HEAD}{groups}{entities}$EndEntities\n{nodes}$Elements\n{elements}$EndElements\n"


LINES = "1 1 1 1\n1 1 2 \n1 2 1 1\n2 3 4 \n"
"""Floor and roof of the square."""


@dataclass(frozen=True)
class Bad:
    """A mesh, what a deck does with it, and what is said; ``place`` stands in the line that is named."""

    mesh: Callable[[], str]
    words: str
    place: str | None = None
    deck: dict[str, str] = field(default_factory=dict)
    at: str = "mesh.file"


TABLE = {
    "other file": Bad(lambda: "# vtk DataFile Version 3.0\n", "does not start with $MeshFormat", "# vtk"),
    "empty file": Bad(lambda: "", "does not start with $MeshFormat"),
    "version 2": Bad(swapped(("4.1 0 8", "2.2 0 8")), "MSH version 2.2 is not supported", "2.2 0 8"),
    "version 4.0": Bad(swapped(("4.1 0 8", "4 0 8")), "MSH version 4 is not supported", "4 0 8"),
    "byte order": Bad(
        lambda: "$MeshFormat\n4.1 1 8\n\x00\x00\x00\x01\n$EndMeshFormat\n", "another byte order"
    ),
    "cut in the nodes": Bad(cut("$EndNodes", 20), "ends inside $Nodes; it is truncated"),
    "cut in the cells": Bad(cut("$EndElements", 9), "ends inside $Elements; it is truncated"),
    "no nodes": Bad(without("Nodes"), "no $Nodes section"),
    "no cells": Bad(without("Elements"), "no $Elements section"),
    "nodes twice": Bad(
        lambda: TEXT + "\n$Nodes\n0 0 0 0\n$EndNodes\n", "a second $Nodes section", "$Nodes\n0 0"
    ),
    "no groups": Bad(without("Entities"), "no physical groups of dimension 2 or 1"),
    "points only": Bad(small("1 1 1 1\n0 1 15 1\n1 1 \n"), "no cells of dimension 1, 2 or 3"),
    "8-node quadrilaterals": Bad(
        small("1 1 1 1\n2 1 16 1\n1 1 2 3 4 5 6 7 8 \n"),
        "element type 16, an 8-node quadrilateral, is not supported; set Mesh.SecondOrderIncomplete = 0",
        "2 1 16 1",
    ),
    "prisms": Bad(small("1 1 1 1\n3 1 6 1\n1 1 2 3 4 5 6 \n"), "element type 6, a 6-node prism,", "3 1 6 1"),
    "cubic cells": Bad(
        small("1 1 1 1\n2 1 21 1\n1 1 2 3 4 5 6 7 8 9 9 \n"),
        "first or second order (Mesh.ElementOrder)",
        "2 1 21 1",
    ),
    "triangles and quadrilaterals": Bad(
        small("2 2 1 2\n2 1 3 1\n1 1 2 3 4 \n2 1 2 1\n2 2 9 3 \n"),
        "mixes quadrilateral of degree 1 and triangle of degree 1",
    ),
    "dimension of a block": Bad(
        small("1 1 1 1\n1 1 2 1\n1 1 2 3 \n"), "is a triangle, which has not the dimension 1", "1 1 2 1"
    ),
    "node that is not there": Bad(
        after("Elements", "\n11 13 6 16", "\n11 13 99 16"),
        "element 11 names node 99, which the file does not",
        "11 13 99 16",
    ),
    "node twice": Bad(after("Nodes", "\n14\n15\n", "\n14\n14\n"), "node 14 is there twice"),
    "element twice": Bad(after("Elements", "\n12 12 1 15", "\n11 12 1 15"), "element 11 is there twice"),
    "coordinate that is none": Bad(
        after("Nodes", "\n0.6479166666669075 ", "\nnan "), "node 16 lies at (nan", "nan 0.64"
    ),
    "coordinate without end": Bad(
        after("Nodes", "\n0.6479166666669075 ", "\n1e999 "), "node 16 lies at (inf", "1e999 0.64"
    ),
    "word among numbers": Bad(
        after("Nodes", "\n2 0 0\n", "\n2 zero 0\n"), "'zero' is not a number", "2 zero 0"
    ),
    "fraction of a node": Bad(
        after("Elements", "\n11 13 6 16", "\n11 13 6.5 16"), "6.5 stands where a whole", "11 13 6.5 16"
    ),
    "number of nodes": Bad(
        swapped(("\n15 21 1 21\n", "\n15 22 1 21\n")), "says that it has 22 nodes, and has 21"
    ),
    "number of elements": Bad(swapped(("\n7 38 1 38\n", "\n7 37 1 38\n")), "it has 37 elements, and has 38"),
    "block that is longer": Bad(
        swapped(("\n7 38 1 38\n", "\n7 37 1 38\n"), ("\n2 2 2 14\n", "\n2 2 2 13\n")),
        "goes on behind its last entry",
    ),
    "off the plane": Bad(
        swapped(("\n2 1 0\n", "\n2 1 0.5\n")), "node 3 lies at (2, 1, 0.5): a mesh of plane cells", "2 1 0.5"
    ),
    "cell without area": Bad(
        after("Elements", "\n11 13 6 16", "\n11 13 6 13"), "element 11 is degenerate or folded", "11 13 6 13"
    ),
    "boundary away from cells": Bad(
        after("Elements", "\n7 6 11 \n", "\n7 6 1 \n"),
        "element 7 is no side of any cell; 1 of boundary 'roof'",
        "7 6 1 ",
    ),
    "three cells at a side": Bad(
        small(f"4 5 1 5\n{LINES}2 1 2 2\n3 1 2 3 \n4 1 3 4 \n2 1 2 1\n5 1 9 3 \n"),
        "a facet is shared by more than two cells",
    ),
    "node in the wrong place": Bad(
        after("Nodes", "\n0.6479166666669075 0.64", "\n0.6479166666669075 1.64"),
        "the mesh overlaps itself, a node may be in the wrong place",
    ),
    "cell twice": Bad(
        small(f"4 5 1 5\n{LINES}2 1 2 2\n3 1 2 3 \n4 1 3 4 \n2 1 2 1\n5 1 3 4 \n"),
        "a facet is shared by more than two cells",
    ),
    "one of several partitions": Bad(
        lambda: (DATA / "partition_2_of_3.msh").read_text(),
        "a part of a mesh of 3 partitions",
        deck={"first": "left", "on": "right"},
    ),
    "region as boundary": Bad(
        lambda: TEXT, "the mesh has no boundary 'west'; it has", deck={"on": "west"}, at="boundary[1].on"
    ),
    "group that is empty": Bad(
        swapped(('"both sets"\n', '"both sets"\n1 9 "attic"\n'), ("\n6\n1 3", "\n7\n1 3")),
        "attic: no facet is there",
        deck={"on": "attic"},
        at="boundary[1].on",
    ),
    "interface without a side": Bad(
        lambda: TEXT,
        "2 facets lie inside the body: say from which side they are seen",
        deck={"on": "middle", "term": "flux: 3"},
        at="boundary[1].on",
    ),
    "radii below zero": Bad(
        swapped(("\n0 0 0\n0 2", "\n-1 0 0\n0 2")),
        "axisymmetric needs radii x >= 0, the mesh begins at -1 m",
        deck={"physics": "geometry: axisymmetric, material: {conductivity: 1}"},
        at="physics.geometry",
    ),
    "region without a value": Bad(
        lambda: TEXT,
        "14 cells are in none of its regions; other regions are east",
        deck={"physics": "material: {conductivity: {regions: {west: 1}}}"},
        at="physics.material.conductivity",
    ),
}


def write(folder: Path, bad: Bad) -> Path:
    """Write mesh and deck of an entry; return the deck."""
    (folder / "mesh.msh").write_bytes(bad.mesh().encode("latin-1"))
    deck = folder / "deck.yaml"
    deck.write_text(DECK.format(**(USUAL | bad.deck)))
    return deck


def refusal(deck: Path, capsys: Any) -> str:
    """Return what check says of a deck that it must refuse."""
    code = main(["check", str(deck)])
    told = capsys.readouterr()
    assert code == 2 and "good" not in told.out + told.err, told
    return told.err.strip()


def test_the_mesh_from_which_they_are_made_is_good(tmp_path, capsys):
    assert main(["check", str(write(tmp_path, Bad(lambda: TEXT, "")))]) == 0
    told = capsys.readouterr().out
    assert told.count("good") == 1 and told.splitlines()[-1].endswith(": good (gmsh mesh, heat, steady)")
    assert "extent       2 m × 1 m, from (0, 0) m" in told
    assert "middle (2 facets, 2 inside the body)" in told


@pytest.mark.parametrize("name", TABLE)
def test_refused_with_its_reason(name, tmp_path, capsys):
    bad = TABLE[name]
    deck = write(tmp_path, bad)
    told = refusal(deck, capsys)
    assert bad.words in told, told
    assert told.startswith(f"{deck}:") and f": {bad.at}: " in told, told
    assert "\n" not in told
    if bad.place is not None:
        line = bad.mesh().split(bad.place)[0].count("\n") + 1
        assert f"{tmp_path / 'mesh.msh'}:{line}: " in told, told


@pytest.mark.parametrize(
    "name", ["cut in the cells", "off the plane", "interface without a side", "cell twice"]
)
def test_a_run_says_the_same(name, tmp_path, capsys):
    told = refusal(write(tmp_path, TABLE[name]), capsys)
    code, said = command(tmp_path, "run", str(tmp_path / "deck.yaml"), ranks=2)
    assert code == 2
    assert told in said


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-700])


def linked(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["points"]
        file["points"] = h5py.ExternalLink("elsewhere.h5", "points")


def with_(key: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Return what writes other numbers in place of a dataset, and nothing else."""

    def edit(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            rows = file[key][()]
            del file[key]
            file[key] = change(rows)

    return edit


def flipped(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    # the bytes of a coordinate
    where = raw.index(np.float64(0.6479166666669075).tobytes())
    raw[where + 3] ^= 16
    path.write_bytes(raw)


def first(value: float) -> Callable[[np.ndarray], np.ndarray]:
    def edit(rows: np.ndarray) -> np.ndarray:
        rows[(0,) * rows.ndim] = value
        return rows

    return edit


OURS = {
    "cut off": (truncated, "damaged"),
    "link to elsewhere": (linked, "points is a link to elsewhere"),
    "one bit": (flipped, "the mesh file is damaged"),
    "not ours": (lambda path: path.write_bytes(b"PK\3\4" + bytes(5000)), "cannot read the mesh"),
    "no number": (with_("points", first(np.nan)), "a coordinate is no number"),
    "point that is not there": (
        with_("cells", first(99)),
        "cells name points that the file does not contain",
    ),
    "side that is not there": (
        with_("boundaries/floor", lambda rows: rows + np.array([0, 7])),
        "floor names sides that a triangle does not have",
    ),
    "cells out of order": (
        with_("regions/west", lambda rows: rows[::-1]),
        "/regions/west is not in ascending order",
    ),
    "other cells": (with_("cells", lambda rows: rows[:, :2]), "2 nodes do not make a triangle of degree 1"),
    "folded cell": (
        with_("cells", lambda rows: rows[:, [0, 2, 1]]),
        "is degenerate or folded: its volume element is not positive everywhere",
    ),
    "lost group": (lambda path: _lose(path, "regions"), "damaged or incomplete"),
}


def _lose(path: Path, group: str) -> None:
    with h5py.File(path, "r+") as file:
        del file[group]


@pytest.mark.parametrize("name", OURS)
def test_meshes_of_our_own(name, tmp_path, capsys):
    edit, words = OURS[name]
    convert(DATA / "triangle1.msh", tmp_path / "mesh.h5")
    deck = tmp_path / "deck.yaml"
    deck.write_text(DECK.format(**(USUAL | {"type": "hdf5", "file": "mesh.h5"})))
    assert main(["check", str(deck)]) == 0
    capsys.readouterr()
    edit(tmp_path / "mesh.h5")
    told = refusal(deck, capsys)
    assert words in told and told.startswith(f"{deck}:2:26: mesh.file: "), told
