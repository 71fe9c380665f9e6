"""The output `cycles`: a bar with known ranges, restarts within a cycle, reduced runs, refusals."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import h5py
import numpy as np
import pytest
from mpi4py import MPI

from plexus.compose import compose
from plexus.coupling.replay import Replay
from plexus.deck.load import load
from plexus.deck.schema import Deck
from plexus.errors import DeckError
from plexus.io.restart import resume
from plexus.observers.cycles import Cycles
from plexus.offline.main import reduce
from plexus.runtime import context

COMM = MPI.COMM_WORLD
CURVE = {"type": "manson_coffin_basquin", "strength": 1000e6, "strength_exponent": -0.09, "ductility": 0.5,
         "ductility_exponent": -0.6}  # fmt: skip
IDEAL = {"type": "j2", "young_modulus": "200 GPa", "poisson_ratio": 0.3, "yield_stress": "200 MPa"}


def bar(folder, law=None, **blocks):
    """Return the deck of a bar that is pulled and pressed by 0.5 %."""
    data = {
        "plexus": 1,
        "tables": {"pull": {"times": [0, 1, 3, 4], "values": [0, 1, -1, 0], "period": 4}},
        "mesh": {"type": "box", "cell": "hexahedron", "cells": [3, 1, 1], "size": [3e-3, 1e-3, 1e-3],
                 "regions": {"end": "x > 2e-3"}},
        "physics": {"type": "elastoviscoplastic", "degree": 1, "law": law or IDEAL},
        "boundary": [{"on": "left", "displacement_x": 0}, {"on": "bottom", "displacement_y": 0},
                     {"on": "back", "displacement_z": 0}, {"on": "right", "displacement_x": "15e-6*pull(t)"}],
        "time": {"stepper": "quasistatic", "step": 0.5, "cycles": 2},
        "solver": {"displacement": "mumps"},
        "output": [{"type": "cycles", "life": CURVE}],
        **blocks,
    }  # fmt: skip
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


def shared(tmp_path_factory, name):
    """Return one folder for all ranks."""
    return Path(COMM.bcast(str(tmp_path_factory.mktemp(name)) if COMM.rank == 0 else None))


def rows(folder):
    """Return the table of cycles."""
    with h5py.File(folder / "series.h5", "r", driver="sec2") as file:
        return {name: data[()] for name, data in file["cycles/cycles"].items()}


def written(folder, group="VTKHDF/CellData"):
    """Return the last fields of the file."""
    with h5py.File(folder / "cycles.vtkhdf", "r", driver="sec2") as file:
        return {name: data[()] for name, data in file[group].items()}


@pytest.mark.mpi
def test_a_bar_lives_as_the_curve_says(tmp_path_factory):
    """Ideally plastic at 200 MPa and 0.5 %: Δσ = 400 MPa, Δε = 1 %, Δε_p = 0.8 %, W = 400 MPa 0.8 %."""
    folder = shared(tmp_path_factory, "bar")
    quantities = {"life": {"type": "shortest_life"}, "x": {"type": "shortest_life", "tell": "x"}}
    part = {"type": "cycles", "life": CURVE, "region": "end"}
    run = compose(bar(folder, output=[part], quantities=quantities), context.create(COMM, folder))
    run.execute()
    n = 2983.19
    assert run.values()["life"] == pytest.approx(n, rel=1e-5) and run.values()["x"] > 2e-3
    if COMM.rank:
        return
    found, cells = rows(folder), written(folder)
    assert found["cycle"].tolist() == [1, 2] and np.isinf(found["change"][0])
    second = {name: values[1] for name, values in found.items()}
    assert second["strain_range"] == pytest.approx(0.01) and second["plastic_range"] == pytest.approx(0.008)
    assert second["stress_range"] == pytest.approx(400e6) and second["dissipated"] == pytest.approx(3.2e6)
    assert second["p_growth"] == pytest.approx(0.016) and second["peak_stress"] == pytest.approx(200e6)
    assert second["shortest_life"] == pytest.approx(n, rel=1e-5) and second["damage"] == pytest.approx(
        1 / n, rel=1e-5
    )
    # two cycles of three cells: the region alone is judged
    assert np.isinf(cells["life"]).sum() == 4 and np.allclose(
        cells["life"][np.isfinite(cells["life"])], n, rtol=1e-5
    )


def test_cycles_that_repeat_are_stable(tmp_path):
    law = {**IDEAL, "type": "chaboche", "back_stresses": [{"modulus": "50 GPa", "recall": 500}],
           "viscosity": {"drag": "100 MPa", "exponent": 5}}  # fmt: skip
    time = {"stepper": "quasistatic", "step": 0.5, "cycles": 4}
    run = compose(bar(tmp_path, law, time=time, output=[{"type": "cycles"}]), context.create(COMM, tmp_path))
    run.execute()
    found = rows(tmp_path)
    assert found["stable"].tolist() == [0, 0, 1, 1] and "shortest_life" not in found
    assert (np.diff(found["change"][1:]) < 0).all()


@pytest.mark.mpi
@pytest.mark.parametrize("step", [8, 11])
def test_a_restart_within_a_cycle_knows_its_instants(tmp_path_factory, step):
    folders = [shared(tmp_path_factory, f"restart{i}") for i in range(2)]
    whole, again = (compose(bar(f), context.create(COMM, f)) for f in folders)
    told = None
    for run in (whole, again):
        run._observe(lambda o, r=run: o.start(r), every=True)
        run._observe(lambda o, r=run: o.observe(r))
    for state in whole.march():
        if state.step == step:
            meta, packed = whole.checkpoint_state()
            told = json.loads(json.dumps(meta, default=str)), {k: a.copy() for k, (_, a) in packed.items()}
    again.restore_state(*told)
    again._observe(lambda o: o.start(again), every=True)
    for _ in again.march():
        pass
    one, two = (next(o for o in run.observers if isinstance(o, Cycles)) for run in (whole, again))
    assert all(np.allclose(two.latest.made[n], a, rtol=1e-12, atol=0) for n, a in one.latest.made.items())
    assert two.lives.shortest == pytest.approx(one.lives.shortest, rel=1e-12)
    changes = [
        next(o for o in run.observers if isinstance(o, Cycles)).latest.before for run in (whole, again)
    ]
    assert np.allclose(*changes, rtol=1e-12)


def test_a_cycle_of_which_a_part_was_not_looked_at_is_not_told(tmp_path):
    """The first run ends within its second cycle and has looked at its beginning only; the third is whole."""
    whole = {"stepper": "quasistatic", "step": 0.5}
    output = [{"type": "cycles", "life": CURVE}, {"type": "checkpoint", "every": "end"}]
    for more, restart in (({"end": 5.5}, None), ({"cycles": 3}, "latest")):
        run = compose(bar(tmp_path, time=whole | more, output=output), context.create(COMM, tmp_path))
        if restart:
            resume(run, restart, tmp_path)
        run.execute()
    assert rows(tmp_path)["cycle"].tolist() == [1, 3]


def test_only_cycles_that_are_asked_for_are_looked_at(tmp_path, monkeypatch):
    """A reduced run makes its fields in the last cycle only, and its ranges are those of the full run."""
    law = {**IDEAL, "type": "chaboche", "back_stresses": [{"modulus": "50 GPa", "recall": 500}],
           "viscosity": {"drag": "300 MPa", "exponent": 8}}  # fmt: skip
    blocks = {
        "boundary": [{"on": "left", "displacement": [0, 0, 0]},
                     {"on": "right", "traction": ["3e8*pull(t)", 0, 0]}],
        "output": [{"type": "cycles", "last": 1, "life": CURVE}],
    }  # fmt: skip
    full = tmp_path / "full"
    full.mkdir()
    told, _ = reduce(bar(full, law, reduce={}, **blocks), context.create(COMM, full))
    online = tmp_path / "online"
    online.mkdir()
    rom = {"type": "galerkin", "file": str(full / "rom.h5")}
    run = compose(bar(online, law, rom=rom, **blocks), context.create(COMM, online))
    asked = []
    marched = Replay.at
    monkeypatch.setattr(Replay, "at", lambda self, t: asked.append(round(2 * t)) or marched(self, t))
    run.execute()
    assert sorted(set(asked)) == list(range(8, 17))
    one, two = rows(full), rows(online)
    assert one["cycle"].tolist() == two["cycle"].tolist() == [2]
    assert all(
        two[n] == pytest.approx(one[n], rel=1e-3) for n in ("strain_range", "dissipated", "shortest_life")
    )
    assert told.values() == {}


def plain(tmp_path, **blocks):
    """Return the problems of the bar's deck with other blocks."""
    data = deepcopy(bar(tmp_path).plain()["data"]) | blocks
    path = tmp_path / "deck.yaml"
    path.write_text(json.dumps({k: v for k, v in data.items() if v is not None}, indent=1))
    with pytest.raises(DeckError) as error:
        load(path)
    return str(error.value)


def test_decks_that_have_no_cycles_or_no_data_are_refused(tmp_path):
    life = {"type": "shortest_life"}
    once = {"pull": {"times": [0, 1], "values": [0, 1]}}
    time = {"stepper": "quasistatic", "step": 0.25, "end": 3}
    elastic = {"type": "elastoviscoplastic", "degree": 1,
               "law": {"type": "elastic", "young_modulus": "200 GPa", "poisson_ratio": 0.3}}  # fmt: skip
    energy = [{"type": "cycles", "life": {"type": "dissipated_energy", "work": "1 MJ/m^3", "exponent": -0.7}}]
    creep = {"type": "larson_miller", "stresses": [1e8, 2e8], "parameters": [3e4, 2e4]}
    told = plain(tmp_path, tables=once, time=time)
    assert "no table of the deck has a period" in told and "deck.yaml:" in told
    assert "ends before the first cycle of 4 s" in plain(tmp_path, time=time)
    assert "has no plastic strain" in plain(tmp_path, physics=elastic, output=energy)
    assert "larson_miller needs temperature" in plain(tmp_path, output=[{"type": "cycles", "life": creep}])
    assert "no output of type `cycles`" in plain(tmp_path, output=[], quantities={"n": life})
    assert "has no `life`" in plain(tmp_path, output=[{"type": "cycles"}], quantities={"n": life})
    assert "cycles, none of them is a multiple of 9" in plain(
        tmp_path, output=[{"type": "cycles", "each": 9}]
    )
