"""Contacts between regions against closed forms and an independent scheme: walls, cylinders, in time."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import verification_page

from plexus.deck.schema import Deck
from plexus.errors import InputError, SolveError

K1, K2, R = 2.0, 5.0, 0.3
DIMENSIONS = {"line": 1, "triangle": 2, "quadrilateral": 2, "tetrahedron": 3, "hexahedron": 3}
HALVES = {"one": "x < 1", "two": "x > 1"}
CONTACT = {"on": "one|two", "contact": {"resistance": R}}
SIDES = {name: {"interface": "one|two", "from": name} for name in HALVES}


def run(folder: Path, **blocks: Any) -> dict[str, float]:
    """Run a deck given as blocks and return its quantities."""
    data = {"plexus": 1, **blocks}
    deck = Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})
    return verification_page.run(deck, folder)["quantities"]


def bar(cell: str = "line", n: int = 6) -> dict[str, Any]:
    """Return a bar from x = 0 to 2, 1 wide, with the contact in the middle."""
    dim = DIMENSIONS[cell]
    if dim == 1:
        return {"type": "interval", "cells": n, "size": 2, "regions": HALVES}
    return {
        "type": "box",
        "cell": cell,
        "cells": [n, *[2] * (dim - 1)],
        "size": [2, *[1] * (dim - 1)],
        "regions": HALVES,
    }


def heat(degree: int = 1, **more: Any) -> dict[str, Any]:
    """Return the physics of two conductors."""
    return {
        "type": "heat",
        "degree": degree,
        "material": {"conductivity": {"regions": {"one": K1, "two": K2}}},
        **more,
    }


def exchanged(side: Any) -> dict[str, Any]:
    """Return the quantity of what boundary terms let out on one side."""
    return {"type": "flux", "of": "heat_flux", "on": side, "by": "terms"}


def faces(by: str = "gradients") -> dict[str, Any]:
    """Return the mean temperature of both faces of the contact, and the heat through each."""
    means = {f"face_{n}": {"type": "mean", "of": "temperature", "on": side} for n, side in SIDES.items()}
    return means | {
        f"out_of_{n}": {"type": "flux", "of": "heat_flux", "on": side, "by": by} for n, side in SIDES.items()
    }


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("cell", DIMENSIONS)
def test_wall_with_convection_on_both_sides(cell: str, degree: int, tmp_path: Path) -> None:
    found = run(
        tmp_path, mesh=bar(cell), physics=heat(degree),
        boundary=[
            {"on": "left", "convection": {"coefficient": 4, "ambient": 500}},
            {"on": "right", "convection": {"coefficient": 10, "ambient": 300}},
            CONTACT,
        ],
        quantities={
            **faces(), **{f"exchanged_{n}": exchanged(side) for n, side in SIDES.items()},
            "loss": {"type": "flux", "of": "heat_flux", "on": "right", "by": "terms"},
            "inside": {"type": "value", "of": "temperature", "at": [0.5, *[0.4] * (DIMENSIONS[cell] - 1)]},
            "largest_of_two": {"type": "maximum", "of": "temperature", "region": "two"},
        },
    )  # fmt: skip
    # resistances in a row: 1/4 + 1/k_1 + R + 1/k_2 + 1/10
    q = 200 / (0.25 + 1 / K1 + R + 1 / K2 + 0.1)
    one = 500 - q * (0.25 + 1 / K1)
    expected = {
        "face_one": one, "face_two": one - q * R, "out_of_one": q, "out_of_two": -q, "exchanged_one": q,
        "exchanged_two": -q, "loss": q, "inside": 500 - q * (0.25 + 0.5 / K1), "largest_of_two": one - q * R,
    }  # fmt: skip
    # a Krylov method solves what no value is prescribed for
    assert found == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("geometry", ["plane", "axisymmetric"])
def test_cylinder_of_two_shells(geometry: str, tmp_path: Path) -> None:
    a, b, c, length = 1.0, 1.5, 2.5, 0.4
    # lattice x = 0 to 2: the first half goes from a to b, the second from b to c
    radius = f"where(x < 1, {a} + {b - a}*x, {b} + {c - b}*(x - 1))"
    box = {"type": "box", "cell": "quadrilateral", "degree": 2, "cells": [16, 4]}
    if geometry == "plane":
        angle = "0.3*y"
        mesh = {**box, "size": [2, 1], "map": [f"({radius})*cos({angle})", f"({radius})*sin({angle})"]}
        limit, share = f"x^2 + y^2 < {b**2}", 0.3
    else:
        mesh = {**box, "size": [2, length], "map": [radius, "y"]}
        limit, share = f"x < {b}", 2 * math.pi * length
    mesh["regions"] = {"one": limit, "two": limit.replace("<", ">")}
    more = {"geometry": "axisymmetric"} if geometry == "axisymmetric" else {}
    found = run(
        tmp_path, mesh=mesh, physics=heat(2, **more), quantities=faces("terms"),
        boundary=[{"on": "left", "temperature": 400}, {"on": "right", "temperature": 300}, CONTACT],
    )  # fmt: skip
    # per angle and length, with the contact on an area of b
    flow = 100 / (math.log(b / a) / K1 + R / b + math.log(c / b) / K2)
    one = 400 - flow * math.log(b / a) / K1
    assert found["face_one"] == pytest.approx(one, rel=1e-6)
    assert found["face_two"] == pytest.approx(one - flow * R / b, rel=1e-6)
    assert found["out_of_one"] == pytest.approx(flow * share, rel=1e-6)
    assert found["out_of_two"] == pytest.approx(-flow * share, rel=1e-6)


def test_conductivity_and_contact_that_depend_on_the_temperature(tmp_path: Path) -> None:
    table = {"table": [[300, 1], [500, 3]], "of": "temperature"}
    found = run(
        tmp_path, mesh=bar("triangle", 24),
        physics={"type": "heat", "degree": 2, "material": {"conductivity": "1 + temperature/200"}},
        boundary=[
            {"on": "left", "temperature": 500}, {"on": "right", "temperature": 300},
            {"on": "one|two", "contact": {"conductance": table}},
        ],
        quantities=faces("terms"),
    )  # fmt: skip

    # Kirchhoff: q = w(500) - w(T_1) = w(T_2) - w(300), w = T + T²/400, and q = h(T_1/2 + T_2/2) (T_1 - T_2)
    def level(flow: float) -> float:
        return 200 * (math.sqrt(1 + flow / 100) - 1)

    def excess(q: float) -> float:
        one, two = (level(w) for w in (500 + 500**2 / 400 - q, 300 + 300**2 / 400 + q))
        return (1 + ((one + two) / 2 - 300) / 100) * (one - two) - q

    low, high = 0.0, 312.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    assert found["out_of_one"] == pytest.approx(low, rel=1e-6)
    assert found["out_of_two"] == pytest.approx(-low, rel=1e-6)
    assert found["face_one"] == pytest.approx(level(500 + 500**2 / 400 - low), rel=1e-6)


def test_limits_are_the_bond_and_the_insulation(tmp_path: Path) -> None:
    ends = [{"on": "left", "temperature": 400}, {"on": "right", "temperature": 300}]

    def flow(*more: Any) -> dict[str, float]:
        asked = faces("terms" if more else "gradients")
        return run(
            tmp_path, mesh=bar("quadrilateral"), physics=heat(), boundary=[*ends, *more], quantities=asked
        )

    bonded = flow()
    thin = flow({"on": "one|two", "contact": {"resistance": 1e-6}})
    assert thin == pytest.approx(bonded, rel=3e-6)
    closed = flow({"on": "one|two", "contact": {"conductance": 0}})
    assert closed == pytest.approx(
        {"face_one": 400, "face_two": 300, "out_of_one": 0, "out_of_two": 0}, abs=1e-9
    )
    thick = flow({"on": "one|two", "contact": {"resistance": 1e9}})
    assert thick["out_of_one"] == pytest.approx(1e-7, rel=1e-6)


@pytest.mark.parametrize("resistance", [1e-3, 1.0, 1e5, 1e9, 1e15])
def test_a_part_is_held_through_its_contact_however_weak(resistance: float, tmp_path: Path) -> None:
    found = run(
        tmp_path, mesh=bar("triangle"), physics=heat(), quantities=faces("terms"),
        boundary=[
            {"on": "left", "temperature": 400}, {"on": "right", "flux": 3},
            {"on": "one|two", "contact": {"resistance": resistance}},
        ],
    )  # fmt: skip
    # the heat that enters on the right leaves on the left
    one = 400 + 3 / K1
    expected = {"face_one": one, "face_two": one + 3 * resistance, "out_of_one": -3, "out_of_two": 3}
    assert {n: found[n] for n in ("face_one", "face_two")} == pytest.approx(
        {n: expected[n] for n in ("face_one", "face_two")}, rel=1e-9
    )
    # a difference of levels tells the flow as well as the levels are known
    assert found["out_of_two"] == pytest.approx(3, rel=1e-6)


def test_an_inclusion_that_only_touches(tmp_path: Path) -> None:
    """A core with a source, in contact all around: what it makes leaves through the contact."""
    core = "(abs(x - 0.5) < 0.25) * (abs(y - 0.5) < 0.25)"
    mesh = {
        "type": "box",
        "cell": "triangle",
        "cells": [8, 8],
        "regions": {"core": core, "rest": f"1 - {core}"},
    }
    found = run(
        tmp_path, mesh=mesh,
        physics={"type": "heat", "degree": 1, "material": {"conductivity": 1},
                 "source": {"regions": {"core": 100, "rest": 0}}},
        boundary=[{"on": "exterior", "temperature": 300}, {"on": "core|rest", "contact": {"resistance": R}}],
        quantities={
            "out": exchanged({"interface": "core|rest", "from": "core"}),
            "away": {"type": "reaction", "of": "temperature", "on": "exterior"},
            "inner": {"type": "mean", "of": "temperature", "on": {"interface": "core|rest", "from": "core"}},
            "outer": {"type": "mean", "of": "temperature", "on": {"interface": "core|rest", "from": "rest"}},
        },
    )  # fmt: skip
    assert found["out"] == pytest.approx(25, rel=1e-9)
    assert found["away"] == pytest.approx(-25, rel=1e-9)
    # the mean jump is R times the mean flux, 25 W/m over a rim of 2 m
    assert found["inner"] - found["outer"] == pytest.approx(R * 25 / 2, rel=1e-9)


def test_a_cut_that_ends_inside_the_body(tmp_path: Path) -> None:
    """Two blocks below a third, in contact with each other only."""
    blocks = {"one": "(x < 0.5) * (y < 0.5)", "two": "(x > 0.5) * (y < 0.5)", "top": "y > 0.5"}

    def jump(resistance: float) -> float:
        corner = {"type": "mean", "of": "temperature", "on": SIDES["one"]}
        found = run(
            tmp_path, mesh={"type": "box", "cell": "quadrilateral", "cells": [8, 8], "regions": blocks},
            physics={"type": "heat", "degree": 1, "material": {"conductivity": 1}},
            boundary=[{"on": "left", "temperature": 400}, {"on": "right", "temperature": 300},
                      {"on": "one|two", "contact": {"resistance": resistance}}],
            quantities={
                "one": corner, "two": {**corner, "on": SIDES["two"]},
                "in": {"type": "reaction", "of": "temperature", "on": "left"},
                "out": {"type": "reaction", "of": "temperature", "on": "right"},
            },
        )  # fmt: skip
        assert found["in"] == pytest.approx(-found["out"], rel=1e-9)
        return found["one"] - found["two"]

    assert abs(jump(1e-5)) < 1e-2
    assert 5 < jump(1.0) < jump(1e6) < 100


RHO_C = {"one": 3.0, "two": 1.5}


def volumes(n: int, end: float, resistance: Any) -> np.ndarray:
    """Return the temperatures of both faces by finite volumes, backward differences extrapolated in dt."""

    def march(steps: int) -> np.ndarray:
        dx, dt = 1.0 / n, end / steps
        k = np.repeat([K1, K2], n)
        c = np.repeat([RHO_C["one"], RHO_C["two"]], n) * dx
        u = np.full(2 * n, 300.0)
        for step in range(steps):
            t = (step + 1) * dt
            g = 2 / (dx / k[:-1] + dx / k[1:])
            g[n - 1] = 1 / (dx / (2 * K1) + resistance(t) + dx / (2 * K2))
            a = np.diag(c / dt + np.append(g, 0) + np.append(0, g)) - np.diag(g, 1) - np.diag(g, -1)
            a[0, 0] += 2 * K1 / dx
            b = c / dt * u
            b[0] += 2 * K1 / dx * 400
            u = np.linalg.solve(a, b)
        q = g[n - 1] * (u[n - 1] - u[n])
        return np.array([u[n - 1] - q * dx / (2 * K1), u[n] + q * dx / (2 * K2)])

    return 2 * march(400) - march(200)


LAWS: dict[str, Callable[[float], float]] = {"0.3": lambda t: 0.3, "0.1 + 0.5*t": lambda t: 0.1 + 0.5 * t}


@cache
def heated(resistance: str, end: float) -> np.ndarray:
    """Return the temperatures of both faces; the scheme is of second order in the cells."""
    coarse, fine = (volumes(n, end, LAWS[resistance]) for n in (20, 40))
    return (4 * fine - coarse) / 3


STEPPERS = [
    {"type": "theta", "theta": 0.5},
    {"type": "theta", "theta": 1},
    {"type": "bdf2"},
    {"type": "petsc_ts", "ts": "bdf"},
]


@pytest.mark.parametrize("stepper", STEPPERS, ids=lambda s: "-".join(map(str, s.values())))
@pytest.mark.parametrize("resistance", LAWS)
def test_heating_through_a_contact_in_time(stepper: dict[str, Any], resistance: str, tmp_path: Path) -> None:
    end = 0.3
    found = run(
        tmp_path, mesh=bar("line", 40), quantities=faces("terms"), initial={"temperature": 300},
        physics={
            "type": "heat", "degree": 2,
            "material": {"conductivity": {"regions": {"one": K1, "two": K2}}, "density": 1,
                         "specific_heat": {"regions": RHO_C}},
        },
        boundary=[
            {"on": "left", "temperature": 400},
            {"on": "one|two", "contact": {"resistance": resistance}},
        ],
        time={"stepper": stepper, "step": 0.002, "end": end},
    )  # fmt: skip
    exact = heated(resistance, end)
    faces_of = [found["face_one"], found["face_two"]]
    first_order = stepper == {"type": "theta", "theta": 1}
    assert faces_of == pytest.approx(exact.tolist(), rel=5e-4 if first_order else 2e-5)
    assert found["out_of_one"] == pytest.approx((exact[0] - exact[1]) / LAWS[resistance](end), rel=5e-3)
    assert found["out_of_one"] == pytest.approx(-found["out_of_two"], rel=1e-9)


def test_one_held_side_of_an_interface(tmp_path: Path) -> None:
    """The face of `two` is kept at a temperature; `one` is heated through the contact."""
    found = run(
        tmp_path, mesh=bar("triangle"), physics=heat(),
        boundary=[{"on": "left", "temperature": 400}, {"on": SIDES["two"], "temperature": 350},
                  {"on": "right", "temperature": 300}, CONTACT],
        quantities={**faces(), "exchanged": exchanged(SIDES["one"])},
    )  # fmt: skip
    q = 50 / (1 / K1 + R)
    assert found["face_one"] == pytest.approx(400 - q / K1, rel=1e-9)
    assert found["face_two"] == pytest.approx(350, rel=1e-9)
    assert found["exchanged"] == pytest.approx(q, rel=1e-9)
    assert found["out_of_two"] == pytest.approx(-50 * K2, rel=1e-9)


def test_one_held_side_and_a_load_on_the_other(tmp_path: Path) -> None:
    """The face of `one` is kept at a temperature; heat is made and carried off on that of `two`."""
    found = run(
        tmp_path, mesh=bar("triangle"), physics=heat(), quantities=faces("gradients"),
        boundary=[{"on": "left", "temperature": 400}, {"on": SIDES["one"], "temperature": 360},
                  {"on": "right", "temperature": 300}, CONTACT, {"on": SIDES["two"], "flux": 50},
                  {"on": SIDES["two"], "convection": {"coefficient": 5, "ambient": 300}}],
    )  # fmt: skip
    # what comes through the contact and 50 leave through `two` and to the fluid, both of 300
    face = 300 + (60 / R + 50) / (1 / R + K2 + 5)
    assert found["face_one"] == pytest.approx(360, rel=1e-9)
    assert found["face_two"] == pytest.approx(face, rel=1e-9)
    assert found["out_of_two"] == pytest.approx(-(face - 300) * K2, rel=1e-7)


def test_heat_made_in_the_contact(tmp_path: Path) -> None:
    """Friction: a flux onto one side of the contact; a part of it crosses to the other side."""
    found = run(
        tmp_path, mesh=bar("quadrilateral"), physics=heat(), quantities=faces(),
        boundary=[{"on": "left", "temperature": 300}, {"on": "right", "temperature": 300}, CONTACT,
                  {"on": SIDES["one"], "flux": 90}],
    )  # fmt: skip
    # both ways end at 300: 1/k_1, and R + 1/k_2
    across = 90 / K1 / (1 / K1 + R + 1 / K2)
    assert found["face_two"] == pytest.approx(300 + across / K2, rel=1e-9)
    assert found["face_one"] == pytest.approx(300 + (90 - across) / K1, rel=1e-9)


DIFFUSION = {"type": "diffusion", "field": "salt", "unit": "mol/m^3", "coefficient": "2 m^2/s", "degree": 1}


def test_any_diffusing_quantity(tmp_path: Path) -> None:
    found = run(
        tmp_path, mesh=bar("triangle"), physics=DIFFUSION,
        boundary=[{"on": "left", "salt": 4}, {"on": "right", "salt": 0},
                  {"on": "one|two", "contact": {"resistance": "0.25 s/m"}}],
        quantities={"through": {"type": "flux", "of": "salt_flux", "on": SIDES["two"], "by": "terms"}},
    )  # fmt: skip
    assert found["through"] == pytest.approx(-4 / (0.5 + 0.25 + 0.5), rel=1e-9)


def test_what_cannot_be_solved_is_told(tmp_path: Path) -> None:
    held = {"on": "left", "temperature": 400}

    def tried(resistance: Any, *more: Any, physics: Any = None) -> dict[str, float]:
        contact = {"on": "one|two", "contact": resistance}
        return run(
            tmp_path,
            mesh=bar("triangle"),
            physics=physics or heat(),
            boundary=[contact, *more],
            quantities=faces(),
        )

    with pytest.raises(SolveError, match="no condition holds the body"):
        tried({"conductance": 0}, held, {"on": "right", "flux": 3})
    with pytest.raises(SolveError, match="rounding would decide"):
        tried({"resistance": 1e-13}, held, {"on": "right", "temperature": 300})
    with pytest.raises(SolveError, match="nothing holds their common level"):
        tried({"resistance": 1e8}, {"on": "left", "flux": 3}, {"on": "right", "flux": -3})
    with pytest.raises(InputError, match="the resistance is not positive, -0"):
        tried({"resistance": "y - 0.5"}, held, {"on": "right", "temperature": 300})
    with pytest.raises(InputError, match="the conductance is negative"):
        tried({"conductance": "temperature/350 - 1"}, held, {"on": "right", "temperature": 100})
