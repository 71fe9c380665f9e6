"""Steppers that cannot advance what equations remember are refused when the deck is checked."""

import importlib

import pytest
from pydantic import ValidationError

from plexus import registry
from plexus.deck.schema import Deck
from plexus.physics.cure import EXAMPLE, Curing
from plexus.protocols import Implicit, Remembers


def deck(stepper: object) -> Deck:
    data = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "triangle", "cells": [2, 2]},
        "physics": {"type": "cure", **EXAMPLE},
        "time": {"stepper": stepper, "end": 1.0, "step": 0.1},
    }
    return Deck.from_plain({"data": data, "path": "deck.yaml", "origins": {}, "overrides": []})


@pytest.mark.parametrize("stepper", ["theta", {"type": "theta", "theta": 0.5}, "bdf2", "quasistatic"])
def test_steppers_that_remember_are_accepted(stepper):
    assert deck(stepper).time is not None


def test_petsc_is_refused_at_its_place():
    with pytest.raises(ValidationError, match="petsc_ts cannot advance internal variables") as error:
        deck({"type": "petsc_ts", "ts": "bdf"})
    assert [e["loc"] for e in error.value.errors()] == [("time", "stepper")]


def test_a_path_is_not_extrapolated_from_a_stage(monkeypatch):
    monkeypatch.setattr(Curing, "smooth", False)
    assert deck("theta").time is not None
    with pytest.raises(ValidationError, match="follows a path and cannot be extrapolated"):
        deck({"type": "theta", "theta": 0.5})


def test_every_implicit_stepper_but_petsc_remembers():
    for name in registry.names("stepper"):
        component = registry.component("stepper", name)
        example = dict(importlib.import_module(component.cls.__module__).EXAMPLE)
        example.pop("type")
        stepper = component.cls(component.params.model_validate(example))
        assert isinstance(stepper, Remembers) == (component.cls.needs is Implicit), name
