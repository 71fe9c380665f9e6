"""The nouns that all layers share: what each kind of component must offer, and the values they exchange."""

from __future__ import annotations

from plexus.protocols.closures import Closure
from plexus.protocols.discretisations import Assembled, Discretisation, Found, Outlook
from plexus.protocols.evaluation import Balances, Evaluation, Integrand, Places, Spectra, Tangents
from plexus.protocols.fields import Array, FieldSpec, Location, Plain, Shape, Values
from plexus.protocols.instants import NOTHING, Instant, Since
from plexus.protocols.learned import Gap, Guarded, Learned, Port, Setting
from plexus.protocols.meshes import CellSource, GridSource, MeshSource, PeriodicSource
from plexus.protocols.models import Rates, RatesPhysics, SpectralModel, SpectralPhysics
from plexus.protocols.outputs import Observer, Quantity
from plexus.protocols.preconditioners import OptionValue, PcContext, Preconditioner
from plexus.protocols.steppers import Choosy, Controller, Remembers, Repeats, Stepper, StepResult
from plexus.protocols.systems import Explicit, Implicit, Split, TimeIntegrable, Waves
from plexus.protocols.volumes import Conservation, GridPoint, Reconstruction, Riemann, VolumePhysics
from plexus.protocols.weak import BoundaryTerm, Derived, Equation, Flux, Point, Sample, Tangent, WeakPhysics

__all__ = [
    "NOTHING",
    "Array",
    "Assembled",
    "Balances",
    "BoundaryTerm",
    "CellSource",
    "Choosy",
    "Closure",
    "Conservation",
    "Controller",
    "Derived",
    "Discretisation",
    "Equation",
    "Evaluation",
    "Explicit",
    "FieldSpec",
    "Flux",
    "Found",
    "Gap",
    "GridPoint",
    "GridSource",
    "Guarded",
    "Implicit",
    "Instant",
    "Integrand",
    "Learned",
    "Location",
    "MeshSource",
    "Observer",
    "OptionValue",
    "Outlook",
    "PcContext",
    "PeriodicSource",
    "Places",
    "Plain",
    "Point",
    "Port",
    "Preconditioner",
    "Quantity",
    "Rates",
    "RatesPhysics",
    "Reconstruction",
    "Remembers",
    "Repeats",
    "Riemann",
    "Sample",
    "Setting",
    "Shape",
    "Since",
    "Spectra",
    "SpectralModel",
    "SpectralPhysics",
    "Split",
    "StepResult",
    "Stepper",
    "Tangent",
    "Tangents",
    "TimeIntegrable",
    "Values",
    "VolumePhysics",
    "Waves",
    "WeakPhysics",
]  # fmt: skip
