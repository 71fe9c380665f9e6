"""Tables of measurements: units in the header, rows that were not measured, what is wrong with its line."""

import numpy as np
import pytest

from plexus.errors import InputError
from plexus.io import tables
from plexus.io.series import Series

TEXT = """# a remark
time [s]; T_1 [degC]; n
0.0; 20; 1

0.5; nan; 2
1.0; ; 3
1.5; 30.5; 4
"""


def test_columns_come_in_the_unit_that_is_asked_for():
    table = tables.parse(TEXT, "a.csv")
    assert table.time == "time"
    np.testing.assert_allclose(table.column("T_1", "K"), [293.15, np.nan, np.nan, 303.65])
    np.testing.assert_allclose(table.column("time", "min"), np.array([0, 0.5, 1, 1.5]) / 60)
    np.testing.assert_allclose(table.column("n", "1"), [1, 2, 3, 4])


def test_rows_that_were_not_measured_are_counted_and_named():
    table = tables.parse(TEXT, "a.csv")
    bad = ~np.isfinite(table.column("T_1", "K"))
    rest, told = table.without(bad)
    assert told == "a.csv: no number in 2 of 4 rows (lines 5, 6): left out"
    assert list(rest.lines) == [3, 7] and len(rest.columns["time"]) == 2


WRONG = {
    "a.csv:1: a table has a line of names": "time [s], T [K]\n",
    "a.csv:3: 3 cells for 2 columns": "time [s], T [K]\n0, 1\n0, 1, 2\n",
    "a.csv:1: the first line holds names": "0, 1\n0, 1\n",
    "a.csv:1: column 'T': unknown unit 'Kk'": "T [Kk]\n1\n",
    "a.csv:1: two columns are called 'T'": "T [K], T [K]\n1, 2\n",
}


@pytest.mark.parametrize("message", WRONG)
def test_mistakes_are_told_with_their_line(message):
    with pytest.raises(InputError) as error:
        tables.parse(WRONG[message], "a.csv")
    assert str(error.value).startswith(message)


def test_words_are_refused_in_columns_that_are_asked_for():
    table = tables.parse("time [s], T [K], who\n0, 300, me\n1, warm, you\n2, -, me\n", "a.csv")
    assert list(table.column("time", "s")) == [0, 1, 2]
    with pytest.raises(InputError, match=r"a.csv:3: column 'T': 'warm' is not a finite number"):
        table.column("T", "K")


def test_a_column_with_another_unit_or_none_is_refused():
    table = tables.parse("time [s], T [m], U\n0, 1, 2\n", "a.csv")
    with pytest.raises(InputError, match=r"a.csv:1: column 'T': unit 'm' does not fit: expected K"):
        table.column("T", "K")
    with pytest.raises(InputError, match=r"column 'U' states no unit: write it into the header, such as"):
        table.column("U", "K")
    with pytest.raises(InputError, match="no column is called 'TT'"):
        table.column("TT", "K")
    with pytest.raises(InputError, match="no column is called time"):
        _ = tables.parse("T [K]\n1\n", "a.csv").time


def test_histories_of_a_run_are_tables(tmp_path):
    series = Series(tmp_path / "series.h5")
    for k in range(3):
        series.add("probes/a", {"step": k, "time": 0.1 * k, "temperature": 300.0 + k}, {"temperature": "K"})
    series.fact("probes/a", "positions", np.array([[0.5, 0.5]]))
    series.flush(force=True)
    table = tables.read(tmp_path / "series.h5", "probes/a")
    np.testing.assert_allclose(table.column("temperature", "degC"), np.array([300, 301, 302]) - 273.15)
    assert table.facts["positions"].tolist() == [[0.5, 0.5]]
    with pytest.raises(InputError, match="no table is called 'probes/b'; did you mean 'probes/a'"):
        tables.read(tmp_path / "series.h5", "probes/b")
