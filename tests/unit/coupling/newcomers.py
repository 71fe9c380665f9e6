"""A model on elements with a gap, what fills it, and a learned preconditioner, as other packages add them.

u_t - ∇²u = s,   s left open; classically s = 1 - u, learned s = 1 - u + network(u)
"""

import json
from pathlib import Path
from typing import ClassVar

import torch

from plexus import registry
from plexus.bundles import store
from plexus.deck.params import Field, Params
from plexus.formulation.autodiff import tensor
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.learned.guard import Guard, GuardParams
from plexus.learned.part import LearnedParams, Part
from plexus.learned.ports import Properties
from plexus.protocols import FieldSpec, Flux, Gap, Port, Setting
from plexus.solvers.preconditioners.base import PreconditionerBase

LEVEL, SOURCE = Port("u", "1"), Port("s", "1/s")


class OpenParams(PhysicsParams):
    """Parameters of `Open`."""


class OpenEquation(EquationBase):
    """u_t - ∇²u - s(u), weakly."""

    field = FieldSpec("u", "1")
    time_order = 1

    def __init__(self, closure):
        self.closure = closure

    def flux(self, p):
        s = self.closure.evaluate({"u": tensor(p.u)})["s"]
        return Flux(f0=p.rate - (s if isinstance(p.u, torch.Tensor) else s.numpy()), f1=p.grad)


class Open:
    """Diffusion whose source is left open."""

    def __init__(self, params, closure=None):
        self.equations = [OpenEquation(closure)]

    @staticmethod
    def fields(params):
        return (OpenEquation.field,)

    @staticmethod
    def gap(params):
        return Gap(((SOURCE,),), (LEVEL,), {}, states)


def states(shape, seed=0, reach=0.98):
    """Return values between 0 and 1."""
    return {
        "u": reach * torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    }


class LineParams(Params):
    """Parameters of `Line`."""


class Line:
    """s = 1 - u."""

    guard = None
    inputs, outputs = (LEVEL,), (SOURCE,)

    def __init__(self, params):
        self.params = params

    @classmethod
    def problems(cls, params, setting, at):
        return iter(())

    def prepare(self, setting):
        self.setting = setting

    def evaluate(self, fields):
        return {"s": 1 - fields["u"]}

    def report(self):
        return {}


class BentParams(LearnedParams):
    """Parameters of `Bent`."""

    width: int = Field(4, ge=1, description="neurons")


class Bent(Part):
    """s = 1 - u + network(u)."""

    kind = "closure"
    training_units = "SI"
    scale_units: ClassVar = {"u": "1"}
    name = "bent"

    def chosen(self):
        return {"width": self.params.width}

    def make(self):
        torch.manual_seed(self.params.seed)
        n = self.hyper["width"]
        return torch.nn.Sequential(torch.nn.Linear(1, n), torch.nn.Tanh(), torch.nn.Linear(n, 1))

    @property
    def properties(self):
        return Properties(
            "forcing", "pointwise", (LEVEL,), (SOURCE,), ("translation", "rotation", "reflection")
        )

    def feature_units(self):
        return {"u": "1"}

    def features(self, fields):
        return fields["u"].unsqueeze(0).to(self.dtype)

    def answer(self, fields):
        rows = self.features(fields)
        return {
            "s": 1 - fields["u"] + self.network(rows[0].unsqueeze(-1))[..., 0].to(fields["u"].dtype)
        }, rows

    def default_fallback(self):
        return "line"


class ScaledParams(Params):
    """Parameters of `Scaled`."""

    reach: float = Field(2.0, gt=0, description="range of residual and diagonal over their largest entry")
    guard: GuardParams = Field(GuardParams(), description="what happens outside the range")


class Scaled(PreconditionerBase):
    """Jacobi, times a number that stands for a network."""

    varies = True

    def context(self, target):
        return ScaledContext(self.params)


class ScaledContext:
    """What PETSc calls."""

    def __init__(self, params):
        self.part = Guard(params.guard, Jacobi(), None, "Scaled")
        reach = [params.reach] * 2
        self.part.use_box([-r for r in reach], reach, torch.zeros((), dtype=torch.float64))

    def setUp(self, pc):
        self.part.comm = pc.comm.tompi4py()  # counts are those of all ranks
        self.diagonal = torch.from_numpy(pc.getOperators()[1].getDiagonal().getArray().copy())

    def apply(self, pc, x, y):
        r = torch.from_numpy(x.getArray(readonly=True).copy())
        fields = {"r": r, "d": self.diagonal}
        out = {"z": 0.8 * r / self.diagonal}
        if self.part.using_fallback:
            out = self.part.fallback.evaluate(fields)
        else:
            features = torch.stack([v / v.norm(torch.inf).clamp_min(1e-300) for v in (r, self.diagonal)])
            out = self.part.apply(fields, features, out)
        y.setArray(out["z"].numpy())


class Jacobi:
    """z = r / d."""

    def evaluate(self, fields):
        return {"z": fields["r"] / fields["d"]}


MEMBERS = [
    ("physics", "open", OpenParams, Open),
    ("closure", "line", LineParams, Line),
    ("closure", "bent", BentParams, Bent),
    ("preconditioner", "scaled", ScaledParams, Scaled),
]


def register():
    for kind, name, params, cls in MEMBERS:
        registry.register(kind, name, params)(cls)


def forget():
    for kind, name, _, _ in MEMBERS:
        registry.forget(kind, name)


def bundle(path, low=-1.0, high=2.0, weight=None):
    """Write a bundle of `Bent` that was trained between two values; return its hash."""
    closure = Bent(BentParams())
    closure.prepare(Setting())
    fields = {"u": torch.linspace(low, high, 100, dtype=torch.float64)}
    box, weights = closure.range_of(fields), closure.network.state_dict()
    for tensor_ in weights.values() if weight is not None else ():
        tensor_.fill_(weight)
    data = {"generator": "none", "version": "1", "filter": None, "frames": 1, "points": 100, "seeds": [1]}
    told = {
        "training": {**data, "seed": 0, "deck": {}, "parameters": {}},
        "domain": {"cells": [], "size": [], "unit": "m", "end_points": []},
        "stepping": {"dt": None, "integrator": "none"},
        "validation": [],
        "licence": "none",
    }
    return store.save(path, closure.describe(box) | told, weights, closure.golden(fields))


CLOSURE, SOLVER = "closure", "solver.u.preconditioner"
DECK = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [6, 6]}
physics: {type: open}
closure: {type: bent, checkpoint: net.safetensors, sha256: HASH, guard: {patience: 20}}
boundary: [{on: exterior, u: 0}]
time: {stepper: bdf2, end: 0.8 s, step: 0.01 s}
solver:
  u: {ksp: fgmres, rtol: 1.0e-12, preconditioner: {type: scaled, guard: {patience: 20, max_fraction: 0.01}}}
quantities: {mean: {type: mean, of: u}}
output: [{type: checkpoint, every: 20 steps, keep: 9}]
"""


def deck(folder: Path, **more) -> Path:
    path = folder / "deck.yaml"
    path.write_text(DECK.replace("HASH", bundle(folder / "net.safetensors", **more)))
    return path


def summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())
