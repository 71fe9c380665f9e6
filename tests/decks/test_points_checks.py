"""What a model without a mesh cannot have, what an ensemble needs, and that its effective deck is a deck."""

import pytest
from deck_problems import problems

from plexus.deck.load import load
from plexus.preview import preview

CHAIN = """\
plexus: 1
physics: {type: lorenz96, n: 8}
ensemble: {members: 5, perturbation: 0.1}
initial: {state: "8 + x + y"}
time: {stepper: runge_kutta, end: 1 s, step: 0.01 s}
quantities:
  energy: {type: mean, of: energy}
  there: {type: value, of: state_mean, at: [0, 3]}
  growth: {type: lyapunov}
output: [{type: probe, points: [[0, 1]]}]
"""
HEAT = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4]}
physics: {type: heat, material: {conductivity: 1, density: 1, specific_heat: 1}}
time: {stepper: bdf2, end: 1 s, step: 0.1 s}
quantities: {mean: {type: mean, of: temperature}}
"""
WAVES = """\
plexus: 1
mesh: {type: periodic, cells: [8, 8], size: [1, 1]}
physics: {type: navier_stokes, viscosity: 1}
time: {stepper: etdrk4, end: 1 s, step: 0.1 s}
"""


@pytest.mark.parametrize(
    ("base", "old", "new", "message"),
    [
        (CHAIN, "time: {", "mesh: {type: interval, cells: 4}\ntime: {",
         "5:7: mesh: lorenz96 works without a mesh: there is no space"),
        (CHAIN, "time: {", "solver: {state: lu}\ntime: {",
         "5:9: solver: lorenz96 works without a mesh: Newton's method"),
        (CHAIN, "time: {", "closure: none\ntime: {", "5:10: closure: lorenz96 has nothing to close"),
        (CHAIN, "stepper: runge_kutta", "stepper: etdrk4",
         "5:17: time.stepper: 'etdrk4' is not for lorenz96, which works without a mesh; use bdf2 or"),
        (CHAIN, "stepper: runge_kutta", "stepper: {type: petsc_ts, ts: bdf}",
         "5:24: time.stepper.type: 'petsc_ts' is not for lorenz96"),
        (CHAIN, "step: 0.01 s", "step: 0.01 s, controller: courant",
         "5:66: time.controller: 'courant' is not for lorenz96"),
        (CHAIN, "time: {stepper: runge_kutta, end: 1 s, step: 0.01 s}\n", "",
         "2:10: physics: lorenz96 marches in time: the deck needs a block `time`"),
        (CHAIN, "{type: mean, of: energy}", "{type: flux, of: state, on: left}",
         "7:18: quantities.energy.type: 'flux' is not for lorenz96, which works without a mesh"),
        (CHAIN, "{type: mean, of: energy}", "{type: mean, of: energy, on: left}",
         "7:40: quantities.energy.on: unknown boundary 'left'"),
        (CHAIN, "{type: mean, of: energy}", "{type: error, of: state, exact: 8, norm: H1}",
         "7:52: quantities.energy.norm: fields without a mesh have no gradient here: use L2"),
        (CHAIN, "of: energy", "of: enrgy", "7:28: quantities.energy.of: unknown name 'enrgy'; did you mean"),
        (CHAIN, "at: [0, 3]", "at: [0]", "8:44: quantities.there.at: 1 entry for a 2-D mesh"),
        (CHAIN, "ensemble: {members: 5, perturbation: 0.1}\n", "",
         "7:28: quantities.there.of: unknown name 'state_mean'"),
        (CHAIN, "members: 5", "members: 0", "3:21: ensemble.members:"),
        (CHAIN, "type: probe, points: [[0, 1]]", "type: spectrum, fields: [state]",
         "10:17: output[0].type: 'spectrum' is not for lorenz96"),
        (HEAT, "plexus: 1\n", "plexus: 1\nensemble: {members: 3}\n",
         "2:11: ensemble: heat works on elements: its arrays hold one member; use `plexus sweep`"),
        (WAVES, "plexus: 1\n",
         "plexus: 1\nensemble: {members: 3}\nquantities: {u: {type: norm, of: velocity}}\n",
         "3:34: quantities.u.of: unknown name 'velocity'; did you mean"),
        (HEAT, "{type: mean, of: temperature}", "{type: lyapunov}",
         "5:27: quantities.mean.type: 'lyapunov' is not for heat, which works on elements"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(tmp_path, base, old, new, message):
    assert old in base
    found = problems(tmp_path, base.replace(old, new, 1))
    assert any(line.startswith(message) for line in found), found


def test_the_effective_deck_is_the_deck(tmp_path):
    path, again = tmp_path / "deck.yaml", tmp_path / "again.yaml"
    path.write_text(CHAIN)
    deck = load(path)
    text = deck.effective_yaml()
    assert "mesh: null" in text and "members: 5  # " in text
    again.write_text(text)
    assert load(again).model_dump() == deck.model_dump()


def test_preview_counts_the_members(tmp_path):
    path = tmp_path / "deck.yaml"
    path.write_text(CHAIN)
    text = preview(load(path), 2)
    assert "state        40 unknowns" in text and "mesh" not in text
