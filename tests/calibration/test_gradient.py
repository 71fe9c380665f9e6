"""Gradients of quantities: fields that no mesh changes, right by differences; kinks are told."""

import h5py
import numpy as np
import pytest

DECK = """
plexus: 1
controls:
  q: {type: nodal, unit: W/m^3, start: 100 + 50*x}
  k: {type: scalar, unit: W/(m K), start: 2}
mesh: {type: box, cell: quadrilateral, cells: [CELLS, CELLS], size: [1, 1]}
physics: {type: heat, material: {conductivity: k}, source: q}
boundary: [{on: exterior, temperature: 0 K}]
quantities: {square: {type: integral, of: temperature^2}}
output:
  - {type: gradient, of: square}
  - {type: gradient, of: square, to: [q], norm: H1, length: 0.2 m, name: smooth}
"""


def gradients(desk, cells):
    desk.do("run", desk.write(f"deck{cells}.yaml", DECK.replace("CELLS", str(cells))), out=f"out{cells}")
    found = {}
    for name in ("gradient", "smooth"):
        with h5py.File(desk.folder / f"out{cells}/{name}.h5") as file:
            x = np.round(file["q/places"][...], 9)
            found[name] = {tuple(p): g for p, g in zip(x, file["q/gradient"][...], strict=True)}
            found["value"], slope = float(file["value"][()]), file.get("k/derivative")
            found["k"] = found.get("k") if slope is None else float(slope[0])
    return found


def test_a_finer_mesh_gives_the_same_field(desk):
    coarse, fine = gradients(desk, 8), gradients(desk, 16)
    for name in ("gradient", "smooth"):
        a, b = (np.array([part[name][p] for p in coarse[name]]) for part in (coarse, fine))
        assert np.linalg.norm(a - b) <= 0.05 * np.linalg.norm(b)
    # T falls with 1/k: J with 1/k², so that dJ/dk = -2 J/k
    assert fine["k"] == pytest.approx(-2 * fine["value"] / 2.0, rel=1e-9)


def test_the_table_of_remainders(desk):
    path = desk.write("deck.yaml", DECK.replace("CELLS", "4"))
    desk.do("check", path, "--taylor")
    rows = [line.split() for line in desk.said.splitlines() if line.startswith("square")]
    assert [row[1] for row in rows] == ["q", "k"]
    assert all(abs(float(row[-1]) - 2) <= 0.1 for row in rows)


def test_a_kink_is_told(desk):
    """|k - 2| has no derivative at the start."""
    text = DECK.replace("CELLS", "4").replace("conductivity: k", 'conductivity: "1 + abs(k - 2 W/(m K))"')
    assert desk.code("check", desk.write("deck.yaml", text), "--taylor") == 5
    assert "the remainder of square in k is not of second order: kinks (abs, min, max, where)" in desk.said


def test_two_ranks_give_the_same_fields(desk):
    """Numbers of fields stand in an order that no partition changes."""
    text = DECK.replace("CELLS", "5").replace("start: 2}", "start: 2}\n  c: {type: cells, start: 1}")
    path = desk.write("deck.yaml", text.replace("conductivity: k", "conductivity: k*c"))
    for ranks in (1, 2):
        desk.do("run", path, out=f"on{ranks}", ranks=ranks)
    with h5py.File(desk.folder / "on1/gradient.h5") as one, h5py.File(desk.folder / "on2/gradient.h5") as two:
        for name in ("q", "c", "k"):
            a, b = one[f"{name}/gradient"][...], two[f"{name}/gradient"][...]
            np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-8 * np.abs(a).max())
        np.testing.assert_allclose(two["c/places"][...], one["c/places"][...], atol=1e-14)


PULLED = """
plexus: 1
controls:
  F: {type: scalar, unit: N, start: 12}
  G: {type: table, unit: N, knots: [0 s, 2 s], start: [3, 5]}
mesh: {type: box, cell: quadrilateral, cells: [3, 2], size: [1, 1]}
physics: {type: elasticity, geometry: plane_stress, material: {young_modulus: 1 GPa, poisson_ratio: 0.3}}
boundary:
  - {on: left, displacement: [0, 0]}
  - {on: right, force: [F, 2*F]}
  - {at: [1, 1], force: [0, G]}
quantities: {along: {type: integral, of: "displacement_x + 3*displacement_y"}}
output: [{type: gradient, of: along}]
"""


def test_total_forces_on_boundaries_and_places(desk):
    """Displacements are linear in the forces, which are all the load there is."""
    desk.do("run", desk.write("deck.yaml", PULLED), out="out")
    with h5py.File(desk.folder / "out/gradient.h5") as file:
        value, f, g = file["value"][()], file["F/derivative"][...], file["G/derivative"][...]
    assert value == pytest.approx(12 * f[0] + 3 * g[0], rel=1e-8)
    assert f[0] > 0 < g[0] and g[1] == 0


def test_a_total_force_has_no_place(desk):
    text = PULLED.replace("F: {type: scalar", "F: {type: nodal")
    assert desk.code("check", desk.write("deck.yaml", text)) == 2
    assert "boundary[1].force" in desk.said and "the control 'F' has no value here" in desk.said
