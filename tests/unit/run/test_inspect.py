"""Material data that do not fit the mesh or the result."""

import pytest

from plexus.errors import InputError
from plexus.run.inspect import beyond_tables

TWO = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 2], regions: {a: x < 0.5, b: x > 0.4}}
physics: {type: heat, material: {conductivity: {regions: {REGIONS}}}}
boundary: [{on: left, temperature: 300}, {on: right, temperature: 400}]
"""

TABLE = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 2]}
physics: {type: heat, material: {conductivity: {table: [[FIRST, 5], [LAST, 6]], of: temperature}}}
boundary: [{on: left, temperature: 300}, {on: right, temperature: 400}]
"""


@pytest.mark.parametrize(
    ("regions", "words"),
    [
        ("a: 5", r"physics\.material\.conductivity: 4 cells are in none of its regions; other regions are b"),
        ("a: 5, b: 6, c: 7", "2 cells are in more than one"),
    ],
)
def test_regions_that_do_not_cover_or_overlap(make_run, regions, words):
    text = TWO.replace("REGIONS", regions)
    if "c:" in regions:
        text = text.replace("b: x > 0.4", "b: x > 0.5, c: x > 0.8")
    with pytest.raises(InputError, match=words):
        make_run(text)


def test_negative_radii_are_refused(make_run):
    with pytest.raises(InputError, match="needs radii x >= 0, the mesh begins at -1 m"):
        make_run(
            "plexus: 1\nmesh: {type: box, cell: triangle, cells: [4, 2], origin: [-1, 0]}\n"
            "physics: {type: heat, geometry: axisymmetric, material: {conductivity: 1}}\n"
        )


@pytest.mark.parametrize(("first", "last", "warns"), [(300, 400, False), (300, 380, True), (320, 500, True)])
def test_tables_that_the_result_leaves_are_told(make_run, first, last, warns):
    run = make_run(TABLE.replace("FIRST", str(first)).replace("LAST", str(last)))
    run.execute()
    found = beyond_tables(run)
    assert bool(found) is warns
    assert all("conductivity: temperature reaches from 300 to 400, beyond the table" in f for f in found)


def test_tables_of_boundary_terms_are_looked_at_on_their_boundary(make_run):
    term = "{coefficient: {table: [[FIRST, 5], [380, 6]], of: temperature}, ambient: 400}"
    text = TABLE.replace("FIRST", "0").replace("LAST", "1000")
    text = text.replace("[{on: left, temperature: 300}, ", f"[{{on: left, convection: {term}}}, ")
    run = make_run(text.replace("right, temperature: 400", "right, temperature: 300").replace("FIRST", "350"))
    run.execute()
    (found,) = beyond_tables(run)
    assert found.startswith("boundary[0].convection.coefficient: temperature reaches from 3")


def test_properties_that_are_zero_are_named_with_their_places(make_run):
    text = TWO.replace("{regions: {REGIONS}}", "1").replace("heat, material: {conductivity: 1}", "PHYSICS")
    text = text.replace("temperature", "u")
    words = r"physics.coefficient: u: nothing determines .* zero there; zero is physics.coefficient$"
    for zero in ("0", "0*x", "{table: [[0, 0], [1, 0]], of: x}"):
        with pytest.raises(InputError, match=words):
            make_run(text.replace("PHYSICS", f"diffusion, coefficient: {zero}, source: 1")).execute()
    with pytest.raises(InputError, match=r"zero is physics.coefficient and physics.reaction"):
        make_run(text.replace("PHYSICS", "diffusion, coefficient: 0, reaction: 0")).execute()


def test_a_place_outside_is_told_before_the_solve(make_run):
    outside = "quantities: {core: {type: value, of: temperature, at: [2, 0]}}\n"
    with pytest.raises(
        InputError, match=r"quantities\.core: 1 of 1 positions lie outside the mesh: \(2, 0\)"
    ):
        make_run(TABLE.replace("FIRST", "0").replace("LAST", "1000") + outside)
