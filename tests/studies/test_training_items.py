"""The decks that items about training take from this repository."""

from pathlib import Path

import pytest
import yaml

from plexus.deck.load import load
from plexus.studies.active_fluid import training

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "kind"), [("active_f3", "active"), ("unrolled", "unrolled")])
def test_published_decks_train_without_validation(name, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    content = training.published(name, seed=5)
    content["closure"].pop("checkpoint", None)
    content["closure"].pop("sha256", None)
    (tmp_path / "deck.yaml").write_text(yaml.safe_dump(content))
    plan = load(tmp_path / "deck.yaml").train
    assert plan is not None
    assert (plan.seed, plan.stages[0].type, plan.validation) == (5, kind, None)


def test_judged_seeds_are_not_trained_on(monkeypatch):
    monkeypatch.chdir(ROOT)
    for name in ("active_f3", "unrolled"):
        cases = training.published(name)["train"]["data"]["cases"]
        assert not {case["seed"] for case in cases} & {2, 3, 4}
