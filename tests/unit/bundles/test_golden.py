"""A part that does not answer its golden pair is refused, with part, error and tolerance in the sentence."""

import numpy as np
import pytest
import torch

from plexus.bundles.golden import Pair, replay
from plexus.errors import InputError

X = {"x": np.array([1.0, 2.0, -4.0])}


def pair(*values, **more):
    return Pair(X, {"y": np.array(values)}, **more)


def gives(*values):
    return lambda inputs: {"y": np.array(values)}


def test_the_call_gets_the_stored_inputs_and_its_error_comes_back():
    seen = []

    def law(inputs):
        seen.append(inputs["x"])
        return {"y": 2 * inputs["x"], "more": inputs["x"]}

    assert replay("law", pair(2.0, 4.0, -8.0), law) == 0
    assert seen[0] is X["x"]
    assert replay("law", pair(2.0, 4.0, -8.00001), law) == pytest.approx(1e-5 / 8, rel=1e-4)


def test_an_error_above_the_tolerance_is_told():
    with pytest.raises(InputError) as found:
        replay("drucker", pair(1.0, 2.0, 4.0, tolerance=1e-3), gives(1.0, 2.0, 4.01))
    text = str(found.value)
    assert "golden: drucker answers" in text and "error of 0.0025" in text and "tolerance of 0.001" in text
    assert found.value.exit_code == 2
    assert replay("drucker", pair(1.0, 2.0, 4.0, tolerance=3e-3), gives(1.0, 2.0, 4.01)) > 2e-3


@pytest.mark.parametrize("values", [(1.0, np.nan, 4.0), (1.0, np.inf, 4.0), (1.0, 2.0), (0.0, 0.0, 0.0)])
def test_other_answers_are_refused(values):
    with pytest.raises(InputError, match="golden: law"):
        replay("law", pair(1.0, 2.0, 4.0), gives(*values))


def test_numbers_that_were_none_must_stay_none():
    stored = pair(1.0, np.nan, np.inf)
    assert replay("law", stored, gives(1.0, np.nan, np.inf)) == 0
    with pytest.raises(InputError, match="relative error of inf"):
        replay("law", stored, gives(1.0, 2.0, np.inf))


def test_an_output_that_is_not_given_is_named():
    with pytest.raises(
        InputError, match=r"golden: law does not answer its stored inputs: it does not give y"
    ):
        replay("law", pair(1.0), lambda inputs: {"z": inputs["x"]})


def test_a_part_that_fails_on_its_inputs_is_told():
    with pytest.raises(
        InputError, match=r"golden: law does not answer its stored inputs: operands could not"
    ):
        replay("law", pair(1.0), lambda inputs: {"y": inputs["x"] + np.zeros(2)})


def test_complex_tensors_are_compared_by_size():
    stored = torch.tensor([3 + 4j, 0j], dtype=torch.complex128)
    made = Pair({}, {"f": stored}, 1e-3)
    assert replay("net", made, lambda _: {"f": stored * (1 + 1e-4j)}) == pytest.approx(1e-4)
    with pytest.raises(InputError, match=r"error of 0\.01"):
        replay("net", made, lambda _: {"f": stored * (1 + 1e-2j)})
