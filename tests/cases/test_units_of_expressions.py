"""Units through every operation: expressions, right and wrong, in the places of a deck; nothing is run."""

from pathlib import Path

import pytest
import yaml

from plexus.deck.load import load
from plexus.errors import DeckError

DECK = """\
plexus: 1
parameters:
  {{h: 25 W/(m^2 K), T_a: 20 degC, T_0: 300 K, p: 2 MPa, L: 50 mm, k_0: 45 W/(m K), rho: 7800 kg/m^3,
    g: 9.81 m/s^2, tau: 30 s, n: 3, q: 1 kW/m^2, share: 5 %, angle: 30 deg, E_0: 210 GPa, f: 50 Hz,
    beta: 1e-3 1/K}}
mesh: {{type: box, cell: quadrilateral, cells: [2, 2], size: [1, 0.2]}}
physics:
  type: thermoelasticity
  geometry: plane_strain
  source: {source}
  material:
    {{density: 7800, specific_heat: 500, conductivity: {conductivity}, young_modulus: {young_modulus},
      poisson_ratio: {poisson_ratio}}}
boundary:
  - {{on: left, temperature: {temperature}, displacement: [{displacement}, 0]}}
  - {{on: right, convection: {{coefficient: {coefficient}, ambient: {ambient}}}, pressure: {pressure}}}
  - {{on: top, flux: {flux}}}
time: {{end: 100 s, step: 1 s, stepper: theta}}
quantities: {{number: {{type: mean, of: {of}}}}}
"""
PLAIN = {
    "source": 0, "conductivity": 50, "young_modulus": 2e11, "poisson_ratio": 0.3, "temperature": 300,
    "displacement": 0, "coefficient": 20, "ambient": 300, "pressure": 0, "flux": 0, "of": "temperature",
}  # fmt: skip
TABLE = yaml.safe_load((Path(__file__).parent / "expressions.yaml").read_text())
RIGHT, WRONG = TABLE["right"], TABLE["wrong"]


def check(folder, **given):
    """Read the deck with some values replaced."""
    path = folder / "deck.yaml"
    path.write_text(
        DECK.format(**{k: f'"{v}"' if isinstance(v, str) else v for k, v in (PLAIN | given).items()})
    )
    return load(path)


def test_there_are_enough():
    assert sum(map(len, RIGHT.values())) + sum(map(len, WRONG.values())) >= 200


@pytest.mark.parametrize("slot", RIGHT)
def test_right(slot, tmp_path):
    refused = []
    for text in RIGHT[slot]:
        try:
            check(tmp_path, **{slot: text})
        except DeckError as error:
            refused.append(str(error))
    assert not refused, "\n".join(refused)


@pytest.mark.parametrize("slot", WRONG)
def test_wrong(slot, tmp_path):
    taken = []
    for text, phrase in WRONG[slot]:
        try:
            check(tmp_path, **{slot: text})
        except DeckError as error:
            lines = str(error).splitlines()
            if len(lines) == 1 and phrase in lines[0] and "deck.yaml:" in lines[0]:
                continue
            taken.append(f"{text}: {phrase} is missing in {error}")
        else:
            taken.append(f"{text}: taken")
    assert not taken, "\n".join(taken)


def test_the_place_is_inside_the_text(tmp_path):
    with pytest.raises(DeckError) as caught:
        check(tmp_path, conductivity="k_0 + p")
    line = next(
        i for i, text in enumerate((tmp_path / "deck.yaml").read_text().splitlines(), 1) if "k_0 + p" in text
    )
    column = (tmp_path / "deck.yaml").read_text().splitlines()[line - 1].index("k_0 + p") + 1 + 6
    assert f"deck.yaml:{line}:{column}: physics.material.conductivity:" in str(caught.value)
