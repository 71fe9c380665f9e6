"""Expressions without a real, finite value: which part, where, when; never complex, never a traceback."""

import shutil

import case_runs
import pytest

DECKS = case_runs.DECKS / "40_expressions_of_time"
OF_TIME = {
    "complex_power_of_t": "'(2-t)^0.5' in '300 + 50*(2-t)^0.5' has no value where t = 3 s: -1 is negative",
    "sqrt_of_t": "'sqrt(5-t)' in '300 + sqrt(5-t)' has no value where t = 6 s: sqrt needs a number >= 0",
}
PLACE = "10:56: boundary[0].convection.ambient: "


@pytest.mark.parametrize("name", OF_TIME)
def test_of_time(name, tmp_path):
    shutil.copy(DECKS / f"{name}.yaml", tmp_path)
    for word, ranks in (("check", 1), ("run", 1), ("run", 2)):
        code, said = case_runs.command(tmp_path, word, f"{name}.yaml", ranks=ranks)
        case_runs.Outcome(code, said, tmp_path).refused(f"{name}.yaml:{PLACE}{OF_TIME[name]}")


HEAT = """\
plexus: 1
mesh: {{type: box, cell: quadrilateral, cells: [4, 2], size: [1, 0.2]}}
physics:
  {{type: heat, material: {{conductivity: "{k}", density: 1000, specific_heat: 100}}, source: "{source}"}}
boundary:
  - {{on: left, temperature: "{temperature}"}}
  - {{on: right, flux: "{flux}"}}
initial: {{temperature: "{initial}"}}
time: {{end: 2, step: 1}}
quantities: {{T: {{type: mean, of: temperature}}}}
"""
PLAIN = {"k": "50", "source": "0", "temperature": "300", "flux": "0", "initial": "300"}


def deck(folder, **given):
    """Write the deck with some values replaced; return the folder."""
    return case_runs.written(folder, HEAT.format(**(PLAIN | given)))


@pytest.mark.parametrize(
    ("slot", "text", "phrase"),
    [
        ("flux", "1/(t-1)", "'1/(t-1)' has no value where t = 1 s: division by zero"),
        ("flux", "exp(1000*t)", "exp overflows above 709, not 1000"),
        ("temperature", "300 + (1.5-t)^0.5", "-0.5 is negative and has no power 0.5"),
        ("k", "50/(1-t)", "division by zero"),
        ("source", "log(0 - t)", "log needs a number > 0, not -1"),
        ("source", "asin(t)", "asin needs a number from -1 to 1, not 2"),
    ],
)
def test_of_time_in_every_slot(slot, text, phrase, tmp_path):
    case_runs.checked(deck(tmp_path, **{slot: text})).refused(phrase, "deck.yaml:")


@pytest.mark.parametrize(
    "flux", ["where(t < 1.5, sqrt(1.5 - t), 0)", "sqrt(1.5 - t) if t < 1.5 else 0", "1/t"]
)
def test_a_branch_that_is_not_taken_may_fail(flux, tmp_path):
    found = case_runs.ran(deck(tmp_path, flux=flux)).quantities()
    assert found["T"] == pytest.approx(300, rel=1e-3)


@pytest.mark.parametrize(
    ("slot", "text", "code", "phrase", "ranks"),
    [
        ("k", "50*sqrt(0.5-x)", 3, "physics.material.conductivity: 'sqrt(0.5-x)' in", 2),
        ("temperature", "300 + (0.1-y)^0.5", 5, "has no value where x = 0 m, y = 0.2 m, t = ", 1),
        ("initial", "300/(x-0.5)", 5, "'300/(x-0.5)' has no value where x = 0.5 m", 2),
        ("flux", "(1.5 - t + 0*y)^0.5", 5, "boundary[1].flux.value: '(1.5 - t + 0*y)^0.5' has no value", 1),
        ("k", "50*sqrt(temperature - 350)", 5, "has no value where temperature = 300, x = 0.0528312 m", 2),
        ("flux", "1e3*(290 - temperature)^0.5", 5, "-10 is negative and has no power 0.5", 1),
    ],
)
def test_of_place_and_fields(slot, text, code, phrase, ranks, tmp_path):
    found = case_runs.ran(deck(tmp_path, **{slot: text}), ranks=ranks)
    assert (found.code, "Traceback" in found.said) == (code, False), found.said
    assert phrase in found.said, found.said
    assert "deck.yaml:" in found.said, found.said
