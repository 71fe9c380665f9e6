"""Trainings on tables, in this process."""

import json

import pytest
from csv_tables import DECK

from plexus import driver
from plexus.deck.load import load
from plexus.tasks import Request, named

FIT = "[{type: fit, steps: 3, optimizer: {type: lbfgs, iterations: 5}}]"


@pytest.fixture
def checked(tmp_path):
    """Return a function that loads a deck with some data."""

    def check(data, stages=FIT, *overrides):
        path = tmp_path / "deck.yaml"
        path.write_text(DECK.format(data=data, stages=stages))
        return load(path, overrides)

    return check


@pytest.fixture
def trained(checked, tmp_path):
    """Return a function that trains and returns the summary, with the log as `said`."""

    def train(data, stages=FIT, *overrides, name="out"):
        checked(data, stages, *overrides)
        code = driver.perform(Request(tmp_path / "deck.yaml", overrides, tmp_path / name), named("train"))
        assert code == 0
        told = json.loads((tmp_path / name / "summary.json").read_text())
        return told | {"said": (tmp_path / name / "log.txt").read_text()}

    return train
