"""Order of convergence of every manufactured case on every element, and on three ranks."""

from __future__ import annotations

import json
import math
import subprocess
import sys

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


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, parallel_factorisation: None) -> tuple[dict, dict]:
    """Return the quantities of the same cases on one rank and on three."""
    folder = tmp_path_factory.mktemp("ranks")
    command = [*on_ranks(3), sys.executable, study.__file__, str(folder)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stderr[-3000:]
    return study.table(), json.loads((folder / "table.json").read_text())


def test_three_ranks_equal_one(tables: tuple[dict, dict]) -> None:
    one, three = tables
    assert one.keys() == three.keys()
    for label, values in one.items():
        for name, value in values.items():
            # an error is a small difference of large numbers: rounding shows there first
            tolerance = 1e-10 if name.endswith("_norm") else 1e-7
            assert three[label][name] == pytest.approx(value, rel=tolerance), f"{label}: {name}"


def test_order_on_three_ranks(tables: tuple[dict, dict]) -> None:
    three = tables[1]
    for label, fine in three.items():
        head, n = label.rsplit("/", 1)
        pair = next(sizes for sizes in study.SIZES.values() if int(n) in sizes)
        if int(n) != pair[1]:
            continue
        degree, coarse = int(head.rsplit("/", 1)[1]), three[f"{head}/{pair[0]}"]
        for name in (k for k in fine if not k.endswith("_norm")):
            order = math.log(coarse[name] / fine[name]) / math.log(pair[1] / pair[0])
            assert order >= required(name, degree), f"{label}: {name}: order {order:.2f}"
