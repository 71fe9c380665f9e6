"""Stored stresses and strains are the whole 3 x 3 tensors: sections have a third normal stress and strain."""

from __future__ import annotations

from pathlib import Path

import case_runs
import h5py
import numpy as np
import pytest

CASE = "11_tensor_without_normal_stress"
FIELDS = "output=[{type: fields, fields: [stress, strain, von_mises, temperature]}]"


def stored(folder: Path) -> dict[str, np.ndarray]:
    """Return the point data of the fields file."""
    with h5py.File(folder / "fields.vtkhdf") as file:
        return {name: data[...] for name, data in file["VTKHDF/PointData"].items()}


def von_mises(stress: np.ndarray) -> np.ndarray:
    """Return the equivalent stress of tensors (n, 9), from all nine components."""
    tensor = stress.reshape(-1, 3, 3)
    deviator = tensor - np.trace(tensor, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    return np.sqrt(1.5 * np.einsum("nij,nij->n", deviator, deviator))


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_plane_strain_stores_the_stress_normal_to_it(ranks: int, tmp_path: Path) -> None:
    outcome = case_runs.run(CASE, tmp_path, ranks=ranks)
    assert outcome.quantities()["von_mises"] == pytest.approx((1 + 0.09 - 0.3) ** 0.5, rel=1e-4)
    data = stored(outcome.folder)
    assert data["stress"][:, 8] == pytest.approx(0.3, rel=1e-6)
    assert data["strain"][:, 8] == pytest.approx(0.0, abs=1e-12)
    assert von_mises(data["stress"]) == pytest.approx(data["von_mises"], rel=1e-9)


@pytest.mark.parametrize("geometry", ["plane_stress", "plane_strain", "axisymmetric"])
def test_the_nine_components_obey_the_law(geometry: str, tmp_path: Path) -> None:
    given = (
        f"physics.geometry={geometry}", "physics.temperature=300 + 50*y", "mesh.origin=[1, 0]",
        "mesh.cells=[1, 1]",  # what several cells give a node is averaged, and von Mises is not linear
        "physics.degree=2", "physics.material.expansion={coefficient: 1e-3}", FIELDS,
        "quantities={zz: {type: mean, of: stress_zz}, strain: {type: value, of: strain_zz, at: [1.3, 0.4]}}",
    )  # fmt: skip
    outcome = case_runs.run(CASE, tmp_path, *case_runs.changes(*given))
    data = stored(outcome.folder)
    stress, strain = data["stress"], data["strain"]
    assert von_mises(stress) == pytest.approx(data["von_mises"], rel=1e-9)
    # ε_zz - e_th = (σ_zz - ν (σ_xx + σ_yy))/E, whatever the section prescribes
    thermal = 1e-3 * (data["temperature"] - 293.15)
    elastic = (stress[:, 8] - 0.3 * (stress[:, 0] + stress[:, 4])) / 1000
    assert strain[:, 8] - thermal == pytest.approx(elastic, abs=1e-9)
    if geometry == "plane_stress":
        assert np.abs(stress[:, 8]).max() == 0 and np.abs(strain[:, 8]).max() > 1e-4
    else:
        assert abs(outcome.quantities()["zz"]) > 1e-3


def test_a_bar_contracts_across(tmp_path: Path) -> None:
    given = (
        "mesh={type: interval, cells: 4}", "physics.geometry=bar",
        "boundary=[{on: left, displacement_x: 0}, {on: right, traction: [1]}]",
        "quantities={across: {type: mean, of: strain_yy}, other: {type: mean, of: strain_zz}}",
        "output=[{type: fields, fields: [stress, strain]}, {type: probe, points: [[0.5]], fields: [strain]}]",
    )  # fmt: skip
    outcome = case_runs.run(CASE, tmp_path, *case_runs.changes(*given))
    found = outcome.quantities()
    assert found["across"] == pytest.approx(-0.3e-3) and found["other"] == pytest.approx(-0.3e-3)
    data = stored(outcome.folder)
    assert data["stress"][:, 0] == pytest.approx(1) and not data["stress"][:, 1:].any()
    assert data["strain"][:, 4] == pytest.approx(-0.3e-3)
