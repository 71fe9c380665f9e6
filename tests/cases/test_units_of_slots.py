"""Units of slots, of parameters and inside expressions: refused by check and by runs, at their place."""

import case_runs
import pytest

REFUSED = {
    "12_flux_unit": ("deck.yaml:8:31: boundary[1].flux.value: unit 'W' does not fit: expected W/m^2",),
    "24_units_of_parameters": (
        "deck.yaml:8:43: boundary[0].convection.coefficient: unit 'K' does not fit: expected W/(m^2 K)",
        "deck.yaml:8:57: boundary[0].convection.ambient: unit 'W/(m^2 K)' does not fit: expected K",
    ),
    "31_units_in_expressions": (
        "deck.yaml:8:28: physics.material.conductivity: unit 'MPa' does not fit: expected W/(m K)",
    ),
}


@pytest.mark.parametrize("ranks", case_runs.RANKS)
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, ranks, tmp_path):
    case_runs.check(case, tmp_path).refused(*REFUSED[case])
    # rank 0 reads the deck, whatever the number of ranks
    case_runs.run(case, tmp_path, ranks=ranks).refused(*REFUSED[case])
