"""Decks and sessions in which members of a training can be tried."""

from types import SimpleNamespace

import numpy as np
import torch
from mpi4py import MPI

from plexus import registry
from plexus.deck.load import load
from plexus.learning.samples import Samples
from plexus.learning.session import Session
from plexus.learning.team import Team
from plexus.protocols import Setting
from plexus.runtime import context
from plexus.runtime.log import Log
from plexus.spaces.fourier import Fourier

DECK = """
plexus: 1
mesh: {type: periodic, cells: [8, 8], size: [5, 5]}
physics: {type: active_fluid, order: 1, alpha: -3, zeta: 1}
closure: {type: tensor_basis, width: 6, depth: 1, precision: fp64}
time: {stepper: sbdf2, end: 4, step: 0.02}
train: {data: DATA, stages: [STAGE], loss: LOSS}
"""
SOLID = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [2, 2]}
physics: {type: elastoviscoplastic, geometry: plane_strain, law: {type: neural, width: 3}}
train: {data: DATA, stages: [STAGE], loss: LOSS}
"""
"""A deck whose learned part is a law."""
MATRIX = """
plexus: 1
physics: {type: matrix, problem: {type: channels, cells: [8, 8, 8], seed: 9}}
solver: {u: SOLVER}
train: {data: DATA, stages: [STAGE], loss: LOSS}
"""
"""A deck whose learned part is a preconditioner."""
DIRECTIONS = "{ksp: conjugate_directions, preconditioner: {type: directions, channels: 2}}"
HOSTS = {
    "material_points": SOLID,
    "systems": MATRIX.replace("SOLVER", "{preconditioner: {type: learned_multigrid, cycle: k}}"),
    "ritz": MATRIX.replace("SOLVER", DIRECTIONS),
    "conjugate_directions": MATRIX.replace("SOLVER", DIRECTIONS),
}
"""The deck of each member of kind ``data``, or stage, that does not go with `DECK`."""
REFERENCE = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [4, 4], size: [1, 1]}
physics: {type: diffusion, coefficient: 1, source: x}
boundary: [{on: exterior, u: 0}]
initial: {u: 0.3}
time: {stepper: bdf2, end: 0.02 s, step: 0.01 s}
"""
COLUMNS = ("c", "f1_re", "f1_im", "e_re", "e_im", "st_re", "st_im", "trace")
DATA = {
    "kinetic": "{type: kinetic, moments: 6, cases: [{alpha: -3, zeta: 1, seed: 1}, {alpha: -2, zeta: 0.5}],"
    " frames: {start: 0.2, end: 0.4, every: 0.1}}",
    "runs": "{type: runs, deck: reference.yaml, vary: {parameters: {initial.u: [0.2, 0.4]}},"
    " times: {start: 0, end: 0.02, every: 0.01}, fields: {c: {name: 1 + u, unit: 1/m^2},"
    " f1: {name: u, imaginary: 0.1*u, unit: 1/m^2}, e: {name: u, imaginary: x, unit: 1/s},"
    " st: {name: u^2, imaginary: x, unit: 1/(m^2 s)}, trace: {name: u, unit: 1/(m^2 s)}}}",
    "material_points": "{type: material_points, paths: 3, steps: 4, law: {type: elastic,"
    " young_modulus: 70 GPa, poisson_ratio: 0.3}, strain: {type: uniform, seed: 1, low: -0.01, high: 0.01}}",
    "none": "{type: none, points: 50, seed: 3}",
    "files": "{type: files, files: [table.csv], columns: {c: c, f1: {name: f1_re, imaginary: f1_im},"
    " e: {name: e_re, imaginary: e_im}, st: {name: st_re, imaginary: st_im}, trace: trace}}",
    "systems": "{type: systems, problems: [{type: channels, cells: [8, 8, 8], seed: 0}], seeds: [0, 3]}",
    "ritz": "{type: ritz, problem: {type: plume, cells: [8, 8, 8], layout: empty}, vectors: 20, samples: 6}",
}
"""A block for each member of kind ``data``."""
FITS = {
    "none": "{type: fit, loss: residual}",
    "ritz": "{type: fit, loss: one_step}",
    "systems": "conjugate_gradients",
}
"""A stage for each member of kind ``data`` that gives no answers."""


def deck(folder, data="kinetic", stage=None, loss="relative_l2", *overrides):
    """Return a loaded deck; members that are not in `DATA` are asked for by their example."""
    rows = np.random.default_rng(5).uniform(0.1, 0.5, (40, len(COLUMNS)))
    np.savetxt(folder / "table.csv", rows, delimiter=",", header=",".join(COLUMNS), comments="")
    (folder / "reference.yaml").write_text(REFERENCE)
    stage = stage or FITS.get(data, "fit")
    directed = "conjugate_directions"
    host = HOSTS[directed] if directed in stage else HOSTS.get(data, DECK)
    text = host.replace("DATA", DATA.get(data, data)).replace("STAGE", stage).replace("LOSS", loss)
    (folder / "deck.yaml").write_text(text)
    return load(folder / "deck.yaml", overrides)


def session(folder, *given):
    """Return a training whose data are there."""
    ctx = context.create(MPI.COMM_SELF, folder)
    ctx.log = Log(MPI.COMM_SELF)
    made = Session(deck(folder, *given), ctx)
    made.prepare()
    return made


def session_of(loss, folder):
    """Return what a loss asks of a session with six samples, in double precision."""
    if "operator" not in registry.component("loss", loss).cls.needs:
        return made_up()
    made = session(folder, "ritz")
    made.part.network.double()
    made.samples.inputs = {name: value.double() for name, value in made.samples.inputs.items()}
    return made


def made_up(count=6, cells=8):
    """Return what a loss asks of a session, with fields and targets at random on a grid."""
    member = registry.component("closure", "tensor_basis")
    part = member.cls(member.params(width=6, depth=1, precision="fp64"))
    space = Fourier((cells, cells), (5.0, 3.0))
    physics = registry.component("physics", "active_fluid").params(order=1, alpha=-3)
    physics._type = "active_fluid"
    part.prepare(Setting({"zeta": 1.0}, space=space))
    part.network.requires_grad_(True)
    generator = torch.Generator().manual_seed(1)

    def drawn(complex_=True):
        real = torch.randn((2, count, cells, cells), generator=generator, dtype=torch.float64)
        return torch.complex(0.3 * real[0], 0.3 * real[1]) if complex_ else 1 + 0.1 * real[0]

    inputs = {"c": drawn(False), "f1": drawn(), "e": drawn()}
    targets = {"st": drawn(), "trace": drawn(False)}
    numbers = torch.arange(count)
    later = {lead: {"c": drawn(False), "f1": drawn(), "e": drawn()} for lead in (1, 2)}
    samples = Samples(numbers, numbers, numbers.double(), inputs, targets, later, total=count)
    deck_ = SimpleNamespace(physics=physics)
    return SimpleNamespace(part=part, space=space, samples=samples, team=Team(), deck=deck_)
