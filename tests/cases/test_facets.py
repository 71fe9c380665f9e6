"""Names, sides, lists of facets: a file's own names hold, an interface needs a side, a facet counts once."""

import pytest
from case_runs import RANKS, check, checked, command, copied, ran, run, written

ranked = pytest.mark.parametrize("ranks", RANKS)
HEAT = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: heat, material: {conductivity: 1}}
boundary:
  - {on: left, temperature: 300}
"""


@ranked
def test_a_group_of_the_file_called_exterior_is_that_group(tmp_path, ranks):
    found = run("01_group_called_exterior", tmp_path, ranks=ranks).quantities()
    assert found["length_of_exterior"] == pytest.approx(12.566, rel=1e-3)
    assert found["inner_temperature"] == pytest.approx(307.93, rel=1e-3)


def test_the_group_keeps_its_name_in_a_converted_mesh(tmp_path):
    here = copied("01_group_called_exterior", tmp_path)
    assert command(here, "mesh", "convert", "mesh.msh", "mesh.h5")[0] == 0
    text = (here / "deck.yaml").read_text().replace("type: gmsh, file: mesh.msh", "type: hdf5, file: mesh.h5")
    (here / "deck.yaml").write_text(text)
    found = ran(here).quantities()
    assert found["length_of_exterior"] == pytest.approx(12.566, rel=1e-3)


@ranked
def test_flow_through_an_interface_is_that_out_of_the_region(tmp_path, ranks):
    found = run("03_interface_normal", tmp_path, ranks=ranks).quantities()
    assert found["out_of_heater"] == pytest.approx(1000, rel=1e-3)
    assert found["out_of_matrix"] == pytest.approx(-1000, rel=1e-3)
    assert found["through_cold"] == pytest.approx(1000, rel=1e-3)
    assert found["hottest"] == pytest.approx(800, rel=1e-3)


@ranked
def test_flow_through_an_interface_without_a_side_is_refused(tmp_path, ranks):
    said = run(
        "03_interface_normal", tmp_path, "-s", "quantities.out_of_heater.on=interface", ranks=ranks
    )  # fmt: skip
    said.refused(
        "quantities.out_of_heater: interface: 8 facets lie inside the body", "from: heater} (or matrix)"
    )


@ranked
@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("{on: interface, flux: 5}", "boundary[1].on: interface: 8 facets lie inside the body"),
        (
            "{on: [interface, cold], convection: {coefficient: 1, ambient: 3}}",
            "{interface: [interface, cold], from: matrix}",
        ),
        (
            "{on: {interface: [interface, cold], from: heater}, flux: 5}",
            "facets are no sides of region heater",
        ),
    ],
)
def test_a_load_on_an_interface_without_a_side_is_refused(tmp_path, condition, words, ranks):
    here = copied("03_interface_normal", tmp_path)
    text = (here / "deck.yaml").read_text().replace("quantities:", f"  - {condition}\nquantities:")
    (here / "deck.yaml").write_text(text)
    ran(here, ranks=ranks).refused("deck.yaml:8:", words)


@ranked
def test_an_empty_boundary_is_refused(tmp_path, ranks):
    words = "deck.yaml:3:74: mesh.boundaries.hole: no outer facet fulfils this condition"
    run("14_empty_boundary", tmp_path, ranks=ranks).refused(words)
    check("14_empty_boundary", tmp_path).refused(words)
    # a larger box is looked at by the run alone
    run("14_empty_boundary", tmp_path, "-s", "mesh.cells=[400, 400]", ranks=ranks).refused(
        "mesh.boundaries.hole"
    )


@ranked
def test_a_facet_that_is_named_twice_is_loaded_once(tmp_path, ranks):
    found = run("15_flux_counted_twice", tmp_path, ranks=ranks).quantities()
    assert found["T"] == pytest.approx(310, rel=1e-6)


@ranked
def test_reactions_of_supports_that_meet_add_up(tmp_path, ranks):
    found = run("25_reactions_at_a_corner", tmp_path, ranks=ranks).quantities()
    assert found["left"] == pytest.approx(found["bottom"], rel=1e-9)
    assert found["left"] + found["bottom"] == pytest.approx(-1000, rel=1e-9)
    assert found["both"] == pytest.approx(-1000, rel=1e-9)
    # a side without a condition holds nothing, although its corners are held
    assert found["right"] == pytest.approx(0, abs=1e-9)


SYMMETRY = """\
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4]}
physics: {type: elasticity, geometry: plane_strain, material: {young_modulus: 1 GPa, poisson_ratio: 0.3}}
boundary:
  - {on: [bottom, left], normal: 0}
  - {on: top, pressure: 1 kPa}
quantities:
  bottom: {type: reaction, of: displacement, component: y, on: bottom}
  left: {type: reaction, of: displacement, component: y, on: left}
"""


@ranked
def test_a_plane_along_a_force_has_no_part_of_it_in_the_corner(tmp_path, ranks):
    found = ran(written(tmp_path, SYMMETRY), ranks=ranks).quantities()
    assert found["bottom"] == pytest.approx(1000, rel=1e-9)
    assert found["left"] == pytest.approx(0, abs=1e-6)


def test_a_load_where_the_value_is_prescribed_is_refused(tmp_path):
    said = checked(written(tmp_path, HEAT + "  - {on: left, flux: 10}\n"))
    said.refused(
        "deck.yaml:7:22: boundary[1].flux: has no effect, temperature is prescribed there by boundary[0]"
    )


def test_a_support_that_is_given_twice_is_refused(tmp_path):
    twice = SYMMETRY.replace(
        "  - {on: top, pressure", "  - {on: [left, bottom], normal: 0}\n  - {on: top, pressure"
    )
    checked(written(tmp_path, twice)).refused(
        "deck.yaml:6:34: boundary[1].normal: other conditions prescribe this", "at all its nodes: boundary[0]"
    )


def test_conditions_that_share_facets_tell_which_holds(tmp_path):
    more = [
        "  - {on: exterior, convection: {coefficient: 1, ambient: 300}}",
        "  - {on: [right, top], flux: 3}",
        "  - {on: right, flux: 7}",
        "quantities:",
        "  load: {type: flux, of: heat_flux, by: terms, on: [right, right]}",
    ]
    found = ran(written(tmp_path, HEAT + "\n".join(more) + "\n"))
    assert found.code == 0, found.said
    for words in (
        "boundary[1].convection: has no effect on 4 of its 16 facets: temperature is prescribed by",
        ": boundary[3].flux: acts on 4 facets together with boundary[2] (deck.yaml:8:",
    ):
        assert words in found.said, found.said


def test_a_load_that_is_lost_under_another_name_is_refused(tmp_path):
    text = HEAT.replace("on: left", "on: exterior") + "  - {on: right, flux: 10}\n"
    words = "boundary[1].flux: has no effect, temperature is prescribed by boundary[0] (deck.yaml:6:"
    ran(written(tmp_path, text)).refused("deck.yaml:7:", words)


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (
            "{interface: right}",
            "`from` is missing: one side of an interface is {interface: NAME, from: REGION}",
        ),
        ("{interface: rihgt, from: a}", "on.interface: unknown boundary 'rihgt'; did you mean 'right'?"),
        ("{interface: right, from: aa}", "on.from: unknown region 'aa'"),
        ("{interface: right, form: a, from: a}", "on.form: unknown key; did you mean 'from'?"),
        ("[right, 3]", "on[1]: expected the name of a boundary"),
        ("[]", "needs at least 1 items"),
    ],
)
def test_mistakes_in_the_side_are_told_at_their_place(tmp_path, on, words):
    text = HEAT.replace("cells: [4, 4]", "cells: [4, 4], regions: {a: 'x > 0.5'}")
    checked(written(tmp_path, text + f"  - {{on: {on}, flux: 1}}\n")).refused("deck.yaml:7:", words)


@ranked
def test_a_load_on_one_side_balances_in_an_axisymmetric_body(tmp_path, ranks):
    here = copied("03_interface_normal", tmp_path)
    head, _, _ = (here / "deck.yaml").read_text().partition("quantities:")
    more = """  - {on: {interface: interface, from: matrix}, flux: {value: {regions: {matrix: 10}}}}
quantities:
  made: {type: integral, of: 1000, region: heater}
  load: {type: integral, of: 10, on: interface}
  held: {type: reaction, of: temperature, on: cold}
  steepest: {type: maximum, of: heat_flux_x, on: interface, region: matrix}
"""
    written(here, head.replace("degree: 2", "degree: 2, geometry: axisymmetric") + more)
    found = ran(here, ranks=ranks).quantities()
    assert found["load"] > 100
    assert found["made"] + found["load"] == pytest.approx(-found["held"], rel=1e-9)


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ("{type: maximum, of: heat_flux_x, on: interface}", "interface: 8 facets lie inside the body"),
        (
            "{type: error, of: temperature, exact: x, norm: H1, on: interface}",
            "interface: 8 facets lie inside",
        ),
        (
            "{type: mean, of: temperature, on: {interface: interface, from: heater}, region: matrix}",
            "region is matrix, and facets are seen from heater: name one",
        ),
        ("{type: mean, of: temperature, region: cold}", "the mesh has no region 'cold'"),
        ("{type: mean, of: temperature, on: heater}", "heater is a region"),
        (
            "{type: mean, of: temperature, on: cold, region: heater}",
            "cold: no facet is a side of region heater",
        ),
        (
            "{type: flux, of: heat_flux, by: terms, on: {interface: interface, from: heater}}",
            "nothing is exchanged",
        ),
    ],
)
def test_quantities_of_nothing_or_of_two_sides_are_refused(tmp_path, quantity, words):
    here = copied("03_interface_normal", tmp_path)
    head, _, _ = (here / "deck.yaml").read_text().partition("quantities:")
    written(here, f"{head}quantities:\n  q: {quantity}\n")
    ran(here).refused("deck.yaml:9:", "quantities.q", words)


def test_a_boundary_in_a_table_of_regions_is_refused(tmp_path):
    here = copied("03_interface_normal", tmp_path)
    text = (here / "deck.yaml").read_text().replace("matrix: 0}", "matrix: 0, cold: 3}")
    (here / "deck.yaml").write_text(text)
    words = "physics.source.regions: the mesh has no region 'cold'; it has heater, matrix; cold is a boundary"
    ran(here).refused("deck.yaml:5:", words)


def test_a_load_that_some_facets_have_no_value_of_is_refused(tmp_path):
    text = HEAT.replace("cells: [4, 4]", "cells: [4, 4], regions: {a: 'y < 0.5', b: 'y > 0.5'}")
    written(tmp_path, text + "  - {on: right, flux: {value: {regions: {a: 3}}}}\n")
    words = "boundary[1].flux.value: 2 facets are in none of its regions; other regions are b"
    ran(tmp_path).refused("deck.yaml:7:", words)


def test_a_side_of_a_grid_with_two_conditions_is_refused_by_check(tmp_path):
    text = HEAT.replace(
        "heat, material: {conductivity: 1}", "advection_diffusion, diffusivity: 1, velocity: [1, 0]"
    )
    text = text.replace("temperature: 300", "concentration: 1")
    words = "boundary[1]: left has two conditions: give a value, a flux, or outflow"
    for on in ("left", "[left, right]", "exterior"):
        said = checked(written(tmp_path, f"{text}  - {{on: {on}, flux: 10}}\n"))
        said.refused("deck.yaml:7:", words.replace("left", "exterior" if on == "exterior" else "left"))
    assert checked(written(tmp_path, text + "  - {on: right, flux: 10}\n")).code == 0


@ranked
@pytest.mark.parametrize("cell", ["hexahedron", "tetrahedron"])
def test_reactions_of_three_faces_of_a_block_add_up_to_its_weight(tmp_path, cell, ranks):
    names = ("left", "bottom", "back")
    quantities = [f"  {n}: {{type: reaction, of: displacement, component: z, on: {n}}}\n" for n in names]
    material = "{young_modulus: 100, poisson_ratio: 0.3}"
    here = written(
        tmp_path,
        f"""
plexus: 1
mesh: {{type: box, cell: {cell}, cells: [3, 3, 3]}}
physics: {{type: elasticity, degree: 2, body_force: [0, 0, -10], material: {material}}}
boundary:
  - {{on: [left, bottom, back], displacement: [0, 0, 0]}}
quantities:
{"".join(quantities)}""",
    )
    found = ran(here, ranks=ranks).quantities()
    assert sum(found[name] for name in names) == pytest.approx(10, rel=1e-8)
    assert min(found.values()) > 2
