"""Orders in space on smooth manufactured solutions, with all conditions, on one and two axes."""

import pytest
from volume_cases import function, march, means, orders, scheme

from plexus.models.volumes.sides import Given, Mixed, Outflow, Prescribed

WAVE = "sin(2*pi*(x - t))"
FADING = "exp(-4*pi^2*0.01*t)*sin(2*pi*(x - t))"
HEAT = "exp(-pi^2*0.1*t)*sin(pi*x + 0.3)"
SLOPE = "pi*exp(-pi^2*0.1*t)*cos(pi*x + 0.3)"
PLANE = "sin(2*pi*(x + y - t))"
BURGERS_SOURCE = (
    "-2*pi*cos(2*pi*(x + y - t)) + 4*pi*sin(2*pi*(x + y - t))*cos(2*pi*(x + y - t))"
    " + 0.08*pi^2*sin(2*pi*(x + y - t))"
)
CARRIED = {"type": "advection_diffusion", "velocity": [1]}
SPREAD = CARRIED | {"diffusivity": 0.01}
STILL = {"type": "advection_diffusion", "velocity": [0], "diffusivity": 0.1}
MC, VAN_LEER = ({"type": "muscl", "limiter": name} for name in ("mc", "van_leer"))
JS = {"type": "weno5", "weights": "js"}


def errors(physics, exact, reconstruction, dim=1, end=0.5, rules=None, fifth=False, courant=0.4):
    """Return errors of the means as a function of the cells per axis; steps so that space dominates."""

    def run(n):
        made = scheme(physics, (n,) * dim, reconstruction, rules=rules)
        # a method of order 3 in time keeps up with order 5 in space by steps of h^(5/3)
        step = courant * ((16 / n) ** (2 / 3) if fifth else 1.0)
        return march(made, means(made, exact), end, step) - means(made, exact, end)

    return run


@pytest.mark.parametrize(
    ("reconstruction", "cells", "least"),
    [("upwind", (64, 128), 0.9), (MC, (64, 128), 1.9), (VAN_LEER, (64, 128), 1.9), ("weno5", (32, 64), 4.5),
     (JS, (32, 64), 4.5)],
)  # fmt: skip
def test_a_wave_that_is_carried(reconstruction, cells, least):
    fifth = least > 4
    assert least <= orders(errors(CARRIED, WAVE, reconstruction, fifth=fifth), cells).L1


@pytest.mark.parametrize(
    ("reconstruction", "cells", "least"), [(MC, (64, 128), 1.9), ("weno5", (16, 32), 4.5)]
)
def test_a_wave_that_is_carried_and_spreads(reconstruction, cells, least):
    found = orders(errors(SPREAD, FADING, reconstruction, end=0.2), cells)
    assert min(found.L1, found.L2) >= least


@pytest.mark.parametrize(
    ("reconstruction", "cells", "least"), [(VAN_LEER, (32, 64), 1.9), ("weno5", (16, 32), 4.5)]
)
def test_burgers_in_a_plane_with_viscosity_and_source(reconstruction, cells, least):
    physics = {"type": "burgers", "viscosity": 0.01, "source": BURGERS_SOURCE}
    found = orders(errors(physics, PLANE, reconstruction, 2, 0.1), cells)
    assert min(found.L1, found.L2) >= least


@pytest.mark.parametrize(
    ("reconstruction", "cells", "least"), [(MC, (64, 128), 1.9), ("weno5", (16, 32), 4.5)]
)
def test_inflow_and_outflow(reconstruction, cells, least):
    rules = {(0, 0): Prescribed(function(WAVE)), (0, 1): Outflow()}
    run = errors(CARRIED, WAVE, reconstruction, rules=rules, fifth=least > 4, courant=0.2)
    assert least <= orders(run, cells).L1


@pytest.mark.parametrize(
    ("reconstruction", "cells", "least"), [(MC, (16, 32), 1.9), ("weno5", (12, 24), 4.5)]
)
@pytest.mark.parametrize("condition", ["value", "mixed", "flux"])
def test_conditions_of_a_diffusing_field(condition, reconstruction, cells, least):
    two = function("2 + 0*x")

    def rule(sign):
        outward = f"({sign})*0.1*{SLOPE}"
        if condition == "value":
            return Prescribed(function(HEAT))
        return (
            Given(function(outward)) if condition == "flux" else Mixed(two, function(f"2*{HEAT} + {outward}"))
        )

    rules = {(0, 0): rule("-1"), (0, 1): rule("1")}
    assert least <= orders(errors(STILL, HEAT, reconstruction, end=0.1, rules=rules), cells).L1


@pytest.mark.parametrize(
    ("reconstruction", "cells", "least"), [(MC, (16, 32), 1.9), ("weno5", (12, 24), 4.5)]
)
def test_values_on_all_sides_of_a_square(reconstruction, cells, least):
    exact = "sin(2*pi*(x + 0.5*y - t))"
    physics = {
        "type": "advection_diffusion",
        "velocity": [1, 1],
        "diffusivity": 0.02,
        "source": "pi*cos(2*pi*(x + 0.5*y - t)) + 0.1*pi^2*sin(2*pi*(x + 0.5*y - t))",
    }
    rules = {(axis, end): Prescribed(function(exact)) for axis in (0, 1) for end in (0, 1)}
    assert least <= orders(errors(physics, exact, reconstruction, 2, 0.1, rules), cells).L1


def test_a_velocity_that_varies_is_carried_to_order_five():
    """∂_y of a flow that turns: products of means would stop at order 2."""
    exact = "2 + sin(2*pi*(x + y - t))"
    # u_t + ∂_x(a u) = s with a = 1 + 0.5 sin(2πy), which varies across the faces of x
    physics = {
        "type": "advection_diffusion",
        "velocity": ["1 + 0.5*sin(2*pi*y)", 0],
        "source": "pi*sin(2*pi*y)*cos(2*pi*(x + y - t))",
    }
    assert orders(errors(physics, exact, "weno5", 2, 0.1, fifth=True), (16, 32)).L1 >= 4.5
