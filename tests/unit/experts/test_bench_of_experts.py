"""The benchmark of experts runs, with one seed and next to no training; its figures are not tested."""

import math

import pytest

from plexus.bench import experts
from plexus.bench.experts import family, measured, trainings
from plexus.errors import InputError


@pytest.fixture(autouse=True)
def little(monkeypatch):
    quick = family.DECK["time"] | {"controller": {"type": "graded", "growth": 1.5, "max": "20 s"}}
    monkeypatch.setitem(family.DECK, "time", quick)
    monkeypatch.setattr(family, "JUDGED", range(2000, 2002))
    monkeypatch.setattr(trainings, "STEPS", 2)
    monkeypatch.setattr(measured, "STEPS", 2)
    monkeypatch.setattr(measured, "SEEDS", (0,))


@pytest.mark.parametrize("part", experts.PARTS)
def test_each_part_measures(part):
    rows = experts.run(part)
    assert all(math.isfinite(row.measured) for row in rows)
    held = {row.item: row.holds for row in rows if "balance" in row.item or "twice" in row.item}
    assert set(held.values()) <= {True}


def test_a_part_that_is_not_there_is_the_users_mistake():
    with pytest.raises(InputError, match="experts:two: there are one, fields"):
        experts.run("two")


def test_starts_are_known_by_number_and_do_not_depend_on_the_grid():
    for random in (False, True):
        one = family.Family(random)
        assert one.starts([5, 6], 3)[:, 1::3].allclose(one.starts([5, 6]), atol=1e-12)
        assert float(one.starts([7]).min()) >= 0.004
        assert float(one.starts([7]).max()) <= 0.2
