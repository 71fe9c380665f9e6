"""Coefficients whose slope is infinite where a solve begins."""

import case_runs
import pytest

CASE = "20_natural_convection"
RIGHT = 300 + (1e4 * 0.1 / 1.4) ** 0.8


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_natural_convection(ranks, tmp_path):
    assert case_runs.run(CASE, tmp_path, ranks=ranks).quantities()["T"] == pytest.approx(RIGHT, rel=1e-3)


@pytest.mark.parametrize(
    "load",
    [
        "boundary[0].convection.coefficient=1.4*sqrt(sqrt(abs(temperature - 300)))",
        "boundary[0].convection.coefficient=1.4*max(temperature - 300, 0)^0.25",
        "boundary[0]={on: right, flux: '-1.4*abs(temperature - 300)^0.25*(temperature - 300)'}",
    ],
)
def test_other_ways_to_say_it(load, tmp_path):
    assert case_runs.run(CASE, tmp_path, "-s", load).quantities()["T"] == pytest.approx(RIGHT, rel=1e-3)


def test_a_conductivity_with_a_kink_at_the_start(tmp_path):
    # dθ/dx from k = 1 + θ^(1/2), θ = T - 300: θ + 2/3 θ^(3/2) = q L
    kink = "physics.material.conductivity=1 + abs(temperature - 300)^0.5"
    ends = "boundary=[{on: left, temperature: 300}, {on: right, flux: 5000}]"
    found = case_runs.run(CASE, tmp_path, "-s", kink, "-s", ends, "-s", "physics.source=0").quantities()["T"]
    theta = found - 300
    assert theta + 2 / 3 * theta**1.5 == pytest.approx(500, rel=2e-2)
