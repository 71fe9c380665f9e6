"""Coefficients that expressions give keep the bounds of numbers: judged before the solve, or after steps."""

import pytest

from plexus.errors import GuardError, InputError

WALL = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [4, 2], regions: {a: x < 0.5, b: x > 0.5}}
physics: {type: heat, material: {conductivity: K, density: 1, specific_heat: C}}
boundary: [{on: left, temperature: 300}, {on: right, convection: {coefficient: H, ambient: 350}}]
initial: {temperature: 300}
time: {stepper: theta, step: 0.1, end: 0.3}
"""


def wall(k="1", c="1", h="1"):
    """Return a wall with these coefficients."""
    return WALL.replace("K,", f"{k},").replace("C}", f"{c}}}").replace("H,", f"{h},")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"k": "x - 0.3"}, "material.conductivity: must be > 0, not -0.2.* at "),
        ({"h": "-y"}, r"boundary\[1\].convection.coefficient: must be >= 0, not -0.* at \(1, "),
        ({"k": '{regions: {a: 1, b: "0.6 - x"}}'}, "material.conductivity: must be > 0, not -0.3"),
    ],
)
def test_what_depends_on_the_place_is_refused_before_the_solve(make_run, changed, words):
    with pytest.raises(InputError, match=words):
        make_run(wall(**changed)).execute()


def test_what_depends_on_the_time_or_the_state_stops_the_run(make_run):
    with pytest.raises(GuardError, match=r"material.specific_heat: must be > 0, not -0.05 at .*, t = 0.3 s"):
        make_run(wall(c="0.25 - t")).execute()
    steady = wall(k='"325 - temperature/(1 K)"', h="1e9").split("initial")[0]
    with pytest.raises(GuardError, match=r"material.conductivity: must be > 0, not -.* m$"):
        make_run(steady).execute()


def test_an_expression_is_judged_where_it_holds(make_run):
    run = make_run(wall(k='{regions: {a: "0.6 - x", b: "x - 0.4"}}'))
    run.execute()
    assert run.last
