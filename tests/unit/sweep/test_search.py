"""Searches: members chosen by what earlier ones have found, the same after any interruption."""

import json
import math
from dataclasses import asdict
from importlib.util import find_spec

import numpy as np
import pytest
from sweep_decks import BASE, write
from sweep_decks import deck as made

from plexus import cli
from plexus.deck.load import load
from plexus.deck.members import Member, expand
from plexus.deck.sweep import Range
from plexus.errors import InputError
from plexus.sweep import folder as folders
from plexus.sweep import search
from plexus.sweep.status import Status, read_summary

BLOCK = """
best: q
parameters:
  parameters.k: {min: 0.01, max: 100, scale: log}
  boundary[1].temperature: {min: 320 K, max: 420 K}
  mesh.cells[0]: [4, 6, 8]
search: {trials: 40}
"""
AIM = (2.0, 350.0, 6)


needs_optuna = pytest.mark.skipif(find_spec("optuna") is None, reason="needs optuna")


def objective(member: Member) -> float:
    """Return a bowl around `AIM` in log k, T and the number of cells."""
    k, t, n = (member.values[p] for p in ("parameters.k", "boundary[1].temperature", "mesh.cells[0]"))
    # temperatures are texts such as `350.0 K`
    return math.log10(k / AIM[0]) ** 2 + ((float(t.split()[0]) - AIM[1]) / 50) ** 2 + abs(n - AIM[2]) / 2


def done(member: Member) -> Status:
    return Status("done", 0, summary={"quantities": {"q": objective(member)}})


def searched(deck, members, states, to: int) -> list[Member]:
    """Carry a search on, two members at a time."""
    members, states = list(members), dict(states)
    while len(members) < to:
        members += search.following(deck, members, states, 2)
        states |= {m.index: done(m) for m in members[-2:]}
    return members


@needs_optuna
def test_a_search_finds_what_drawing_does_not(tmp_path):
    """Over seeds, the best of 40 chosen members is nearer to the bottom than the best of 40 drawn ones."""
    chosen, drawn = [], []
    for seed in range(5):
        for sampler, found in (("tpe", chosen), ("random", drawn)):
            deck = made(
                tmp_path, BLOCK.replace("trials: 40", f"trials: 40, sampler: {sampler}") + f"seed: {seed}"
            )
            first = expand(deck)
            assert len(first) == 10 and deck.sweep.size() == 40
            members = searched(deck, first, {m.index: done(m) for m in first}, 40)
            found.append(min(map(objective, members)))
    assert np.median(chosen) < 0.5 * np.median(drawn)


@needs_optuna
def test_a_search_goes_on_from_summaries_alone(tmp_path):
    deck = made(tmp_path, BLOCK)
    first = expand(deck)
    whole = searched(deck, first, {m.index: done(m) for m in first}, 20)
    # as sweep.json has them
    half = [Member(**json.loads(json.dumps(asdict(m)))) for m in whole[:14]]
    assert searched(deck, half, {m.index: done(m) for m in half}, 20) == whole
    for member in whole:
        assert 0.01 <= member.values["parameters.k"] <= 100
        assert member.values["mesh.cells[0]"] in (4, 6, 8)
        assert member.values["boundary[1].temperature"].endswith(" K")


@needs_optuna
def test_failed_members_are_no_good_ones(tmp_path):
    deck = made(tmp_path, BLOCK)
    first = expand(deck)
    states = {m.index: done(m) for m in first} | {0: Status("failed", 3), 1: Status("running")}
    assert len(search.following(deck, first, states, 3)) == 3
    lost = {m.index: Status("failed", 3) for m in first}
    assert len(search.following(deck, first, lost, 1)) == 1


AXES = [
    {"min": 3, "max": 50, "scale": "log"},
    {"min": "1 mm", "max": "9 mm"},
    {"min": "1 mm", "max": "1 cm"},
    {"min": 1, "max": 9, "whole": True},
]


@pytest.mark.parametrize("axis", AXES)
def test_a_share_is_where_its_value_lies(axis):
    given = Range(**axis)
    for share in (0.0, 0.3, 0.71, 1.0):
        value = given.at(share)
        assert given.at(given.share(value)) == value
        assert given.share(value) == pytest.approx(share, abs=0.07 if given.whole else 1e-9)


@needs_optuna
def test_a_search_of_runs_ends_with_its_trials_and_takes_more(tmp_path, capsys):
    text = (
        "best: q\nsamples: 2\nworkers: 2\nparameters: {parameters.k: {min: 1, max: 5}}\nsearch: {trials: 3}"
    )
    path, folder = write(tmp_path, text), tmp_path / "s"
    given = ["sweep", str(path), "-o", str(folder)]
    assert cli.main(given) == 0
    assert "3 members: 3 done" in capsys.readouterr().out
    before = folders.SweepFolder(folder).members
    assert [m.index for m in before] == [0, 1, 2]
    assert cli.main([*given, "-s", "sweep.search.trials=4"]) == 0
    said = capsys.readouterr().out
    sweep = folders.SweepFolder(folder)
    assert sweep.members[:3] == before and len(sweep.members) == 4
    found = [read_summary(sweep.place(m))["quantities"]["q"] for m in sweep.members]
    assert f"best by q: member {int(np.argmin(found))} " in said
    # the flux from the hot side is -k ΔT / L
    assert found == pytest.approx([-50 * m.values["parameters.k"] for m in sweep.members])
    other = load(path, ["sweep.parameters={parameters.k: {min: 1, max: 6}}"])
    with pytest.raises(InputError, match="holds another sweep"):
        folders.prepare(other, folder)


def test_a_missing_package_is_told_with_the_next_step(tmp_path, monkeypatch, capsys):
    path = write(tmp_path, BLOCK, BASE)
    monkeypatch.setattr(search, "find_spec", lambda name: None)
    assert cli.main(["sweep", str(path), "-o", str(tmp_path / "s")]) == 2
    assert "pip install 'plexus[search]'" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
    assert cli.main(["check", str(path)]) == 0
    assert "warning: " in (said := capsys.readouterr().out) and "needs optuna" in said
    assert "sweep of 40 members" in said
