"""What no machine can hold is refused before the first array is made, at the number that is too large."""

import pytest

from plexus.errors import InputError

TIME = "time: {stepper: STEPPER, end: 1, step: 0.1}\n"
DECKS = {
    "mesh.cells": (
        "mesh: {type: periodic, cells: [10000000000000], size: [22]}\n"
        "physics: {type: kuramoto_sivashinsky}\n" + TIME.replace("STEPPER", "etdrk4")
    ),
    "mesh.cells ": (
        "mesh: {type: interval, cells: 100000000000}\n"
        "physics: {type: advection_diffusion, velocity: [1]}\n" + TIME.replace("STEPPER", "ssp_rk")
    ),
    "physics": "physics: {type: lorenz96, n: 100000000000}\n" + TIME.replace("STEPPER", "runge_kutta"),
    "ensemble.members": (
        "physics: {type: lorenz96, n: 8}\nensemble: {members: 10000000000000}\n"
        + TIME.replace("STEPPER", "runge_kutta")
    ),
    "ensemble.members ": (
        "mesh: {type: periodic, cells: [8], size: [22]}\nphysics: {type: kuramoto_sivashinsky}\n"
        "ensemble: {members: 10000000000000}\n" + TIME.replace("STEPPER", "etdrk4")
    ),
}


@pytest.mark.parametrize("place", DECKS)
def test_too_much_is_refused_with_its_place(make_run, place):
    with pytest.raises(InputError, match=rf"{place.strip()}: .* needs? more than .* GB"):
        make_run("plexus: 1\n" + DECKS[place])
