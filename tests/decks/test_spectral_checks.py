"""What a model in Fourier space cannot have, and what it cannot do without, told with its place."""

from pathlib import Path

import pytest
from deck_problems import problems

TRAINING = Path(__file__).parents[2] / "input_decks" / "training" / "active_fluid_f2.yaml"

FLUID = """\
plexus: 1
mesh: {type: periodic, cells: [32, 32], size: [10, 10]}
physics: {type: active_fluid, order: 2}
closure: autoregressive
time: {stepper: sbdf2, end: 1 s, step: 0.01 s}
quantities:
  order: {type: mean, of: order}
output: [{type: spectrum, fields: [velocity]}]
"""
HEAT = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4]}
physics: {type: heat, material: {conductivity: 1, density: 1, specific_heat: 1}}
time: {stepper: bdf2, end: 1 s, step: 0.1 s}
output: [{type: fields}]
"""
SPECTRAL = "etdrk4 or ifrk4 or imex_rk or sbdf2"


@pytest.mark.parametrize(
    ("base", "old", "new", "message"),
    [
        (FLUID, "plexus: 1\n", "plexus: 1\nensemble: {members: 3}\n",
         "8:27: quantities.order.of: unknown name 'order'; did you mean 'order_mean'"),
        (FLUID, "stepper: sbdf2", "stepper: bdf2",
         f"5:17: time.stepper: 'bdf2' is not for active_fluid, which works in Fourier space; use {SPECTRAL}"),
        (FLUID, "stepper: sbdf2, ", "",
         f"5:7: time: stepper is missing: active_fluid needs one of {SPECTRAL}"),
        (FLUID, "time: {stepper: sbdf2, end: 1 s, step: 0.01 s}\n", "",
         "3:10: physics: active_fluid marches in time: the deck needs a block `time`"),
        (FLUID, "{type: periodic, cells: [32, 32], size: [10, 10]}",
         "{type: box, cell: triangle, cells: [4, 4]}",
         "2:14: mesh.type: 'box' is not for active_fluid, which works in Fourier space; use periodic"),
        (FLUID, "{type: mean, of: order}", "{type: flux, of: velocity, on: left}",
         "7:17: quantities.order.type: 'flux' is not for active_fluid, which works in Fourier space"),
        (FLUID, "{type: mean, of: order}", "{type: mean, of: order, on: left}",
         "7:38: quantities.order.on: unknown boundary 'left'"),
        (FLUID, "{type: mean, of: order}", "{type: mean, of: ordre}",
         "7:27: quantities.order.of: unknown name 'ordre'; did you mean 'order'?"),
        (FLUID, "{type: mean, of: order}", "{type: error, of: velocity, exact: [x, y], norm: H1}",
         "7:59: quantities.order.norm: fields on a periodic grid have no gradient here: use L2"),
        (FLUID, "closure: autoregressive", "closure: bingham",
         "4:10: closure: bingham gives f_2, for physics.order 1; order 2 needs f_3"),
        (FLUID, "closure: autoregressive", "closure: autoregresive",
         "4:10: closure: unknown closure 'autoregresive'; did you mean 'autoregressive'?"),
        (FLUID, "closure: autoregressive", "closure: {type: bingham, cap: 1}",
         "4:26: closure.cap: unknown key"),
        (FLUID, "closure: autoregressive", "solver: {default: gamg}",
         "4:9: solver: active_fluid works in Fourier space: nothing is assembled"),
        (FLUID, "{type: active_fluid, order: 2}", "{type: navier_stokes, viscosity: 1}",
         "4:10: closure: navier_stokes has nothing to close"),
        (FLUID, "{type: active_fluid, order: 2}", "{type: active_fluid, order: 2, swim_speed: 1}",
         "swim_speed must be 0"),
        (FLUID, "closure: autoregressive", "closure: autoregressive\ninitial: {order: 1}",
         "5:18: initial.order: unknown field 'order'; valid names: concentration, nematic"),
        (HEAT, "stepper: bdf2", "stepper: sbdf2",
         "4:17: time.stepper: 'sbdf2' is not for heat, which works on elements"),
        (HEAT, "{type: box, cell: triangle, cells: [4, 4]}",
         "{type: periodic, cells: [4, 4], size: [1, 1]}",
         "2:14: mesh.type: 'periodic' is not for heat, which works on elements; use box or gmsh or hdf5"),
        (HEAT, "{type: fields}", "{type: spectrum, fields: [temperature]}",
         "5:17: output[0].type: 'spectrum' is not for heat, which works on elements"),
        (FLUID, "{type: active_fluid, order: 2}", "{type: kuramoto_sivashinsky}",
         "3:10: physics: needs a grid with one axis, such as cells: [128]; this one has 2"),
        (FLUID, "[32, 32], size: [10, 10]}\nphysics: {type: active_fluid, order: 2}",
         "[32], size: [10]}\nphysics: {type: navier_stokes, viscosity: 1}",
         "3:10: physics: an incompressible flow along a line is uniform: the grid needs 2 or 3 axes"),
        (HEAT, "{type: box, cell: triangle, cells: [4, 4]}\nphysics: {type: heat,",
         "{type: interval, cells: 4}\nphysics: {type: heat, geometry: axisymmetric,",
         "3:33: physics.geometry: axisymmetric needs a 2-D mesh; for a 1-D mesh use bar"),
        (HEAT, "output:", "closure: bingham\noutput:", "5:10: closure: heat has nothing to close"),
    ],
)  # fmt: skip
def test_mismatch_is_told_at_its_place(tmp_path, base, old, new, message):
    assert old in base
    found = problems(tmp_path, base.replace(old, new))
    assert any(message in line for line in found), found


def test_all_of_them_are_told_at_once(tmp_path):
    text = FLUID.replace("stepper: sbdf2", "stepper: theta").replace(
        "{type: mean, of: order}", "{type: reaction}"
    )
    assert len(problems(tmp_path, text + "boundary: [{on: left}]\n")) >= 3


@pytest.mark.parametrize("cells", ["[32], size: [10]", "[8, 8, 8], size: [1, 1, 1]"])
def test_a_suspension_lives_in_a_plane(tmp_path, cells):
    text = FLUID.replace("[32, 32], size: [10, 10]", cells)
    count = cells.partition("]")[0].count(",") + 1
    assert f"3:10: physics: rods in a plane: the grid needs 2 axes, this one has {count}" in problems(
        tmp_path, text
    )


def test_a_training_has_no_ensemble(tmp_path):
    text = TRAINING.read_text().replace("physics:", "ensemble: {members: 3}\nphysics:", 1)
    line = 1 + text.splitlines().index("ensemble: {members: 3}")
    message = "ensemble: the runs of a training hold one member: give its data several seeds"
    assert problems(tmp_path, text) == [f"{line}:11: {message}"]
