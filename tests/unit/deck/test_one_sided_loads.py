"""`plexus check` tells loads that cannot balance where the deck's numbers say so, and says nothing else."""

import pytest

from plexus.deck.doubts import doubts
from plexus.deck.load import load

HEAD = "plexus: 1\nmesh: {type: box, cell: triangle, cells: [2, 2]}\n"
SCALAR = HEAD + "physics: {type: diffusion, coefficient: 1, source: SOURCE}\nboundary: [TERMS]\n"
BODY = HEAD + (
    "physics: {type: elasticity, geometry: plane_stress, material: {young_modulus: 1 GPa, poisson_ratio: 0.3}"
    "MORE}\nboundary: [TERMS]\n"
)
FLUX = "{on: left, flux: VALUE}"
PULL = "{on: left, traction: [VALUE, 0]}"
FORCE = "{on: right, force: [0, 5 N]}"


def told(text: str, tmp_path) -> list[str]:
    path = tmp_path / "deck.yaml"
    path.write_text(text)
    return [line for line in doubts(load(path)) if "do not balance" in line]


@pytest.mark.parametrize(
    ("source", "terms", "place"),
    [
        ("1", "", "physics.source: all loads on u "),
        ("-2", FLUX.replace("VALUE", "-1"), "physics.source"),
        ("0", FLUX.replace("VALUE", "3"), "boundary[0].flux"),
        ("0", "", None),
        ("1", FLUX.replace("VALUE", "-1"), None),
        ("x", "", None),
        ("1", FLUX.replace("VALUE", "'-y'"), None),
        ("1", "{on: left, u: 0}", None),
        ("1", "{on: left, robin: {coefficient: 1, value: 2}}", None),
    ],
)
def test_a_scalar_without_a_level(source, terms, place, tmp_path):
    found = told(SCALAR.replace("SOURCE", source).replace("TERMS", terms), tmp_path)
    assert len(found) == (place is not None)
    assert place is None or (place in found[0] and "deck.yaml:" in found[0])


@pytest.mark.parametrize(
    ("more", "terms", "names"),
    [
        ("", PULL.replace("VALUE", "1"), ["displacement_x"]),
        ("", f"{PULL.replace('VALUE', '1')}, {FORCE}", ["displacement_x", "displacement_y"]),
        (", body_force: [0, -3 N/m^3]", "{on: left, displacement_x: 0}", ["displacement_y"]),
        (", body_force: [0, -3 N/m^3]", FORCE, []),
        ("", f"{PULL.replace('VALUE', '1')}, {{on: right, displacement_x: 0}}", []),
        ("", f"{PULL.replace('VALUE', '1')}, {{on: right, pressure: 1}}", []),
        ("", f"{PULL.replace('VALUE', '1')}, {{on: right, normal: 0}}", []),
    ],
)
def test_a_body_that_may_move(more, terms, names, tmp_path):
    found = told(BODY.replace("MORE", more).replace("TERMS", terms), tmp_path)
    assert len(found) == len(names) and all(n in line for n, line in zip(names, found, strict=True))


def test_a_march_needs_no_balance(tmp_path):
    march = SCALAR.replace("SOURCE", "1").replace("TERMS", "").replace("source", "capacity: 1, source")
    assert told(march + "time: {end: 1 s, step: 1 s}\n", tmp_path) == []
