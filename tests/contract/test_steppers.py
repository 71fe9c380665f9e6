"""What every stepper promises: its order, exact restarts, and that a rejected step leaves no trace."""

import math
from copy import deepcopy

import pytest
from hosts import label, stepper_variants
from step_problems import difference, made, march, problem

VARIANTS = [(v["type"], v) for v in stepper_variants()]
IDS = [label(v) for _, v in VARIANTS]
FORGETFUL = "PETSc does not give the memory of its BDF away, so no step can be taken back"
steppers = pytest.mark.parametrize(("name", "given"), VARIANTS, ids=IDS)
tolerances = pytest.mark.parametrize("tolerance", [None, 1e-3], ids=["fixed", "adaptive"])


reversible = pytest.mark.parametrize(
    ("name", "given"),
    [
        pytest.param(n, v, marks=pytest.mark.xfail(reason=FORGETFUL, strict=True))
        if v.get("ts") == "bdf"
        else (n, v)
        for n, v in VARIANTS
    ],
    ids=IDS,
)


def times(*lengths):
    found = [0.0]
    for length in lengths:
        found.append(found[-1] + length)
    return found


@steppers
def test_reaches_its_order(name, given, tmp_path):
    errors = []
    for count in problem(made(name, given), tmp_path).counts:
        stepper = made(name, given)
        case = problem(stepper, tmp_path)
        end = march(case.system, stepper, case.start(), [i / count for i in range(count + 1)])
        errors.append(difference(end.values, case.exact(1.0)))
    # without rates there is nothing to approximate; solvers stop at a relative residual
    if stepper.order == 0:
        assert errors[-1] < 1e-7
    else:
        assert math.log2(errors[0] / errors[1]) > stepper.order - 0.2, errors


@reversible
@tolerances
def test_restart_equals_the_whole_run(name, given, tolerance, tmp_path):
    when = times(0.1, 0.1, 0.15, 0.05, 0.08, 0.1)
    stepper, again = made(name, given, tolerance), made(name, given, tolerance)
    case = problem(stepper, tmp_path)
    half = march(case.system, stepper, case.start(), when[:4])
    meta, arrays = deepcopy(stepper.history())
    assert all(key.group == "history" and key.field in half.values for key in arrays)
    whole = march(case.system, stepper, half, when[3:])
    again.restore(meta, arrays)
    rest = march(case.system, again, deepcopy(half), when[3:])
    assert difference(rest.values, whole.values) <= 1e-12


@reversible
@tolerances
def test_a_rejected_step_leaves_no_trace(name, given, tolerance, tmp_path):
    """State and memory afterwards are those of a stepper that never tried."""
    stepper, fresh = made(name, given, tolerance), made(name, given, tolerance)
    case = problem(stepper, tmp_path)
    state = march(case.system, stepper, case.start(), times(0.1, 0.1))
    same = march(case.system, fresh, case.start(), times(0.1, 0.1))
    before = deepcopy(state.values)
    stepper.step(case.system, state, 0.2, 0.15)
    assert difference(state.values, before) == 0
    shorter = [s.step(case.system, x, 0.2, 0.05) for s, x in ((stepper, state), (fresh, same))]
    assert difference(shorter[0].values, shorter[1].values) <= 1e-12
    errors = [result.error for result in shorter]
    assert errors == [None, None] or errors[0] == pytest.approx(errors[1], rel=1e-9)


@steppers
def test_error_estimate_is_relative_to_the_tolerance(name, given, tmp_path):
    found = []
    for tolerance in (1e-2, 1e-4):
        stepper = made(name, given, tolerance)
        case = problem(stepper, tmp_path)
        state = march(case.system, stepper, case.start(), times(*[0.05] * 4))
        found.append(stepper.step(case.system, state, state.t, 0.05).error)
    if found == [None, None]:
        pytest.skip("it has no error estimate")
    assert found[0] > 0 and found[1] == pytest.approx(100 * found[0], rel=1e-6)
