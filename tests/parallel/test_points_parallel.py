"""Ensembles on 1 to 3 ranks agree, and restarts on other numbers of ranks equal the whole run."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from io_jobs import plexus
from spectral_decks import assert_same, last_fields, summary

from plexus import driver

CHAIN = """\
plexus: 1
physics: {type: lorenz96, n: 10, forcing: 8}
ensemble: {members: 7, perturbation: 0.3, seed: 5}
time: {stepper: STEPPER, end: 1 s, step: 0.02 s, adaptive: ADAPTIVE}
quantities:
  energy: {type: mean, of: energy}
  top: {type: maximum, of: state}
  spread: {type: mean, of: state_spread}
  growth: {type: lyapunov, after: 0.2 s}
  there: {type: value, of: state, at: [3, 6]}
output:
  - {type: fields, every: 0.2 s, fields: [state, state_mean, state_spread, energy]}
  - {type: probe, points: [[0, 0], [9, 6]], fields: [state], every: 2 steps}
  - {type: checkpoint, every: 0.2 s, keep: 99}
"""
CASES = {
    "runge_kutta": ("{type: runge_kutta, method: classical}", "null"),
    "adaptive": ("{type: runge_kutta, method: bogacki_shampine}", "{tolerance: 1e-5}"),
    "bdf2": ("bdf2", "null"),
    "adaptive theta": ("{type: theta, theta: 0.5}", "{tolerance: 1e-3}"),
}
TABLES = ("quantities", "probes/probe")


def deck(case: str) -> str:
    stepper, adaptive = CASES[case]
    return CHAIN.replace("STEPPER", stepper).replace("ADAPTIVE", adaptive)


def one_rank(folder: Path, text: str, name: str) -> Path:
    """Run a deck in this process and return the run's folder."""
    (folder / "deck.yaml").write_text(text)
    assert driver.run(folder / "deck.yaml", folder=folder / name) == 0
    return folder / name


def begun(whole: Path, folder: Path) -> Path:
    """Return a run folder as a run leaves it that died some time after its checkpoint in the middle."""
    folder.mkdir()
    checkpoints = sorted(whole.glob("checkpoint_*.h5"))
    for name in ("fields.vtkhdf", "series.h5", checkpoints[len(checkpoints) // 2].name):
        shutil.copy(whole / name, folder / name)
    return folder


@pytest.mark.parametrize("case", CASES)
def test_a_restart_equals_the_whole_run(case, tmp_path):
    whole = one_rank(tmp_path, deck(case), "whole")
    half = begun(whole, tmp_path / "half")
    assert driver.run(tmp_path / "deck.yaml", folder=half, restart="latest") == 0
    assert_same(whole, half, 1e-12, TABLES)
    assert summary(half)["steps"] == summary(whole)["steps"]


def test_a_restart_on_three_ranks_equals_the_whole_run(tmp_path):
    whole = one_rank(tmp_path, deck("adaptive"), "whole")
    half = begun(whole, tmp_path / "half")
    code, err = plexus(tmp_path, deck("adaptive"), "-o", "half", "--restart", "latest", ranks=3)
    assert code == 0, err
    assert_same(whole, half, 1e-12, TABLES)


@pytest.mark.parametrize(("case", "members"), [("runge_kutta", 7), ("bdf2", 2)])
def test_members_dealt_over_three_ranks_are_those_of_one(case, members, tmp_path):
    text = deck(case).replace("members: 7", f"members: {members}").replace("6]", f"{members - 1}]")
    one = one_rank(tmp_path, text, "one")
    code, err = plexus(tmp_path, text, "-o", "three", ranks=3)
    assert code == 0, err
    assert_same(one, tmp_path / "three", 1e-12, TABLES)
    assert summary(tmp_path / "three")["mesh"] is None
    _, places, fields = last_fields(tmp_path / "three")
    assert len(places) == 10 * members
    np.testing.assert_allclose(np.unique(places[:, 1]), np.arange(members))
    # sorted by index, then by member
    mean = fields["state"].reshape(10, members).mean(1)
    np.testing.assert_allclose(fields["state_mean"][::members], mean, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("physics.n=11", "the checkpoint belongs to another model"),
        (
            "quantities.growth.after=0.5",
            "counts growth of the tangent after 0.2 s, the deck's lyapunov after 0.5",
        ),
    ],
)
def test_a_checkpoint_of_another_model_is_refused(change, message, tmp_path, capsys):
    folder = one_rank(tmp_path, deck("runge_kutta"), "out")
    with pytest.raises(SystemExit) as end:
        driver.run(tmp_path / "deck.yaml", [change], folder, restart="latest")
    assert end.value.code == 2
    said = capsys.readouterr()
    assert message in said.out + said.err
