"""Draws of a random temperature through one reduced model: figures of all, errors of a few."""

from __future__ import annotations

import json
import signal
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI
from pydantic import ValidationError

from plexus.campaigns import checks
from plexus.campaigns.goingon import earlier
from plexus.campaigns.main import Campaign, campaign
from plexus.campaigns.record import Record
from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.errors import InputError
from plexus.io.series import Series
from plexus.observers.cycles import Cycles
from plexus.offline.drawn import Drawn, deck_of, pivots
from plexus.offline.draws import reduce
from plexus.runtime import context

COMM = MPI.COMM_WORLD
WARMTH = {"type": "gaussian_field", "seed": 5, "size": ["1 m", "0.6 m"], "edge": "neumann", "modes": 1,
          "deviation": 0.1, "tau": 3}  # fmt: skip
DATA = {
    "plexus": 1,
    "samples": {"warmth": WARMTH},
    "controls": {"hot": {"type": "nodal", "unit": "K", "start": "60*(1 + warmth)"}},
    "tables": {"pull": {"times": [0, 1, 2], "values": ["0 MPa", "350 MPa", "0 MPa"], "period": 2}},
    "mesh": {"type": "box", "cell": "quadrilateral", "cells": [5, 3], "size": [1, 0.6]},
    "physics": {
        "type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1,
        "temperature": "293.15 + hot*min(t, 1)",
        "law": {
            "type": "chaboche", "density": 1e4, "young_modulus": "200 GPa", "poisson_ratio": 0.3,
            "expansion": {"coefficient": 2e-5}, "yield_stress": "10 MPa",
            "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
            "viscosity": {"drag": "300 MPa", "exponent": 30},
        },
    },
    "boundary": [{"on": "left", "displacement": [0, 0]}, {"on": "right", "traction": ["pull(t)*(1 - y)", 0]}],
    "time": {"stepper": "quasistatic", "step": 0.25, "cycles": 1},
    "solver": {"displacement": {"snes_rtol": 1e-11, "ksp": "preonly", "preconditioner": "mumps"}},
    "quantities": {"life": {"type": "shortest_life"}, "p": {"type": "maximum", "of": "p"},
                   "u": {"type": "maximum", "of": "displacement_x + 1e-6*hot"},
                   "s": {"type": "mean", "of": "p"}},
    "output": [{"type": "cycles", "last": 1, "life": {
        "type": "smith_watson_topper", "strength": "1000 MPa", "strength_exponent": -0.09, "ductility": 0.5,
        "ductility_exponent": -0.6}}],
    "sweep": {"mode": "draws", "sample": "warmth", "samples": 8},
    "campaign": {"check": 1, "places": 60, "batch": 5},
    "reduce": {"draws": 4, "tolerance": 1e-5, "cubature": 1e-4},
}  # fmt: skip


def deck(folder, **changes):
    """Return the deck with other values at paths with two underscores for dots."""
    data = deepcopy(DATA)
    for path, value in changes.items():
        *above, last = path.split("__")
        block = data
        for part in above:
            block = block[part]
        block[last] = value
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


def shared(tmp_path_factory):
    return Path(COMM.bcast(str(tmp_path_factory.mktemp("campaign")) if COMM.rank == 0 else None))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the model of four draws and a campaign with it; return folder, rom block, facts, rows."""
    folder = shared(tmp_path_factory)
    _, facts = reduce(deck(folder), context.create(COMM, folder))
    rom = {"type": "galerkin", "file": str(folder / "rom.h5"), "indicator": {"tolerance": 0.02}}
    assert campaign(deck(folder, rom=rom), context.create(COMM, folder)) == 0
    rows = COMM.bcast(Record.read(folder) if COMM.rank == 0 else None)
    return folder, rom, facts, rows


@pytest.mark.mpi
@pytest.mark.pair
def test_figures_are_those_of_the_full_model(made):
    folder, _, facts, rows = made
    assert facts["shapes"] == 4 and len(facts["draws"]) == 4 and facts["modes"] < 40
    assert sorted(rows) == list(range(8)) and {k for k in rows if rows[k]["trained"]} == set(facts["draws"])
    checked = [row for row in rows.values() if "full_u" in row]
    assert len(checked) == 1 and not any(row["trained"] for row in checked)
    for row in checked:
        assert abs(row["error_u"]) < 1e-2 and abs(row["error_p"]) < 1e-2 and abs(row["error_life"]) < 3e-2
        assert row["error_p"] == pytest.approx(row["p"] / row["full_p"] - 1)
    # what needs the memory of the whole body is no figure of many draws
    assert not any("s" in row for row in rows.values())
    if COMM.rank == 0:
        told = json.loads((folder / "summary.json").read_text())["campaign"]
        assert told["left_out"] == ["s"]
        lives = sorted(row["life"] for row in rows.values())
        assert told["distribution"]["life"]["median"] == lives[3] and told["draws"] == 8
        assert told["beyond"] == [k for k in sorted(rows) if rows[k]["indicator"] > 0.02]
        assert told["errors"]["p"]["largest"] == max(abs(row["error_p"]) for row in checked)
        assert (folder / "rom.modes.vtkhdf").is_file()


@pytest.mark.mpi
@pytest.mark.pair
def test_a_draw_is_the_reduced_run_of_its_number(made):
    """With every point looked at, figures are those of a run that makes its fields."""
    folder, rom, _, rows = made
    number = 6
    plain = {k: rom[k] for k in ("type", "file")}
    run = compose(deck(folder, rom=plain, samples__warmth__number=number), context.create(COMM, folder))
    run.observers = [o for o in run.observers if isinstance(o, Cycles)]
    run.execute()
    found = run.values()
    for name in ("life", "p", "u"):
        assert rows[number][name] == pytest.approx(found[name], rel=1e-6)


@pytest.mark.mpi
def test_the_table_does_not_depend_on_ranks(made, tmp_path):
    _, rom, _, rows = made
    alone = Campaign(deck(tmp_path, rom=rom), context.create(MPI.COMM_SELF, tmp_path))
    assert alone.march() is None
    assert all(
        value == pytest.approx(rows[number][name], rel=1e-6, abs=1e-9)
        for number, row in alone.record.rows.items()
        for name, value in row.items()
        if name != "newton"
    )


@pytest.mark.mpi
@pytest.mark.pair
def test_a_draw_that_fails_is_named_and_no_number(made, tmp_path_factory):
    _, rom, _, rows = made
    folder = shared(tmp_path_factory)
    found = Campaign(deck(folder, rom=rom), context.create(COMM, folder))
    values = found.drawn.values
    found.drawn.farthest  # noqa: B018  # the draw is spoilt after these are known
    found.drawn.values = lambda k, *rows: {
        n: a * (np.nan if k == 4 else 1) for n, a in values(k, *rows).items()
    }
    found._places = lambda places=found._places: places()
    assert found.march() is None
    assert (
        found.record.rows[4].keys() == {"draw", "trained", "failed"} and found.record.rows[4]["failed"] == 1
    )
    assert found.facts()["failed"] == [4]
    assert found.record.rows[5]["p"] == pytest.approx(rows[5]["p"], rel=1e-6)


@pytest.mark.mpi
@pytest.mark.pair
def test_draws_beyond_the_data_are_named_and_no_success(made, tmp_path_factory):
    _, rom, _, rows = made
    folder, hottest = shared(tmp_path_factory), 356.0
    law = deepcopy(DATA["physics"]["law"])
    law["expansion"]["coefficient"] = {"table": [["290 K", 2e-5], [f"{hottest} K", 2e-5]]}
    output = deepcopy(DATA["output"])
    output[0]["life"]["lives"] = [1e12, 1e13]
    reduce(deck(folder, physics__law=law), context.create(COMM, folder))
    rom = rom | {"file": str(folder / "rom.h5")}
    one = deck(folder, rom=rom, physics__law=law, output=output, campaign__check=0)
    found = Campaign(one, context.create(COMM, folder))
    assert found.march() is None
    lives, heat = (next(v for k, v in found.lacking.items() if word in k) for word in ("shortest", "table"))
    assert lives == list(range(8))
    # nodes reach a little farther than the points inside
    nodal = [COMM.allreduce(found.drawn.values(k)["hot"].max(), MPI.MAX) for k in range(8)]
    assert heat and {*heat} <= {k for k in range(8) if 293.15 + nodal[k] > hottest} and len(heat) < 8
    assert all(found.record.rows[k]["outside"] > 0 for k in range(8))
    assert found.record.rows[5]["p"] == pytest.approx(rows[5]["p"], rel=1e-6)
    few = {"sweep__samples": 2, "reduce__draws": 2, "physics__law": law, "output": output, "rom": rom}
    assert campaign(deck(folder, **few, campaign__check=0), context.create(COMM, folder)) == 5
    if COMM.rank == 0:
        told = json.loads((folder / "summary.json").read_text())
        assert (told["status"], told["campaign"]["outside"]) == ("failed", [0, 1])
    allowed = {"quantities": [], "check": 0, "outside": "allow"}
    assert campaign(deck(folder, **few, campaign=allowed), context.create(COMM, folder)) == 0


@pytest.mark.mpi
@pytest.mark.pair
def test_a_campaign_goes_on_with_the_draws_that_are_left(made, tmp_path_factory):
    _, rom, _, rows = made
    folder = shared(tmp_path_factory)
    one = deck(folder, rom=rom)
    begun = Campaign(one, context.create(COMM, folder))
    begun.record.rows = {k: {**rows[k], "p": -1.0} for k in (0, 3, 7)}
    begun.record.write()
    COMM.barrier()
    assert campaign(one, context.create(COMM, folder), restart=True) == 0
    again = COMM.bcast(Record.read(folder) if COMM.rank == 0 else None)
    assert sorted(again) == list(range(8))
    assert {k for k in again if again[k]["p"] == -1.0} == {0, 3, 7}, "what is there is not marched again"
    assert again[1]["u"] == pytest.approx(rows[1]["u"], rel=1e-9)


@pytest.mark.mpi
@pytest.mark.pair
def test_a_march_that_is_stopped_gives_no_figures(made, tmp_path_factory, monkeypatch):
    """Neither the deck's own draw, which finds the steps, nor a check; what is cut short is marched again."""
    _, rom, _, rows = made
    folder = shared(tmp_path_factory)
    one, ctx = deck(folder, rom=rom), context.create(COMM, folder)
    ctx.stop._note(signal.SIGUSR1, None)
    assert campaign(one, ctx) == 75 and not (folder / "series.h5").exists()
    ctx = context.create(COMM, folder)
    whole = checks.compose

    def asked(*given):
        ctx.stop._note(signal.SIGUSR1, None)
        return whole(*given)

    monkeypatch.setattr(checks, "compose", asked)
    assert campaign(one, ctx, restart=True) == 75
    monkeypatch.undo()
    cut = COMM.bcast(Record.read(folder) if COMM.rank == 0 else None)
    assert sorted(cut) == list(range(8)) and not any("full_u" in row for row in cut.values())
    assert campaign(one, context.create(COMM, folder), restart=True) == 0
    again = COMM.bcast(Record.read(folder) if COMM.rank == 0 else None)
    for k, row in again.items():
        assert row == pytest.approx(rows[k], rel=1e-8)


def test_a_campaign_goes_on_with_its_own_deck_in_its_own_folder(tmp_path):
    """Rows of other draws stay out of its table, and histories of a run stay what they are."""
    present = "samples: {warmth: {deviation: 0.2}}\ncampaign: {check: 2}\n"
    assert earlier(tmp_path, present, "one") == {}
    record = Record(tmp_path, {}, {"rom": "one"})
    record.rows = {0: {"draw": 0.0}}
    record.write()
    (tmp_path / "deck.yaml").write_text("samples: {warmth: {deviation: 0.1}}\ncampaign: {check: 1}\n")
    told = r"^samples\.warmth\.deviation: 0\.1 -> 0\.2: the campaign has begun with the other\na campaign"
    with pytest.raises(InputError, match=told):
        earlier(tmp_path, present, "one")
    own = present.replace("0.2", "0.1")
    assert earlier(tmp_path, own, "one") == record.rows
    with pytest.raises(InputError, match=r"^rom\.file: its model was made anew since the campaign has begun"):
        earlier(tmp_path, own, "another")
    # campaigns of before do not tell
    record.texts = {}
    record.write()
    assert earlier(tmp_path, own, "another") == record.rows
    series = Series(tmp_path / "series.h5")
    series.add("quantities", {"step": 1, "u": 2.0})
    series.flush(force=True)
    with pytest.raises(InputError, match="its results are of no campaign"):
        earlier(tmp_path, present, "one")


@pytest.mark.mpi
@pytest.mark.pair
def test_temperatures_that_no_training_has_seen_are_refused(made, tmp_path):
    folder, rom, _, _ = made
    other = WARMTH | {"modes": 2}
    with pytest.raises(InputError, match="has not seen the shape of the temperature"):
        Campaign(deck(folder, rom=rom, samples__warmth=other), context.create(COMM, folder))
    # the deck's own draw may be admitted; others differ from it
    with pytest.raises(InputError, match=r"has not seen the temperatures of draw \d+ and"):
        Campaign(
            deck(folder, rom=rom | {"new_shapes": "respond"}, samples__warmth=other),
            context.create(COMM, folder),
        )


@pytest.mark.mpi
@pytest.mark.pair
def test_what_needs_the_whole_memory_is_refused_by_name(made):
    folder, rom, _, _ = made
    with pytest.raises(InputError, match=r"quantities\.s: a campaign looks at the memory of few points"):
        Campaign(deck(folder, rom=rom, campaign__quantities=["s"]), context.create(COMM, folder))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sweep__sample": "warmht"}, "no sample 'warmht'; did you mean 'warmth'"),
        ({"sweep__samples": None}, "needs samples, the number of draws"),
        ({"sweep__sample": None}, "needs sample, the name of one of the deck's samples"),
        ({"sweep": {"mode": "grid", "parameters": {"time.step": [1]}}}, "a campaign marches draws"),
        ({"samples__warmth": {k: v for k, v in WARMTH.items() if k != "seed"}}, "required but missing: seed"),
        ({"samples__warmth": WARMTH | {"scale": 2}}, "scale and deviation both say"),
        ({"samples__warmth": WARMTH | {"origin": ["1 m"]}}, "origin has 1 coordinates, size 2"),
        ({"campaign__check": 9}, "9 are more than the 8 draws"),
        ({"campaign__quantities": ["lif"]}, "no quantity is called 'lif'; did you mean 'life'"),
        ({"reduce__draws": 9}, "9 are more than the 8 draws"),
        ({"controls__hot__start": 60}, "no nodal control reads 'warmth'"),
        ({"controls__hot__type": "cells"}, "a campaign draws nodal controls, and this one is cells"),
        ({"time__adaptive": {"limit": {"p": 1e-3}}}, "take the same steps"),
        ({"boundary": [{"on": "left", "displacement": [0, "1e-3*t"]}]}, "no prescribed values other"),
        ({"boundary": [{"on": "left", "spring": {"normal": 1e9}}]}, "draws of a campaign know no springs"),
        ({"boundary": [{"on": "right", "traction": ["hot*t", 0]}]}, "reads hot: draws of a campaign have"),
    ],
)  # fmt: skip
def test_a_wrong_campaign_is_told_by_check(changes, told, tmp_path):
    with pytest.raises(ValidationError) as caught:
        deck(tmp_path, **changes)
    assert told in str(caught.value)


@pytest.mark.parametrize("key", [{"refresh": [4]}, {"correct": 2}])
def test_what_draws_would_not_heed_is_refused(key, tmp_path):
    (tmp_path / "rom.h5").touch()
    told = rf"(?s)rom.*{next(iter(key))}.*marched together and without it"
    with pytest.raises(ValidationError, match=told):
        deck(tmp_path, rom={"type": "galerkin", "file": "rom.h5", **key})


def test_farthest_draws_are_those_whose_sums_the_others_are():
    rng = np.random.default_rng(1)
    shapes, shares = rng.standard_normal((40, 3)), rng.standard_normal((3, 15))
    a = shapes @ shares
    found = pivots(a.T @ a)
    assert len(found) == 3 and found[0] == np.argmax(np.linalg.norm(a, axis=0))
    rest = a - a[:, found] @ np.linalg.lstsq(a[:, found], a, rcond=None)[0]
    assert np.abs(rest).max() < 1e-10 * np.abs(a).max()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"controls__hot__start": "0*warmth"}, "the draws of warmth are zero everywhere"),
        ({"samples__warmth__deviation": 1e200}, "the draws of warmth are too large for numbers"),
        ({"controls__hot__start": "60/(warmth - warmth)"}, "division by zero"),
    ],
)
def test_draws_that_are_no_numbers_or_nothing_are_refused(changes, told, tmp_path):
    given = deck(tmp_path, **changes)
    system = compose(deck_of(given, 0), context.create(MPI.COMM_SELF, tmp_path / "run")).system
    with pytest.raises(InputError, match=told):
        _ = Drawn(given, system).farthest


@pytest.mark.mpi
@pytest.mark.pair
@pytest.mark.parametrize("deviation", [10.0, 1e30])
def test_draws_below_absolute_zero_are_refused_before_a_march(made, tmp_path_factory, deviation):
    folder, rom = shared(tmp_path_factory), made[1]
    told = r"^controls.hot.start: draw \d of warmth takes the body to -\S+ K, below absolute zero"
    for work, more in ((reduce, {}), (Campaign, {"rom": rom})):
        with pytest.raises(InputError, match=told):
            work(deck(folder, samples__warmth__deviation=deviation, **more), context.create(COMM, folder))
