"""Bodies at finite strain: homogeneous deformations, ranks, guesses that turn cells inside out, refusals."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from crew import plexus

from plexus.deck.load import load
from plexus.errors import PlexusError

SHEAR = """
plexus: 1
mesh: {{type: box, cell: {cell}, cells: [3, 3, 3], size: [1, 1, 1],
       map: ["x + 0.1*sin(3*y)*x*(1 - x)", "y + 0.1*x*y*(1 - y)", z]}}
physics: {{type: hyperelasticity, potential: {{type: {potential}}}}}
boundary: [{{on: exterior, displacement: ["0.4*t*y", 0, 0]}}]
time: {{stepper: {{type: quasistatic, guess: linear}}, step: 0.1 s, end: 1 s}}
quantities:
  middle: {{type: maximum, of: "abs(displacement_x - 0.4*t*y)"}}
  tau: {{type: mean, of: stress_xy}}
  normal: {{type: mean, of: stress_xx - stress_yy}}
  volume: {{type: minimum, of: volume_ratio}}
"""
SOFT = "neo_hookean, young_modulus: 2.5, poisson_ratio: 0.25"
SQUEEZED = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [8, 8], size: [1, 1]}
physics: {type: hyperelasticity, geometry: plane_strain,
          potential: {type: neo_hookean, young_modulus: 2.5, poisson_ratio: 0.25}}
boundary: [{on: left, displacement: [0, 0]}, {on: right, displacement: ["-0.4*t", 0]}]
time: {stepper: quasistatic, step: 1 s, end: 1 s}
quantities: {volume: {type: minimum, of: volume_ratio}, bulge: {type: maximum, of: displacement_y}}
"""


def ran(folder, text, *overrides, ranks=1, name="out"):
    (folder / "deck.yaml").write_text(text)
    words = [word for o in overrides for word in ("--set", o)]
    ended = plexus(folder, "run", "deck.yaml", "-o", name, *words, ranks=ranks)
    assert (folder / name / "summary.json").exists(), ended.err
    return ended, json.loads((folder / name / "summary.json").read_text())


@pytest.mark.parametrize(("cell", "ranks"), [("hexahedron", 1), ("tetrahedron", 1), ("tetrahedron", 3)])
def test_simple_shear_is_met_on_distorted_cells(tmp_path, cell, ranks):
    """σ_xy = μγ, σ_xx - σ_yy = μγ², J = 1, for μ = 1 and γ = 0.4."""
    text = SHEAR.format(cell=cell, potential=SOFT)
    told = ran(tmp_path, text, "physics.degree=1", ranks=ranks)[1]["quantities"]
    assert told["middle"] <= 1e-7 and told["volume"] == pytest.approx(1, abs=1e-6)
    assert told["tau"] == pytest.approx(0.4, rel=1e-6) and told["normal"] == pytest.approx(0.16, rel=1e-6)


def test_a_guess_that_turns_cells_inside_out_shortens_the_step(tmp_path):
    """The first guess moves one edge across its cells; steps that are cut find the way."""
    for ranks in (1, 3):
        ended, told = ran(tmp_path, SQUEEZED, ranks=ranks, name=f"n{ranks}")
        assert ended.code == 3
        found = re.search(
            r"no answer in cell (\d+), point \d at \((.*)\): .* inside out, F = (.*)", told["message"]
        )
        assert float(found[2].split(",")[0]) > 7 / 8, "the moved edge crosses its own cells"
        assert np.linalg.det(json.loads(re.sub(r"\.(?=\D)", ".0", found[3]))) <= 0
    cut = ran(tmp_path, SQUEEZED, "time.controller={type: failures, min: 1 ms}", name="cut")[1]
    fine = ran(tmp_path, SQUEEZED, "time.step=0.05 s", name="fine")[1]
    assert cut["status"] == "done" and cut["quantities"]["volume"] > 0
    assert cut["quantities"]["bulge"] == pytest.approx(fine["quantities"]["bulge"], rel=1e-6)


@pytest.mark.parametrize(("override", "told"), [
    ("physics.locking=b_bar", "b_bar is a cure at small strain"),
    ("physics.geometry=axisymmetric", "finite strain is for solid and plane_strain"),
    ("physics.rotation={axis: [0, 1], point: [0, 0], speed: 1}", "not at finite strain"),
    ("boundary[1]={on: right, pressure: 1}", "pressure"),
])  # fmt: skip
def test_what_is_refused(tmp_path, override, told):
    (tmp_path / "deck.yaml").write_text(SQUEEZED)
    with pytest.raises(PlexusError, match=told):
        load(tmp_path / "deck.yaml", [override])
