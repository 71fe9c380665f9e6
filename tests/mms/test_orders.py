"""Order of convergence of every manufactured case on every element; three ranks find what one finds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import study
from crew import clean_environment, on_ranks

CASES = study.all_cases()
MATRIX = [
    (*key, cell, degree)
    for key, case in CASES.items()
    for dim in case.dimensions
    for cell in study.CELLS[dim]
    for degree in (1, 2)
]


def required(label: str, degree: int) -> float:
    """Return the least order: p + 0.9 in L2, p - 0.1 in H1."""
    return degree + 0.9 if label.endswith("_L2") else degree - 0.1


@pytest.mark.parametrize(("model", "name", "cell", "degree"), MATRIX)
def test_order(model: str, name: str, cell: str, degree: int) -> None:
    case = CASES[model, name]
    for label, order in study.orders(case, cell, degree).items():
        lowered = case.orders.get(label, 0.0)
        assert order >= required(label, degree) + lowered, f"{label}: order {order:.2f}"


def test_three_ranks_equal_one(tmp_path: Path, parallel_factorisation: None) -> None:
    """With the errors of one rank three have its orders, too."""
    command = [*on_ranks(3), sys.executable, study.__file__, str(tmp_path)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    one, three = study.table(), json.loads((tmp_path / "table.json").read_text())
    assert one.keys() == three.keys()
    for label, values in one.items():
        for name, value in values.items():
            # an error is a small difference of large numbers: rounding shows there first
            tolerance = 1e-10 if name.endswith("_norm") else 1e-7
            assert three[label][name] == pytest.approx(value, rel=tolerance), f"{label}: {name}"
