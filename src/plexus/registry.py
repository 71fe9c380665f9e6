"""One registry for every kind of component that a deck can name.

A *kind* is an axis of variation and owns one member folder; a member is one file in it, whose
file name is the component's ``type`` in the deck. Listing the members therefore imports nothing,
and looking one up imports that one file only. Packages outside Plexus add members through the
entry point group ``plexus.<kind>`` (name = component name, value = module).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from plexus.deck.params import Params

KINDS: dict[str, tuple[str, str]] = {
    "mesh": ("plexus.mesh.sources", "where the mesh comes from"),
    "discretisation": ("plexus.discretisations", "how equations become numbers"),
    "physics": ("plexus.physics", "the equations that are solved"),
    "problem": ("plexus.problems", "linear systems: a matrix, a right-hand side, places of the unknowns"),
    "law": ("plexus.laws", "how a solid answers a path of strain"),
    "potential": ("plexus.potentials", "energy of a body at finite strain"),
    "life": ("plexus.life", "how many cycles of load a material bears"),
    "control": ("plexus.controls", "values of the deck that can be differentiated and fitted to data"),
    "measurement": ("plexus.measurements", "what a run is compared with where controls are fitted"),
    "sample": ("plexus.samples", "fields that are drawn at random, by seed and number"),
    "snapshots": ("plexus.snapshots", "where a reduction takes its displacements from"),
    "rom": ("plexus.roms", "reduced models that march in the place of the full one"),
    "reduction": ("plexus.offline.kinds", "what `plexus reduce` makes of a run"),
    "boundary": ("plexus.boundary", "terms on named boundaries"),
    "reconstruction": ("plexus.spaces.stencils.reconstructions", "values on faces from means of cells"),
    "riemann": ("plexus.spaces.stencils.riemann", "fluxes from the values on both sides of a face"),
    "closure": ("plexus.closures", "what stands for the scales and moments that a model does not carry"),
    "operator": ("plexus.operators", "maps from fields to fields that stand for what a solver computes"),
    "preconditioner": ("plexus.solvers.preconditioners", "preconditioners of the linear solves"),
    "stepper": ("plexus.stepping.steppers", "time integration"),
    "controller": ("plexus.stepping.controllers", "how long the next time step is"),
    "quantity": ("plexus.quantities", "numbers computed from the fields"),
    "output": ("plexus.observers", "what is written while the run goes on"),
    "data": ("plexus.learning.data", "what a training learns from"),
    "loss": ("plexus.learning.losses", "what a training makes small"),
    "optimizer": ("plexus.learning.optimizers", "how a training moves the variables"),
    "schedule": ("plexus.learning.schedules", "how a learning rate changes over the steps"),
    "stage": ("plexus.learning.stages", "parts of a training, one after the other"),
}
"""Kind -> (package of its members, one-line description)."""

_components: dict[tuple[str, str], Component] = {}
T = TypeVar("T")


@dataclass(frozen=True)
class Component:
    """A registered component: its kind and name, its parameter model, its class."""

    kind: str
    name: str
    params: type[Params]
    cls: type


def register(kind: str, name: str, params: type[Params]) -> Callable[[type[T]], type[T]]:
    """Class decorator that makes a component known under ``kind`` and ``name``.

    Raises
    ------
    ValueError
        If the kind is unknown or the name is already taken by another class.
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind {kind!r}; kinds are {', '.join(KINDS)}")

    def add(cls: type[T]) -> type[T]:
        known = _components.get((kind, name))
        if known is not None and known.cls.__qualname__ != cls.__qualname__:
            raise ValueError(f"{kind}.{name} is already registered by {known.cls.__module__}")
        _components[kind, name] = Component(kind, name, params, cls)
        return cls

    return add


_installed: dict[str, dict[str, str]] = {}


def installed() -> dict[str, dict[str, str]]:
    """Return the members that other packages offer: kind -> name -> module.

    The first call reads the entry points of every installed package, hundreds of small files. Rank 0 of a
    run does that and tells the others (`adopt`).
    """
    if not _installed:
        # for rank 0 only
        from importlib.metadata import distributions

        _installed.update({kind: {} for kind in KINDS})
        for package in distributions():
            # few packages name Plexus: the others' entries are not worth taking apart
            if "[plexus." not in (package.read_text("entry_points.txt") or ""):
                continue
            for point in package.entry_points:
                group, _, kind = point.group.partition(".")
                # of a package that is there twice, the one that Python imports comes first
                if group == "plexus" and kind in KINDS:
                    _installed[kind].setdefault(point.name, point.value)
    return _installed


def adopt(found: dict[str, dict[str, str]]) -> None:
    """Take over what another rank's `installed` has returned."""
    _installed.update(found)


@lru_cache
def _modules(kind: str) -> dict[str, str]:
    """Member name -> module name, from the folder listing and the entry points."""
    package = KINDS[kind][0]
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or []) if spec else []
    found = {m.name: f"{package}.{m.name}" for m in pkgutil.iter_modules(places) if _is_member(m)}
    return found | installed()[kind]


def _is_member(module: pkgutil.ModuleInfo) -> bool:
    """Return whether a file of a member folder is a member: not a package, `base`, or `_helper`."""
    return not module.ispkg and module.name != "base" and not module.name.startswith("_")


def names(kind: str) -> list[str]:
    """Return the sorted member names of a kind without importing any member."""
    return sorted({*_modules(kind), *(name for k, name in _components if k == kind)})


def forget(kind: str, name: str) -> None:
    """Remove a registration; for tests that register components of their own."""
    _components.pop((kind, name), None)


def component(kind: str, name: str) -> Component:
    """Import one member and return its registration.

    Raises
    ------
    KeyError
        If the kind has no member of this name.
    """
    if (kind, name) not in _components:
        importlib.import_module(_modules(kind)[name])
    return _components[kind, name]


def build(kind: str, params: Any, *args: Any, **kwargs: Any) -> Any:
    """Construct the component that ``params.type`` names: ``cls(params, *args, **kwargs)``."""
    return component(kind, params.type).cls(params, *args, **kwargs)
