"""`plexus check` stays light: no MPI, no PETSc, no GPU, and only the components that the deck names."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from plexus import registry
from plexus.deck import templates
from plexus.deck.citations import components
from plexus.deck.discretisation import made_for
from plexus.deck.load import load

ROOT = Path(__file__).parents[2]
HEAVY = (
    "mpi4py",
    "petsc4py",
    "slepc4py",
    "torch",
    "h5py",
    "gmsh",
    "vtk",
    "plexus_kernels",
    "pint",
    "scipy",
    "pandas",
)
CODE = """
import json, sys
from plexus.cli import main
code = main(["check", sys.argv[1]])
print(json.dumps([code, sorted(sys.modules)]))
"""
DECKS = [
    ROOT / "input_decks" / "quickstart.yaml",
    *sorted((ROOT / "input_decks/verification").glob("*.yaml"))[:2],
]
DECKS += [ROOT / "src/plexus/templates" / f"{name}.yaml" for name in ("heat", "transient", "active_fluid")]


@pytest.mark.parametrize("deck", [d for d in DECKS if d.exists()], ids=lambda p: p.stem)
def test_check_imports_what_the_deck_names_and_nothing_heavy(deck):
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(deck)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    *said, last = done.stdout.splitlines()
    code, modules = json.loads(last)
    assert code == 0, done.stderr
    assert said[-1].startswith(f"{deck}: good")
    assert [m for m in HEAVY if m in modules] == []
    packages = {kind: registry.KINDS[kind][0] for kind in registry.KINDS}
    members = {f"{k}.{n}": f"{package}.{n}" for k, package in packages.items() for n in registry.names(k)}
    imported = {member for member, module in members.items() if module in modules}
    named = named_in(deck)
    control = load(deck).time and f"controller.{load(deck).time.control.type}"
    assert imported <= named | used_by(named) | {control}, imported - named
    assert named <= imported


def named_in(deck: Path) -> set[str]:
    """Return the components that a deck names, boundary terms and the discretisation included."""
    found = load(deck)
    terms = {f"boundary.{name}" for condition in found.boundary for name in condition.terms}
    here = f"discretisation.{type(made_for(found.physics.type)).__module__.rpartition('.')[2]}"
    # A parameter model may serve several members: only those that the deck names count.
    return (
        {m for m in components(found) if registry.component(*m.split(".")).name in _types(found)}
        | terms
        | {here}
    )


def _types(value) -> set[str]:
    if isinstance(value, (list, tuple)):
        return {t for v in value for t in _types(v)}
    if isinstance(value, dict):
        return {t for v in value.values() for t in _types(v)}
    if not hasattr(type(value), "model_fields"):
        return set()
    own = {value.type} if getattr(value, "type", "") else set()
    return own.union(*(_types(getattr(value, name)) for name in type(value).model_fields))


def used_by(named: set[str]) -> set[str]:
    """Return the members whose code a named member builds on, e.g. heat in thermoelasticity."""
    used = set()
    for member in named:
        module = sys.modules[registry.component(*member.split(".")).cls.__module__]
        for value in vars(module).values():
            owner = getattr(value, "__module__", "") or ""
            for kind, (package, _) in registry.KINDS.items():
                if owner.startswith(package + ".") and owner.count(".") == package.count(".") + 1:
                    used.add(f"{kind}.{owner.rpartition('.')[2]}")
    return used


@pytest.mark.parametrize("name", [n for n in templates.catalogue() if n != "gmsh"])
def test_templates_are_good_decks(name):
    load(ROOT / "src/plexus/templates" / f"{name}.yaml")


def test_the_gmsh_template_lacks_only_its_mesh():
    from plexus.errors import DeckError

    with pytest.raises(DeckError) as caught:
        load(ROOT / "src/plexus/templates/gmsh.yaml")
    assert [p.path for p in caught.value.problems] == ["mesh.file"]
