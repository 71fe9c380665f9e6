"""Loads that come and go while steps pass, schedules far from zero: right values on any steps, or a word."""

import case_runs
import pytest
from case_runs import RANKS, changes

PULSE = "16_pulse_stepped_over"
RIGHT = 300 + 1e6 / (7800 * 500 * 0.01)
STEPPERS = {
    "bdf2": ("time.stepper=bdf2",),
    "backward_euler": ("time.stepper=theta",),
    "midpoint": ("time.stepper.type=theta", "time.stepper.theta=0.5"),
    "petsc_ts": (
        "time.stepper.type=petsc_ts", "time.stepper.ts=bdf", "time.adaptive=null", "time.step=20 s",
        "time.hit=[500, 501]",
    ),
    "fixed": ("time.adaptive=null", "time.step=20 s", "time.hit=[500 s, 501 s]"),
    "lumped": ("physics.capacity=lumped",),
}  # fmt: skip


@pytest.mark.parametrize("ranks", RANKS)
def test_a_pulse_is_seen_by_adaptive_steps(tmp_path, ranks):
    found = case_runs.run(PULSE, tmp_path, ranks=ranks)
    assert found.quantities()["T"] == pytest.approx(RIGHT, rel=1e-6)


@pytest.mark.parametrize("name", STEPPERS)
def test_every_stepper_sees_both_sides_of_a_pulse(tmp_path, name):
    found = case_runs.run(PULSE, tmp_path, *changes(*STEPPERS[name]))
    assert found.quantities()["T"] == pytest.approx(RIGHT, rel=1e-6)


LOADS = {
    "closed ends": ("where((t >= 500)*(t <= 501), 1e6, 0)", 1e6),
    "steps": ("1e6*(heaviside(t-500) - heaviside(t-501))", 1e6),
    "logic": ("1e6 if t > 500 and not t > 501 else 0", 1e6),
    "nonlinear": ("where((t/100)^2 > 25, 1e6, 0)*where(log(t) < log(501), 1, 0)", 1e6),
    "ramp": ("1e5*(ramp((t-500)/10) - ramp((t-510)/10))", 1e6),
    "triangle": ("1e5*max(0, 10 - abs(t-500))/10", 1e6),
    "wave": ("where(t % 100 < 1, 1e5, 0)", 1e6),
    "overflow": ("5e3*where(floor(exp(1000*t)) > 3, 1, 2)", 5e6),
    "sine wave": ("where(sin(2*pi*t/100) > 0, 1e4, 0)", 5e6),
}


@pytest.mark.parametrize("name", LOADS)
def test_times_are_found_in_any_form(tmp_path, name):
    load, heat = LOADS[name]
    found = case_runs.run(PULSE, tmp_path, "-s", f"boundary[0].flux.value={load!r}")
    assert found.quantities()["T"] == pytest.approx(300 + heat / 39000, rel=1e-3)


def test_fixed_steps_that_pass_over_a_pulse_are_told(tmp_path):
    words = changes("time.adaptive=null", "time.step=20 s")
    for found in (case_runs.check(PULSE, tmp_path, *words), case_runs.run(PULSE, tmp_path, *words)):
        assert found.code == 0
        assert "deck.yaml:7:30: boundary[0].flux.value: changes at 500 s and 501 s" in found.said
        assert "`time.hit: [500, 501]`" in found.said
    right = case_runs.check(PULSE, tmp_path, *words, "-s", "time.hit=[500, 501]")
    assert "warning" not in right.said
    aligned = case_runs.check(PULSE, tmp_path, *changes("time.adaptive=null", "time.step=0.5 s"))
    assert "warning" not in aligned.said


def test_times_that_depend_on_the_place_are_told(tmp_path):
    moving = "boundary[0].flux.value='where(y < 0.001*t, 1e6, 0)'"
    found = case_runs.check(PULSE, tmp_path, "-s", moving)
    assert "changes at a time that depends on the place" in found.said


@pytest.mark.parametrize(
    ("hit", "word"), [("[2, 1]", "must increase"), ("[1500 s]", "not between"), ("[5 m]", "expected s")]
)
def test_wrong_times_to_hit_are_refused(tmp_path, hit, word):
    case_runs.check(PULSE, tmp_path, "-s", f"time.hit={hit}").refused("time", word)


def test_a_restart_at_a_jump_changes_nothing(tmp_path):
    times = "output=[{type: checkpoint, every: {times: [500 s, 501 s]}, keep: 9}]"
    whole = case_runs.run(PULSE, tmp_path, "-s", times)
    right = whole.quantities()["T"]
    for file in sorted(whole.folder.glob("checkpoint_*.h5"))[:2]:
        again = case_runs.run(PULSE, tmp_path / file.stem, "-s", times, "--restart", str(file))
        assert again.quantities()["T"] == right


@pytest.mark.parametrize("start", [864000.0, 1e7, -864000.0])
def test_schedules_hold_far_from_zero(tmp_path, start):
    words = (
        f"time={{stepper: bdf2, start: {start}, end: {start + 1}, step: 0.01 s}}",
        "output=[{type: fields, every: 0.05 s}]", "boundary=[]",
    )  # fmt: skip
    found = case_runs.run(PULSE, tmp_path, *changes(*words))
    assert found.summary()["steps"] == 100
