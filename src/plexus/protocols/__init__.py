"""The nouns that all layers share: what each kind of component must offer, and the values they exchange.

A name is imported from its module when it is first asked for: a run loads the protocols of what it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plexus.protocols.closures import Closure
    from plexus.protocols.controlled import Controlled, Course, Measured, Stated
    from plexus.protocols.discretisations import Assembled, Discretisation, Doubt, Found, Outlook, Seen
    from plexus.protocols.evaluation import Balances, Evaluation, Integrand, Places, Spectra, Tangents
    from plexus.protocols.fields import Array, FieldSpec, Location, Plain, Shape, Values
    from plexus.protocols.instants import NOTHING, Instant, Since
    from plexus.protocols.laws import Inlined, Law, Potential, Reducible, Response, Unanswered
    from plexus.protocols.learned import Gap, Guarded, Learned, Port, Setting
    from plexus.protocols.life import Criterion, Cycle
    from plexus.protocols.meshes import CellSource, GridSource, Looks, MeshSource, PeriodicSource, Selects
    from plexus.protocols.models import (
        Deviations,
        Rates,
        RatesPhysics,
        SpectralModel,
        SpectralPhysics,
        Trims,
    )
    from plexus.protocols.outputs import Keeps, Lasting, Observer, Placed, Quantity, Sided
    from plexus.protocols.preconditioners import OptionValue, PcContext, Preconditioner
    from plexus.protocols.problems import Layout, LinearSystem, MatrixPhysics, Outline, Problem
    from plexus.protocols.reductions import ModelMaker, SnapshotSource
    from plexus.protocols.samples import Sampler
    from plexus.protocols.steppers import Choosy, Controller, Forgets, Remembers, Repeats, Stepper, StepResult
    from plexus.protocols.systems import Explicit, Implicit, Reduction, Split, TimeIntegrable, Waves
    from plexus.protocols.training import Data, Loss, Optimizer, Residual, Schedule, Stage, Trainable
    from plexus.protocols.volumes import (
        Compiled,
        Conservation,
        GridPoint,
        Holds,
        OnSides,
        Quadratic,
        Reconstruction,
        Riemann,
        SideLaw,
        VolumePhysics,
    )
    from plexus.protocols.weak import (
        BoundaryTerm,
        Derived,
        Equation,
        Flux,
        Integrated,
        Joint,
        Point,
        Sample,
        Stores,
        Tangent,
        WeakPhysics,
    )

_MODULES = {
    "closures": "Closure",
    "controlled": "Controlled Course Measured Stated",
    "discretisations": "Assembled Discretisation Doubt Found Outlook Seen",
    "evaluation": "Balances Evaluation Integrand Places Spectra Tangents",
    "fields": "Array FieldSpec Location Plain Shape Values",
    "instants": "NOTHING Instant Since",
    "laws": "Inlined Law Potential Reducible Response Unanswered",
    "learned": "Gap Guarded Learned Port Setting",
    "life": "Criterion Cycle",
    "meshes": "CellSource GridSource Looks MeshSource PeriodicSource Selects",
    "models": "Deviations Rates RatesPhysics SpectralModel SpectralPhysics Trims",
    "outputs": "Keeps Lasting Observer Placed Quantity Sided",
    "preconditioners": "OptionValue PcContext Preconditioner",
    "problems": "Layout LinearSystem MatrixPhysics Outline Problem",
    "reductions": "ModelMaker SnapshotSource",
    "samples": "Sampler",
    "steppers": "Choosy Controller Forgets Remembers Repeats Stepper StepResult",
    "systems": "Explicit Implicit Reduction Split TimeIntegrable Waves",
    "training": "Data Loss Optimizer Residual Schedule Stage Trainable",
    "volumes": "Compiled Conservation GridPoint Holds OnSides Quadratic Reconstruction Riemann SideLaw "
    "VolumePhysics",
    "weak": "BoundaryTerm Derived Equation Flux Integrated Joint Point Sample Stores Tangent WeakPhysics",
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import a protocol from the module that holds it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "NOTHING",
    "Array",
    "Assembled",
    "Balances",
    "BoundaryTerm",
    "CellSource",
    "Choosy",
    "Closure",
    "Compiled",
    "Conservation",
    "Controlled",
    "Controller",
    "Course",
    "Criterion",
    "Cycle",
    "Data",
    "Derived",
    "Deviations",
    "Discretisation",
    "Doubt",
    "Equation",
    "Evaluation",
    "Explicit",
    "FieldSpec",
    "Flux",
    "Forgets",
    "Found",
    "Gap",
    "GridPoint",
    "GridSource",
    "Guarded",
    "Holds",
    "Implicit",
    "Inlined",
    "Instant",
    "Integrand",
    "Integrated",
    "Joint",
    "Keeps",
    "Lasting",
    "Law",
    "Layout",
    "Learned",
    "LinearSystem",
    "Location",
    "Looks",
    "Loss",
    "MatrixPhysics",
    "Measured",
    "MeshSource",
    "ModelMaker",
    "Observer",
    "OnSides",
    "Optimizer",
    "OptionValue",
    "Outline",
    "Outlook",
    "PcContext",
    "PeriodicSource",
    "Placed",
    "Places",
    "Plain",
    "Point",
    "Port",
    "Potential",
    "Preconditioner",
    "Problem",
    "Quadratic",
    "Quantity",
    "Rates",
    "RatesPhysics",
    "Reconstruction",
    "Reducible",
    "Reduction",
    "Remembers",
    "Repeats",
    "Residual",
    "Response",
    "Riemann",
    "Sample",
    "Sampler",
    "Schedule",
    "Seen",
    "Selects",
    "Setting",
    "Shape",
    "SideLaw",
    "Sided",
    "Since",
    "SnapshotSource",
    "Spectra",
    "SpectralModel",
    "SpectralPhysics",
    "Split",
    "Stage",
    "Stated",
    "StepResult",
    "Stepper",
    "Stores",
    "Tangent",
    "Tangents",
    "TimeIntegrable",
    "Trainable",
    "Trims",
    "Unanswered",
    "Values",
    "VolumePhysics",
    "Waves",
    "WeakPhysics",
]
