"""Damaged meshes: each is refused in a sentence, or holds the same; none ends in a traceback or a crash.

``PLEXUS_DAMAGES=1250 pytest -s tests/restart/test_damaged_meshes.py`` damages 500 of them.
"""

from pathlib import Path

import pytest
from damage import DAMAGES, NAMED, SEED, campaign

from plexus.mesh.convert import convert

DATA = Path(__file__).parents[1] / "unit" / "mesh" / "data"
MESHES = {
    "text mesh": (DATA / "triangle1.msh", 5),
    "binary mesh": (DATA / "tetrahedron2.msh", 8),
    "our mesh": (None, 13),
}
"""Kind -> the mesh, and by what the number of damages is divided."""


def damaged(kind, tmp_path, named=""):
    """Damage copies of a mesh; return how many, and what became of them."""
    source, share = MESHES[kind]
    elsewhere = None
    if source is None:
        source, elsewhere = tmp_path / "mesh.h5", tmp_path / "elsewhere.h5"
        convert(DATA / "tetrahedron1.msh", source)
        convert(DATA / "triangle1.msh", elsewhere)
    (tmp_path / "copies").mkdir()
    count = DAMAGES // share
    told = campaign(kind + named, source, tmp_path / "copies", count, elsewhere)
    outcomes = ", ".join(f"{what} {n}" for what, n in sorted(told.items()))
    print(f"\n{kind}{named}: {count} damaged files (seed {SEED}): {outcomes}")
    return count, told


@pytest.mark.parametrize("kind", MESHES)
def test_damaged_meshes(kind, tmp_path):
    count, told = damaged(kind, tmp_path)
    # what no reader can know stays rare
    assert sum(n for what, n in told.items() if "OTHER" in what) <= 0.1 * count


@pytest.mark.parametrize("kind", MESHES)
def test_no_other_file_is_taken_for_the_one_that_a_deck_names(kind, tmp_path):
    count, told = damaged(kind, tmp_path, NAMED)
    assert sum(n for what, n in told.items() if what.endswith(": refused")) == count
