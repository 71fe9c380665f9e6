"""Runs of spectral models: 1 to 4 ranks agree, and restarts on other numbers of ranks equal the whole run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from io_jobs import plexus
from spectral_decks import FLUID, LINE, VORTICES, assert_same, last_fields, series, summary

from plexus import driver, registry
from plexus.protocols import Split

SPLIT = [n for n in registry.names("stepper") if registry.component("stepper", n).cls.needs is Split]
TABLES = ("quantities", "probes/probe", "spectra/velocity")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the active fluid on one rank."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "deck.yaml").write_text(FLUID)
    assert driver.run(folder / "deck.yaml", folder=folder / "out") == 0
    return folder / "out"


def begun(whole: Path, folder: Path, step: int) -> Path:
    """Return a run folder as a run leaves it that died some time after the checkpoint of a step."""
    folder.mkdir()
    for name in ("fields.vtkhdf", "series.h5", f"checkpoint_{step:08d}.h5"):
        shutil.copy(whole / name, folder / name)
    return folder


@pytest.mark.parametrize("ranks", [2, 4])
def test_ranks_agree(whole, tmp_path, ranks):
    code, err = plexus(tmp_path, FLUID, "-o", "out", ranks=ranks)
    assert code == 0, err
    assert summary(tmp_path / "out")["ranks"] == ranks
    assert_same(whole, tmp_path / "out", 1e-10, TABLES)


def test_restart_on_three_ranks_equals_the_whole_run(whole, tmp_path):
    half = begun(whole, tmp_path / "half", 20)
    code, err = plexus(tmp_path, FLUID, "-o", "half", "--restart", "latest", ranks=3)
    assert code == 0, err
    assert_same(whole, half, 1e-12, TABLES)


def test_a_box_in_space_with_adaptive_steps_restarts_on_one_rank(tmp_path):
    code, err = plexus(tmp_path, VORTICES, "-o", "whole", ranks=2)
    assert code == 0, err
    half = begun(tmp_path / "whole", tmp_path / "half", sorted_steps(tmp_path / "whole")[1])
    assert driver.run(tmp_path / "deck.yaml", folder=half, restart="latest") == 0
    assert_same(tmp_path / "whole", half, 1e-12)
    assert summary(half)["steps"] == summary(tmp_path / "whole")["steps"]


def sorted_steps(folder: Path) -> list[int]:
    """Return the steps of a folder's checkpoints."""
    return sorted(int(p.stem.partition("_")[2]) for p in folder.glob("checkpoint_*.h5"))


@pytest.mark.parametrize("stepper", SPLIT)
def test_every_stepper_goes_on_as_if_it_had_not_stopped(stepper, tmp_path):
    (tmp_path / "deck.yaml").write_text(FLUID)
    whole, change = tmp_path / "whole", [f"time.stepper={stepper}", "time.end=0.8 s"]
    assert driver.run(tmp_path / "deck.yaml", change, whole) == 0
    half = begun(whole, tmp_path / "half", 20)
    assert driver.run(tmp_path / "deck.yaml", change, half, restart="latest") == 0
    assert_same(whole, half, 1e-12, TABLES)


@pytest.mark.parametrize("stepper", SPLIT)
def test_a_line_goes_on_as_if_it_had_not_stopped(stepper, tmp_path):
    (tmp_path / "deck.yaml").write_text(LINE.replace("STEPPER", stepper))
    whole = tmp_path / "whole"
    assert driver.run(tmp_path / "deck.yaml", folder=whole) == 0
    half = begun(whole, tmp_path / "half", 40)
    assert driver.run(tmp_path / "deck.yaml", folder=half, restart="latest") == 0
    assert_same(whole, half, 1e-12, ("quantities", "probes/probe", "spectra/u", "monitor"))
    times, places, fields = last_fields(whole)
    np.testing.assert_allclose(times, [0, 2, 4, 6, 8])
    np.testing.assert_allclose(places[:, 0], 22 / 48 * np.arange(49), atol=1e-8)
    # the last point repeats the first one, so that pictures have no gap
    assert fields["u"][0] == fields["u"][-1]
    # all power is in the complete shells: their sum is the mean of u²
    power = sum(v[-1] for k, v in series(whole, "spectra/u").items() if k.startswith("shell"))
    assert power == pytest.approx(np.mean(fields["u"][:-1] ** 2), rel=1e-12)


def test_a_line_is_not_shared_between_ranks(tmp_path):
    code, err = plexus(tmp_path, LINE.replace("STEPPER", "sbdf2"), "-o", "out", ranks=2)
    assert code == 2 and "a grid with one axis is not shared between ranks" in err


def test_the_whole_box_is_shown(whole):
    """The last row and column repeat the first ones, so that pictures have no gap."""
    times, places, fields = last_fields(whole)
    np.testing.assert_allclose(times, [0, 0.4, 0.8, 1.2])
    assert len(places) == 25 * 21
    np.testing.assert_allclose(places.max(axis=0), [10, 8, 0])
    first, last = np.isclose(places[:, 0], 0), np.isclose(places[:, 0], 10)
    low, high = np.isclose(places[:, 1], 0), np.isclose(places[:, 1], 8)
    for name in ("concentration", "velocity"):
        np.testing.assert_array_equal(fields[name][first], fields[name][last])
        np.testing.assert_array_equal(fields[name][low], fields[name][high])


def test_another_closure_goes_on_from_the_same_checkpoint(whole, tmp_path):
    """A closure is exchanged by the deck alone."""
    half = begun(whole, tmp_path / "half", 40)
    (tmp_path / "deck.yaml").write_text(FLUID)
    assert driver.run(tmp_path / "deck.yaml", ["closure=none"], half, restart="latest") == 0
    assert "closure: autoregressive -> none" in (half / "log.txt").read_text()
    one, two = summary(whole)["quantities"], summary(half)["quantities"]
    assert two["fastest"] == pytest.approx(one["fastest"], rel=0.05) and two["fastest"] != one["fastest"]
