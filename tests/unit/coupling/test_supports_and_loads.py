"""Supports along normals, total forces on faces, curves, points, positions, and rotation: closed forms.

On several ranks the owners of shared nodes tell their supports.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from plexus.errors import PlexusError
from plexus.protocols.facets import Facets
from plexus.spaces.normals import node_normals

BLOCK = """
plexus: 1
mesh: {{type: box, cell: {cell}, cells: [3, 3, 3], map: [{map}]}}
physics: {{type: elasticity, material: {{young_modulus: 210 GPa, poisson_ratio: 0.3}}}}
solver: {{displacement: {{ksp: cg, preconditioner: jacobi, rtol: 1e-14}}}}
boundary:
  - {{on: left, {x}}}
  - {{on: bottom, {y}}}
  - {{on: back, {z}}}
  - {{on: right, {right}}}
  - {{on: top, traction: [{load}]}}
quantities:
  energy: {{type: integral, of: energy_density}}
  peak: {{type: maximum, of: von_mises}}
"""


def rotation(a: float, b: float) -> np.ndarray:
    """Return a rotation about z, then about x."""
    c, s, d, t = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
    return np.array([[1, 0, 0], [0, d, -t], [0, t, d]]) @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def block(cell: str, turn: np.ndarray, normals: bool) -> str:
    """Return a block between rollers, one of them displaced, turned as a whole."""
    expressions = [" + ".join(f"({q:.17g})*{a}" for q, a in zip(row, "xyz", strict=True)) for row in turn]
    load = turn @ np.array([1e8, 2e8, -1e8])
    straight = [f"displacement_{a}: {v}" for a, v in (("x", 0), ("y", 0), ("z", 0), ("x", 0.001))]
    inclined = [f"normal: {v}" for v in (0, 0, 0, 0.001)]
    x, y, z, right = inclined if normals else straight
    told = ", ".join(f"{v:.17g}" for v in load)
    return BLOCK.format(cell=cell, map=", ".join(expressions), x=x, y=y, z=z, right=right, load=told)


@pytest.mark.mpi
@pytest.mark.parametrize("cell", ["hexahedron", "tetrahedron"])
def test_a_turned_block_on_inclined_rollers_answers_like_the_straight_one(make_run, cell):
    """Edges and corners of the block lie on two and three of the supports."""
    wanted = results(make_run(block(cell, np.eye(3), normals=False)))
    for turn in (np.eye(3), rotation(0.5, -1.1), rotation(2.4, 0.3)):
        found = results(make_run(block(cell, turn, normals=True)))
        assert found == pytest.approx(wanted, rel=1e-10)


def results(run) -> dict[str, float]:
    """Solve and return the quantities."""
    run.execute()
    return {name: quantity.evaluate(run) for name, quantity in run.quantities.items()}


SECTOR = """
plexus: 1
mesh: {{type: box, cell: {cell}, cells: [8, 4], degree: 2, size: [1, 0.5],
  map: [(1 + x)*cos(0.3 + y), (1 + x)*sin(0.3 + y)]}}
physics: {{type: elasticity, degree: 2, geometry: plane_strain,
  material: {{young_modulus: 1000, poisson_ratio: 0.3}}}}
boundary:
  - {{on: [bottom, top], normal: 0}}
  - {{on: left, {left}}}
quantities:
  error: {{type: error, of: displacement, relative: true,
    exact: ["x*1.3/3000*(0.4 + 4/(x^2 + y^2))", "y*1.3/3000*(0.4 + 4/(x^2 + y^2))"]}}
"""


@pytest.mark.mpi
@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
@pytest.mark.parametrize("left", ["pressure: 1", "normal: -1.3/3000*4.4"])
def test_a_sector_between_inclined_supports_is_lames_cylinder(make_run, cell, left):
    """The outward normal of the inner rim points to the axis: a displacement along it is negative."""
    assert results(make_run(SECTOR.format(cell=cell, left=left)))["error"] < 5e-5


@pytest.mark.mpi
def test_normals_of_a_corner_and_of_a_curved_side(make_run):
    run = make_run(SECTOR.format(cell="quadrilateral", left="pressure: 1"))
    space = run.system.spaces["displacement"]
    corner = node_normals(space, "exterior")
    assert space.comm.allreduce(sum(len(nodes) for nodes, _ in corner.layers[1:])) == 4
    curved = node_normals(space, "left")
    assert not curved.plane and curved.bend < 1e-3
    for nodes, n in curved.layers:
        x = space.points[nodes]
        assert np.allclose(n, -x / np.linalg.norm(x, axis=1, keepdims=True), atol=1e-3)
    assert node_normals(space, "top").plane


LOADED = """
plexus: 1
mesh: {type: box, cell: hexahedron, cells: [4, 2, 2], size: [4, 1, 1],
  curves: {rim: x > 3.99 and z > 0.99}, points: {tip: x > 3.99 and y > 0.99 and z > 0.99}}
physics: {type: elasticity, degree: 2, material: {young_modulus: 1000, poisson_ratio: 0.3, density: 2}}
boundary:
  - {on: left, displacement: 0}
quantities:
  x: {type: reaction, of: displacement, on: left, component: x}
  z: {type: reaction, of: displacement, on: left, component: z}
"""


@pytest.mark.mpi
@pytest.mark.parametrize(
    "place", ["on: right", "on: [right, top]", "on: rim", "on: tip", "at: [3.3, 0.4, 0.2]"]
)
def test_a_total_force_is_what_the_support_bears(make_run, place):
    deck = LOADED.replace("quantities:", f"  - {{{place}, force: [3, 0, 1 kN]}}\nquantities:")
    assert results(make_run(deck)) == pytest.approx({"x": -3.0, "z": -1000.0}, rel=1e-8)


@pytest.mark.mpi
def test_a_force_on_a_curve_is_a_uniform_line_load(make_run):
    """Its moment is that of the middle of the curve, and its nodes bear Simpson's shares."""
    run = make_run(LOADED.replace("quantities:", "  - {on: rim, force: [0, 0, 12]}\nquantities:"))
    (load,) = run.system.forms["displacement"].loads
    space = run.system.spaces["displacement"]
    y = space.points[load.share.nodes, 1]
    assert space.comm.allreduce(float(load.share.weights @ y)) == pytest.approx(0.5)
    shares = np.sort(np.concatenate(space.comm.allgather(load.share.weights)))
    assert shares == pytest.approx([1 / 12, 1 / 12, 2 / 12, 4 / 12, 4 / 12])


@pytest.mark.mpi
def test_rotation_of_a_bar_about_its_end_pulls_with_the_mass_times_the_middle(make_run):
    deck = LOADED.replace(
        "density: 2}", "density: 2}, rotation: {axis: [0, 0, 5], point: [-1, 0.5, 0], speed: 60 rpm}"
    )
    found = results(make_run(deck))
    # m ω² r with the mass 8 kg, its centre 3 m from the axis, ω = 2π
    assert found["x"] == pytest.approx(-8 * (2 * math.pi) ** 2 * 3, rel=1e-8)
    assert found["z"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    "extra, words",
    [
        ("{on: rim, traction: [1, 0, 0]}", "rim is a curve or a point"),
        ("{on: tip, normal: 0}", "has no normal"),
        ("{on: [right, rim], force: [1, 0, 0]}", "cannot share the force"),
        ("{at: [9, 0, 0], force: [1, 0, 0]}", "outside the mesh"),
        ("{at: [0.3, 0.1, 0.2], displacement: 0}", "no node is at"),
        ("{at: [4, 0], displacement: 0}", "3 coordinates"),
        ("{at: [4, 0, 0], pressure: 1}", "a position has no area for pressure"),
        ("{on: right, at: [4, 0, 0], displacement: 0}", "a name or a position"),
        ("{on: right, force: [1, 2]}", "one per axis"),
        ("{on: left, normal: 0.1}", "other conditions prescribe this direction"),
        ("{on: right, normal: 1}\n  - {on: right, normal: 2}", "along the normal on right has another value"),
        ("{on: right, force: [1 kPa, 0, 0]}", "N"),
        ("{on: right, force: [x, 0, 0]}", "x"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(make_run, extra, words):
    with pytest.raises(PlexusError, match=words):
        make_run(LOADED.replace("quantities:", f"  - {extra}\nquantities:"))


@pytest.mark.parametrize(
    "given, words",
    [
        ("{speed: 50 Hz, axis: [0, 0, 1]}", "rpm"),
        ("{speed: 60 rpm}", "direction of its axis"),
        ("{speed: 60 rpm, axis: [0, 0, 0]}", "is zero"),
        ("{speed: 60 rpm, axis: [0, 1]}", "one per axis"),
        ("{speed: 60 m/s, axis: [0, 0, 1]}", "speed"),
    ],
)
def test_a_rotation_that_says_too_little_is_refused(make_run, given, words):
    with pytest.raises(PlexusError, match=words):
        make_run(LOADED.replace("density: 2}", f"density: 2}}, rotation: {given}"))


RING = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 2], origin: [1, 0], points: {p: x > 1.99 and y > 0.99}}
physics: {type: elasticity, geometry: axisymmetric, material: {young_modulus: 1000, poisson_ratio: 0.3}}
boundary:
  - {on: bottom, displacement_y: 0}
  - {on: top, force: [0, 10 N]}
  - {on: p, force: [0, 5 N]}
quantities: {support: {type: reaction, of: displacement, on: bottom, component: y}}
"""


def test_forces_on_sections_are_those_of_the_whole_body(make_run):
    """All around the axis of a meridian section, over the thickness of a plane one."""
    assert results(make_run(RING))["support"] == pytest.approx(-15.0, rel=1e-9)
    plane = RING.replace("axisymmetric", "plane_stress, thickness: 0.5").replace(
        "displacement_y", "displacement"
    )
    assert results(make_run(plane))["support"] == pytest.approx(-15.0, rel=1e-9)
    with pytest.raises(PlexusError, match=r"boundary\[1\].force: the radial force"):
        make_run(RING.replace("[0, 10 N]", "[1 N, 10 N]"))


MIDDLE = f"""
plexus: 1
mesh: {{type: gmsh, file: {Path(__file__).parents[1] / "mesh" / "data" / "triangle1.msh"}}}
physics: {{type: elasticity, geometry: plane_strain, material: {{young_modulus: 1000, poisson_ratio: 0}}}}
boundary:
  - {{on: middle, normal: 0}}
  - {{on: floor, displacement_y: 0}}
  - {{on: exterior, traction: ["where(x > 1.999, 1, where(x < 0.001, -2, 0))", 0]}}
quantities:
  right: {{type: value, of: displacement_x, at: [2, 0.5]}}
  left: {{type: value, of: displacement_x, at: [0, 0.5]}}
"""


@pytest.mark.mpi
def test_a_support_inside_the_body_slides_along_itself_and_has_no_direction(make_run):
    """Its facets belong to cells on either side, so that their normals point both ways."""
    assert results(make_run(MIDDLE)) == pytest.approx({"right": 1e-3, "left": -2e-3}, rel=1e-6)
    with pytest.raises(PlexusError, match="inside the body"):
        make_run(MIDDLE.replace("normal: 0", "normal: 0.1"))


SLIDING = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 4],
  map: [cos(0.4)*x - sin(0.4)*y, sin(0.4)*x + cos(0.4)*y]}
physics: {type: elasticity, geometry: plane_stress, material: {young_modulus: 210 GPa, poisson_ratio: 0.3}}
boundary:
  - {on: left, normal: 0}
  - {on: right, pressure: -1 MPa}
quantities: {most: {type: maximum, of: von_mises}, least: {type: minimum, of: von_mises}}
"""


@pytest.mark.mpi
def test_what_an_inclined_support_leaves_free_is_found(make_run):
    """The body may slide along the support: a pull across it is balanced, one along the axis x is not."""
    assert results(make_run(SLIDING)) == pytest.approx({"most": 1e6, "least": 1e6}, rel=1e-8)
    with pytest.raises(PlexusError, match="do not balance"):
        results(make_run(SLIDING.replace("pressure: -1 MPa", "traction: [1 MPa, 0]")))


@pytest.mark.mpi
def test_an_edge_bears_what_no_face_bears(make_run):
    """The plate rests on an edge of its lower face; what a face holds too is a reaction of the face."""
    deck = LOADED.replace(
        "{on: left, displacement: 0}", "{on: left, displacement_x: 0}\n  - {on: rim, displacement: 0}"
    )
    deck = deck.replace("quantities:", "  - {on: top, force: [5, 0, -7]}\nquantities:")
    deck += "  edge: {type: reaction, of: displacement, on: rim, component: z}\n"
    deck += "  rest: {type: reaction, of: displacement, on: rim, component: x}\n"
    found = results(make_run(deck))
    assert found["edge"] == pytest.approx(7.0, rel=1e-8)
    assert found["x"] + found["rest"] == pytest.approx(-5.0, rel=1e-8)


KINK = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [8, 4], size: [2, 1], origin: [-1, 0],
  map: [x, y + 0.1051042353*abs(x)*(1 - y)],
  boundaries: {one: (y < 0.106*abs(x))*(x < 0), two: (y < 0.106*abs(x))*(x > 0)}}
physics:
  {type: elasticity, degree: 2, geometry: plane_strain, material: {young_modulus: 1, poisson_ratio: 0.3}}
boundary:
  - {on: one, normal: 0}
  - {on: two, normal: 0}
  - {on: top, traction: ["0", "-1 - 0.5*x"]}
quantities:
  one: {type: reaction, of: displacement, on: one, component: x}
  two: {type: reaction, of: displacement, on: two, component: y}
"""


@pytest.mark.mpi
def test_supports_at_a_small_angle_share_by_statics_and_are_told(make_run):
    """Two frictionless planes at 12 degrees under 2 N: N cos 6° each, N sin 6° against each other."""
    run = make_run(KINK)
    found = results(run)
    assert found == pytest.approx({"one": math.tan(math.radians(6)), "two": 1.0}, rel=1e-8)
    angles = [run.fields.kink("displacement", Facets(on)) for on in (("one",), ("two",), ("one", "two"))]
    assert np.degrees(angles) == pytest.approx([12, 12, 90])
