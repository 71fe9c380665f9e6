"""Small decks with closed-form answers: every quantity, every boundary term, thermal strain."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import verification_page
from pydantic import ValidationError

from plexus import registry
from plexus.deck.schema import Deck
from plexus.errors import InputError
from plexus.formulation.kinematics import check_dimension

PLATE = {"type": "box", "cell": "quadrilateral", "cells": [4, 2], "size": [2, 1]}
STEEL = {"young_modulus": 2e11, "poisson_ratio": 0.3}


def run(folder: Path, **blocks: Any) -> dict[str, float]:
    """Run a deck given as blocks and return its quantities."""
    data = {"plexus": 1, "mesh": PLATE, **blocks}
    deck = Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})
    return verification_page.run(deck, folder)["quantities"]


def heat(conductivity: Any, **more: Any) -> dict[str, Any]:
    """Return the physics block of heat conduction with second-order elements."""
    return {"type": "heat", "degree": 2, "material": {"conductivity": conductivity}, **more}


def test_every_quantity_of_a_linear_field(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        physics=heat(5.0),
        boundary=[{"on": "left", "temperature": 300}, {"on": "right", "temperature": 320}],
        quantities={
            "integral": {"type": "integral", "of": "temperature"},
            "edge": {"type": "integral", "of": "temperature", "on": "right"},
            "mean": {"type": "mean", "of": "temperature"},
            "maximum": {"type": "maximum", "of": "temperature"},
            "minimum": {"type": "minimum", "of": "temperature", "on": "top"},
            "norm": {"type": "norm", "of": "temperature - 310"},
            "value": {"type": "value", "of": "temperature + 0*heat_flux_x", "at": [0.7, 0.3]},
            "derived": {"type": "value", "of": "heat_flux_x", "at": [0.7, 0.3]},
            "error": {"type": "error", "of": "temperature", "exact": "300 + 10*x", "norm": "H1"},
            "flux": {"type": "flux", "of": "heat_flux", "on": "right"},
            "reaction": {"type": "reaction", "of": "temperature", "on": "right"},
        },
    )
    assert found.pop("error") < 1e-8
    # T = 300 + 10 x on 2 m x 1 m: heat 5·10 W/m² flows from right to left
    expected = {
        "integral": 620, "edge": 320, "mean": 310, "maximum": 320, "minimum": 300, "norm": math.sqrt(200 / 3),
        "value": 307, "derived": -50, "flux": -50, "reaction": 50,
    }  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-8)


def test_a_line_through_a_wall_between_two_airs(tmp_path: Path) -> None:
    """Two layers and two films in series; flows are per area."""
    found = run(
        tmp_path,
        mesh={
            "type": "interval", "cells": 8, "size": 0.4, "regions": {"brick": "x < 0.3", "wool": "x > 0.3"}
        },
        physics=heat({"regions": {"brick": 0.8, "wool": 0.04}}),
        boundary=[
            {"on": "left", "convection": {"coefficient": 8, "ambient": 293}},
            {"on": "right", "convection": {"coefficient": 25, "ambient": 263}},
        ],
        quantities={
            "loss": {"type": "flux", "of": "heat_flux", "on": "right"},
            "terms": {"type": "flux", "of": "heat_flux", "on": "right", "by": "terms"},
            "gain": {"type": "flux", "of": "heat_flux", "on": "left"},
            "left": {"type": "maximum", "of": "temperature", "on": "left"},
            "between": {"type": "value", "of": "temperature", "at": [0.3]},
            "outside": {"type": "integral", "of": "temperature", "on": "right"},
        },
    )  # fmt: skip
    q = 30 / (1 / 8 + 0.3 / 0.8 + 0.1 / 0.04 + 1 / 25)
    expected = {
        "loss": q, "terms": q, "gain": -q, "left": 293 - q / 8, "between": 293 - q / 8 - q * 0.3 / 0.8,
        "outside": 263 + q / 25,
    }  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-8)


def test_a_bar_on_a_spring_and_under_pressure(tmp_path: Path) -> None:
    """A spring k and a bar E/L in series carry the pressure p: u = p/k + p L/E, all per area."""
    found = run(
        tmp_path,
        mesh={"type": "interval", "cells": 4, "size": 2},
        physics={"type": "elasticity", "geometry": "bar", "thickness": 0.5, "material": STEEL},
        boundary=[
            {"on": "left", "spring": {"normal": 1e11, "tangential": 7e9}},
            {"on": "right", "pressure": {"value": 1e8}},
        ],
        quantities={
            "left": {"type": "maximum", "of": "displacement_x", "on": "left"},
            "right": {"type": "minimum", "of": "displacement_x"},
            "stress": {"type": "mean", "of": "stress_xx"},
            "mises": {"type": "maximum", "of": "von_mises"},
            "principal": {"type": "maximum", "of": "max_principal"},
            "energy": {"type": "integral", "of": "energy_density"},
            "error": {"type": "error", "of": "displacement", "exact": "-1e-3 - 5e-4*x", "norm": "H1"},
        },
    )
    assert found.pop("error") < 1e-12 and found.pop("principal") == pytest.approx(0, abs=1e-3)
    expected = {
        "left": -1e-3, "right": -2e-3, "stress": -1e8, "mises": 1e8, "energy": 0.5 * 1e16 / (2 * 2e11) * 2
    }  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-7)


def test_radiating_slab_with_a_source(tmp_path: Path) -> None:
    q, k, length, emissivity, ambient = 2e4, 15.0, 2.0, 0.7, 350.0
    found = run(
        tmp_path,
        physics=heat(k, source=q),
        boundary=[{"on": "right", "radiation": {"emissivity": emissivity, "ambient": ambient}}],
        initial={"temperature": 1000},
        quantities={
            "surface": {"type": "mean", "of": "temperature", "on": "right"},
            "back": {"type": "mean", "of": "temperature", "on": "left"},
        },
        solver={"temperature": {"snes_rtol": 1e-12}},
    )
    surface = (q * length / (emissivity * 5.670374419e-8) + ambient**4) ** 0.25
    assert found["surface"] == pytest.approx(surface, rel=1e-9)
    assert found["back"] == pytest.approx(surface + q * length**2 / (2 * k), rel=1e-9)


def test_anisotropic_conduction_with_robin(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        physics={"type": "diffusion", "degree": 1, "coefficient": [[4, 0], [0, 1]]},
        boundary=[{"on": "left", "flux": 6.0}, {"on": "right", "robin": {"coefficient": 3, "value": 9}}],
        quantities={
            "out": {"type": "mean", "of": "u", "on": "right"},
            "in": {"type": "mean", "of": "u", "on": "left"},
        },
    )
    # inflow 6 = 3 u - 9 at the right end, and a fall of 6/4 per metre along x
    assert found == pytest.approx({"out": 5.0, "in": 8.0}, rel=1e-6)


@pytest.mark.parametrize("geometry", ["plane_stress", "plane_strain", "axisymmetric"])
def test_free_body_expands_without_stress(geometry: str, tmp_path: Path) -> None:
    expansion = {"coefficient": "1e-5 + 1e-8*(temperature - 293)", "reference": 393, "data_reference": 293}
    strain = (1e-5 + 3e-6) * 300 - (1e-5 + 1e-6) * 100
    physics = {
        "type": "elasticity", "geometry": geometry, "degree": 2, "temperature": 593,
        "material": {**STEEL, "expansion": expansion},
    }  # fmt: skip
    if geometry == "plane_strain":
        physics["normal_strain"] = strain
    found = run(
        tmp_path,
        physics=physics,
        mesh={**PLATE, "origin": [1, 0]},
        boundary=[{"on": "bottom", "displacement_y": 0}],
        quantities={
            "stress": {"type": "maximum", "of": "von_mises"},
            "rise": {"type": "value", "of": "displacement_y", "at": [2, 1]},
            "strain": {"type": "mean", "of": "strain_xx"},
        },
        solver={"displacement": {"rtol": 1e-13}},
    )
    assert found["stress"] < 1e-7 * 2e11 * strain
    assert found["rise"] == pytest.approx(strain, rel=1e-7)
    assert found["strain"] == pytest.approx(strain, rel=1e-7)


def test_weight_spring_and_pressure_balance(tmp_path: Path) -> None:
    found = run(
        tmp_path,
        physics={
            "type": "elasticity", "geometry": "plane_strain", "thickness": 0.5, "gravity": [0, -10],
            "material": {**STEEL, "density": 1000},
        },
        boundary=[
            {"on": "left", "displacement_x": 0},
            {"on": "bottom", "spring": {"normal": 1e8}},
            {"on": "top", "pressure": 5e4},
            {"on": "right", "traction": [2e5, 0]},
        ],
        quantities={
            "sink": {"type": "integral", "of": "1e8*displacement_y", "on": "bottom"},
            "support": {"type": "reaction", "of": "displacement", "on": "left", "component": "x"},
            "area": {"type": "integral", "of": 1},
        },
        solver={"displacement": {"rtol": 1e-12}},
    )  # fmt: skip
    # spring force = -(weight 2 m²·0.5 m·1e4 N/m³ + pressure on 2 m·0.5 m); support against 2e5 Pa on 0.5 m²
    assert found == pytest.approx({"sink": -6e4, "support": -1e5, "area": 1.0}, rel=1e-6)


def test_wrong_geometry_is_refused(tmp_path: Path) -> None:
    physics = {"type": "elasticity", "material": STEEL}
    with pytest.raises(ValidationError, match="solid needs a 3-D mesh; for a 2-D mesh use plane_strain"):
        run(tmp_path, physics=physics, boundary=[{"on": "left", "displacement": 0}])
    with pytest.raises(InputError, match=r"^physics.geometry: plane_stress needs a 2-D mesh"):
        check_dimension("plane_stress", 3)


WRONG = [
    ({"type": "error", "of": "stress", "exact": [1, 0, 0]}, "stress is a tensor: 3 entries instead of 4"),
    ({"type": "error", "of": "stress", "exact": [1, 0, 0, 0], "norm": "H1"}, "only unknowns have a gradient"),
    ({"type": "maximum", "of": "stress"}, "takes its components, such as stress_xx"),
    ({"type": "maximum", "of": "stress_rr"}, "unknown name 'stress_rr'"),
    (
        {"type": "reaction", "of": "displacement", "on": "left"},
        "component is for vectors, and needed for them",
    ),
    ({"type": "reaction", "of": "stress", "on": "left"}, "a reaction needs an unknown"),
    ({"type": "flux", "of": "stress", "on": "left"}, "'stress' is not a vector field"),
    ({"type": "value", "of": "stress_xx", "at": [0, 0, 0]}, "3 entries for a 2-D mesh"),
]


@pytest.mark.parametrize(("quantity", "message"), WRONG, ids=[w[1][:30] for w in WRONG])
def test_wrong_quantity_is_refused(quantity: dict[str, Any], message: str, tmp_path: Path) -> None:
    physics = {"type": "elasticity", "geometry": "plane_stress", "material": STEEL}
    with pytest.raises(ValidationError, match=message):
        run(tmp_path, physics=physics, quantities={"q": quantity})


def test_missing_material_data_is_named() -> None:
    component = registry.component("physics", "elasticity")
    params = component.params.model_validate({"material": {"young_modulus": 1}})
    with pytest.raises(InputError, match="elasticity needs poisson_ratio"):
        component.cls(params)
