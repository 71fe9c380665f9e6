"""Ensembles in Fourier space: ranks agree, and restarts on other numbers of ranks equal the whole run."""

import shutil
from pathlib import Path

import pytest
from io_jobs import plexus
from spectral_decks import assert_same, series, summary

from plexus import driver, registry
from plexus.protocols import Split

SPLIT = [n for n in registry.names("stepper") if registry.component("stepper", n).cls.needs is Split]
TABLES = ("quantities", "probes/probe", "spectra/velocity_mean")
FLUID = """\
plexus: 1
mesh: {type: periodic, cells: [24, 20], size: [10, 8]}
physics: {type: active_fluid, order: 2, alpha: -3, zeta: 1}
closure: autoregressive
ensemble: {members: 3, perturbation: 0.05, seed: 4}
time: {stepper: sbdf2, end: 0.8 s, step: 0.02 s}
quantities:
  order: {type: mean, of: order_mean}
  away: {type: norm, of: vorticity_spread}
  fastest: {type: maximum, of: velocity_mean_x}
  there: {type: value, of: "velocity_mean_x + 0*x", at: [3.3, 7.9]}
output:
  - {type: fields, every: 0.4 s, fields: [concentration_mean, nematic_mean, velocity_mean, velocity_spread]}
  - {type: probe, points: [[3.3, 7.9], [9.9, 0.1]], fields: [velocity_mean, order_spread], every: 10 steps}
  - {type: spectrum, fields: [velocity_mean], every: 0.4 s}
  - {type: series, every: 10 steps}
  - {type: checkpoint, every: 0.4 s, keep: 99}
"""
VORTICES = """\
plexus: 1
mesh: {type: periodic, cells: [12, 10, 8], size: [6.283185307179586, 6.283185307179586, 3.141592653589793]}
physics: {type: navier_stokes, viscosity: 0.05, start: random}
ensemble: {members: 2, perturbation: 0.1, seed: 4, first: 5}
time: {stepper: {type: imex_rk, order: 3}, end: 0.3 s, step: 0.01 s, adaptive: {tolerance: 1e-5}}
quantities:
  energy: {type: mean, of: kinetic_energy_mean}
  away: {type: norm, of: velocity_spread_z}
output:
  - {type: fields, every: 0.1 s, fields: [velocity_mean, velocity_spread]}
  - {type: checkpoint, every: 0.1 s, keep: 99}
"""


def one_rank(folder: Path, text: str, name: str, *changes: str) -> Path:
    """Return the run folder of a deck on one rank."""
    (folder / "deck.yaml").write_text(text)
    assert driver.run(folder / "deck.yaml", list(changes), folder / name) == 0
    return folder / name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the active fluid on one rank."""
    return one_rank(tmp_path_factory.mktemp("whole"), FLUID, "out")


def begun(whole: Path, folder: Path, step: int) -> Path:
    """Return a run folder as a run leaves it that died some time after the checkpoint of a step."""
    folder.mkdir()
    for name in ("fields.vtkhdf", "series.h5", f"checkpoint_{step:08d}.h5"):
        shutil.copy(whole / name, folder / name)
    return folder


def test_three_ranks_agree_with_one(whole, tmp_path):
    code, err = plexus(tmp_path, FLUID, "-o", "out", ranks=3)
    assert code == 0, err
    assert_same(whole, tmp_path / "out", 1e-12, TABLES)
    one, two = (series(folder, "monitor") for folder in (whole, tmp_path / "out"))
    assert one["order"] == pytest.approx(two["order"], rel=1e-12)


def test_a_restart_on_two_ranks_equals_the_whole_run(whole, tmp_path):
    half = begun(whole, tmp_path / "half", 20)
    code, err = plexus(tmp_path, FLUID, "-o", "half", "--restart", "latest", ranks=2)
    assert code == 0, err
    assert_same(whole, half, 1e-12, TABLES)


@pytest.mark.parametrize("stepper", SPLIT)
def test_every_stepper_goes_on_as_if_it_had_not_stopped(stepper, tmp_path):
    change = f"time.stepper={stepper}"
    whole = one_rank(tmp_path, FLUID, "whole", change)
    half = begun(whole, tmp_path / "half", 20)
    assert driver.run(tmp_path / "deck.yaml", [change], half, restart="latest") == 0
    assert_same(whole, half, 1e-12, TABLES)


def test_a_box_in_space_with_adaptive_steps_restarts_on_one_rank(tmp_path):
    code, err = plexus(tmp_path, VORTICES, "-o", "whole", ranks=3)
    assert code == 0, err
    whole = tmp_path / "whole"
    steps = sorted(int(p.stem.partition("_")[2]) for p in whole.glob("checkpoint_*.h5"))
    half = begun(whole, tmp_path / "half", steps[1])
    assert driver.run(tmp_path / "deck.yaml", folder=half, restart="latest") == 0
    assert_same(whole, half, 1e-12)
    assert summary(half)["steps"] == summary(whole)["steps"]


@pytest.mark.parametrize("members", [1, 2])
def test_a_checkpoint_of_another_number_of_members_is_refused(whole, members, tmp_path, capsys):
    half = begun(whole, tmp_path / "half", 20)
    (tmp_path / "deck.yaml").write_text(FLUID)
    with pytest.raises(SystemExit) as end:
        driver.run(tmp_path / "deck.yaml", [f"ensemble.members={members}"], half, restart="latest")
    assert end.value.code == 2
    said = capsys.readouterr()
    assert "the checkpoint belongs to another model" in said.out + said.err
