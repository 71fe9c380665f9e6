"""Every verification deck reproduces its references; the main job stays what it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import verification_page

from plexus.deck.load import load

DECKS = Path(__file__).parents[2] / "input_decks"
MAIN_JOB = {
    "hottest": 1093.591,
    "coldest": 913.4336,
    "mean_temperature": 972.6042,
    "heat_to_coolant": 28309.95,
    "peak_von_mises": 3.69636e8,
    "mean_von_mises": 9.41914e7,
}


def measured(path: Path, folder: Path) -> Mapping[str, Any]:
    """Run a deck in this process and return its entries of the summary."""
    return verification_page.run(load(path), folder)


@pytest.mark.parametrize("path", sorted((DECKS / "verification").glob("*.yaml")), ids=lambda p: p.stem)
def test_deck_reproduces_its_references(path: Path, tmp_path: Path) -> None:
    rows = measured(path, tmp_path)["verification"]
    assert rows
    failed = [
        f"{r['quantity']}: {r['measured']:.8g} instead of {r['reference']:.8g}"
        for r in rows
        if not r["holds"]
    ]
    assert not failed, "; ".join(failed)
    page = {quantity: value for name, quantity, value in verification_page.written() if name == path.stem}
    assert page.keys() == {r["quantity"] for r in rows}, "the page is stale: see verification_page.py"
    for r in rows:
        within = r["tolerance"] if r["kind"] == "absolute" else 1e-3 * abs(r["measured"])
        assert page[r["quantity"]] == pytest.approx(r["measured"], rel=0, abs=within), r["quantity"]


def test_main_job(tmp_path: Path) -> None:
    values = measured(DECKS / "quickstart.yaml", tmp_path)["quantities"]
    for name, value in MAIN_JOB.items():
        assert values[name] == pytest.approx(value, rel=1e-5), name
    # what the gas brings in, the cooling air takes away; no force along the span
    assert -values["heat_from_gas"] == pytest.approx(values["heat_to_coolant"], rel=1e-7)
    assert abs(values["spanwise_force"]) < 100


@pytest.mark.parametrize("name", ["diffusion", "heat", "wall", "foundation", "thermoelasticity"])
def test_smallest_deck_runs(name: str, tmp_path: Path) -> None:
    assert all(v == v for v in measured(DECKS / f"{name}.yaml", tmp_path)["quantities"].values())
