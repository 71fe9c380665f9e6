"""What every preconditioner promises: it solves, and what it makes goes with its solver."""

import gc
import weakref
from pathlib import Path

import numpy as np
import pytest
from hosts import accepted, composed, example, hosts, of_discretisation

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.errors import PlexusError
from plexus.protocols import Implicit

members = pytest.mark.parametrize("name", registry.names("preconditioner"))
SOLVED = [n for d in registry.names("discretisation") for n in of_discretisation(d)]
SOLVED = [n for n in SOLVED if Implicit in made_for(n).offers and "solver" not in made_for(n).blocks]
KSP = {"directions": "conjugate_directions"}
"""Krylov methods of preconditioners that do not go with those of the solver's own choice."""


def deck(name):
    """Return the first host whose equations take the preconditioner; those of some blocks need more."""
    block, why = example("preconditioner", name), ""
    for physics in SOLVED:
        for data in hosts(physics):
            method = {"ksp": KSP[name]} if name in KSP else {}
            solver = {"default": {"preconditioner": block, "rtol": 1e-11, "snes_rtol": 1e-11, **method}}
            found = data | {"solver": solver}
            why = accepted(found) or _fits(found)
            if not why:
                return found
    if "this PETSc" in why:
        pytest.skip(why)
    raise AssertionError(f"preconditioner.{name} has no host: no equation accepts its EXAMPLE; {why}")


def _fits(data):
    try:
        solved(data, None)
    except PlexusError as error:
        return str(error)
    return ""


def solved(data, folder):
    """Return a run after two steps."""
    run = composed(data, folder or Path("nowhere"))
    run.observers = []
    for _ in zip(range(2), run.march(), strict=False):
        pass
    return run


@members
def test_solves(name, tmp_path):
    data = deck(name)
    run = solved(data, tmp_path)
    direct = solved({k: v for k, v in data.items() if k != "solver"}, tmp_path)
    for field, values in direct.state.values.items():
        bound = 1e-7 * np.abs(values).max() + 1e-12
        assert np.abs(run.state.values[field] - values).max() <= bound, field
    assert all(solver.tally.summary()["solves"] > 0 for solver in run.system.solvers.values())


@members
def test_what_it_makes_goes_with_its_solver(name, tmp_path, monkeypatch):
    cls, made = registry.component("preconditioner", name).cls, []
    original = cls.context

    def noted(self, target):
        context = original(self, target)
        if context is not None:
            made.append(weakref.ref(context))
        return context

    data = deck(name)
    monkeypatch.setattr(cls, "context", noted)
    run = solved(data, tmp_path)
    alive = [context() for context in made]
    assert all(context is not None for context in alive), "a solver keeps its context while it lives"
    del alive, run
    gc.collect()
    assert all(context() is None for context in made)
