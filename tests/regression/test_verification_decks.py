"""Every verification deck reproduces its references; the main job stays what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from plexus.deck.load import load
from plexus.run import report

DECKS = Path(__file__).parents[2] / "input_decks"
MAIN_JOB = {
    "hottest": 1093.591,
    "coldest": 913.4336,
    "mean_temperature": 972.6042,
    "heat_to_coolant": 28309.95,
    "peak_von_mises": 3.69636e8,
    "mean_von_mises": 9.41914e7,
}


def run(path: Path, folder: Path) -> dict:
    """Run a deck in this process and return its entries of the summary."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.runtime import context

    run = compose(load(path), context.create(MPI.COMM_WORLD, folder))
    run.observers = []
    run.execute()
    return report.facts(run)


@pytest.mark.parametrize("path", sorted((DECKS / "verification").glob("*.yaml")), ids=lambda p: p.stem)
def test_deck_reproduces_its_references(path: Path, tmp_path: Path) -> None:
    rows = run(path, tmp_path)["verification"]
    assert rows
    failed = [
        f"{r['quantity']}: {r['measured']:.8g} instead of {r['reference']:.8g}"
        for r in rows
        if not r["holds"]
    ]
    assert not failed, "; ".join(failed)


def test_main_job(tmp_path: Path) -> None:
    values = run(DECKS / "quickstart.yaml", tmp_path)["quantities"]
    for name, value in MAIN_JOB.items():
        assert values[name] == pytest.approx(value, rel=1e-5), name
    # what the gas brings in, the cooling air takes away; no force along the span
    assert -values["heat_from_gas"] == pytest.approx(values["heat_to_coolant"], rel=1e-7)
    assert abs(values["spanwise_force"]) < 100


@pytest.mark.parametrize("name", ["diffusion", "heat", "foundation", "thermoelasticity"])
def test_smallest_deck_runs(name: str, tmp_path: Path) -> None:
    assert all(v == v for v in run(DECKS / f"{name}.yaml", tmp_path)["quantities"].values())
