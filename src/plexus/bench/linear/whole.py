"""Decks of `plexus bench linear:runs`: heat over time, elasticity, plasticity, on bricks and meshes of Gmsh.

A deck names the preconditioner and the tolerance of its linear solves; all else is what decks get by default.
Meshes of Gmsh are those of the folder ``input_decks`` where the benchmark is started.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MESHES = Path("input_decks/meshes")
RTOL = 1e-6
STEEL = {"density": "7850 kg/m^3", "specific_heat": "500 J/(kg K)", "conductivity": "45 W/(m K)"}
NICKEL = {
    "type": "j2",
    "density": "8200 kg/m^3",
    "young_modulus": "200 GPa",
    "poisson_ratio": 0.3,
    "yield_stress": "100 MPa",
    "hardening": {"slope": "10 GPa"},
}
HELD = [
    {"on": "root_bottom", "displacement_z": 0},
    {"on": "root_left", "displacement_x": 0},
    {"on": "root_front", "displacement_y": 0},
]
"""What holds the blades."""


@dataclass(frozen=True)
class Case:
    """A deck whose preconditioner is left out.

    Attributes
    ----------
    name, kind : of the run; of its cells, ``grid`` or ``Gmsh``.
    unknown : name of the unknown.
    blocks : the deck.
    rounds : of runs, an odd number.
    """

    name: str
    kind: str
    unknown: str
    blocks: dict[str, Any] = field(repr=False)
    rounds: int = 3

    def deck(self, preconditioner: str) -> dict[str, Any]:
        """Return the deck with a preconditioner."""
        solver = {self.unknown: {"rtol": RTOL, "preconditioner": preconditioner}}
        return {"plexus": 1, **self.blocks, "solver": solver, "output": [{"type": "series"}]}


def cases() -> list[Case]:
    """Return all runs, each kind of physics on a grid and on a mesh of Gmsh."""
    return [
        _heat("heat, bricks P1", "grid", 1, _bricks(32)),
        _heat("heat, bricks P2", "grid", 2, _bricks(15)),
        _heat("heat, Gmsh P1", "Gmsh", 1, _blade("blade_b", 1)),
        _heat("heat, Gmsh P2", "Gmsh", 2, _blade("blade_b")),
        _elastic("elasticity, bricks P1", "grid", 1, _bricks(20)),
        _elastic("elasticity, bricks P2", "grid", 2, _bricks(10)),
        _elastic("elasticity, Gmsh P2", "Gmsh", 2, _blade("blade_b")),
        _plastic("plasticity, bricks P1", "grid", 1, _bricks(18)),
        _plastic("plasticity, Gmsh P2", "Gmsh", 2, _blade("blade_b_s")),
    ]


def _bricks(cells: int) -> dict[str, Any]:
    return {"type": "box", "cell": "hexahedron", "cells": [cells] * 3, "size": ["0.1 m"] * 3}


def _blade(name: str, refine: int = 0) -> dict[str, Any]:
    file = (MESHES / f"{name}.msh").resolve()
    return {"type": "gmsh", "file": str(file), "scale": "1 mm", "refine": refine}


def _heat(name: str, kind: str, degree: int, mesh: dict[str, Any]) -> Case:
    """Return ten steps, in which heat crosses the body."""
    cold, hot, step = ("left", "right", 90) if kind == "grid" else ("root_bottom", "pressure_side", 30)
    blocks = {
        "mesh": mesh,
        "physics": {"type": "heat", "degree": degree, "material": STEEL},
        "initial": {"temperature": "300 K"},
        "boundary": [
            {"on": cold, "temperature": "300 K + 10 K/s*min(t, 20 s)" if kind == "grid" else "300 K"},
            {"on": hot, "convection": {"coefficient": "2000 W/(m^2 K)", "ambient": "1200 K"}},
        ],
        "time": {"stepper": "bdf2", "step": step, "end": 10 * step},
    }
    return Case(name, kind, "temperature", blocks)


def _elastic(name: str, kind: str, degree: int, mesh: dict[str, Any]) -> Case:
    """Return one solve."""
    material = {"young_modulus": "200 GPa", "poisson_ratio": 0.3}
    blocks = {
        "mesh": mesh,
        "physics": {"type": "elasticity", "degree": degree, "geometry": "solid", "material": material},
        "boundary": _loaded(kind, "10 MPa"),
    }
    return Case(name, kind, "displacement", blocks)


def _plastic(name: str, kind: str, degree: int, mesh: dict[str, Any]) -> Case:
    """Return two steps of Newton's method beyond yield."""
    physics: dict[str, Any] = {
        "type": "elastoviscoplastic",
        "degree": degree,
        "locking": "b_bar" if degree == 1 else "none",
        "law": NICKEL,
    }
    if kind == "Gmsh":
        physics["rotation"] = {"axis": [1, 0, 0], "point": ["0 m", "0 m", "-0.308 m"], "speed": "325*t"}
    blocks = {
        "mesh": mesh,
        "physics": physics,
        "boundary": _loaded(kind, "35e6*t" if kind == "grid" else "2e5*t"),
        "time": {"stepper": "quasistatic", "step": 1, "end": 2},
    }
    # a run has a dozen set-ups and solves, over which seconds are even
    return Case(name, kind, "displacement", blocks, rounds=1)


def _loaded(kind: str, load: str) -> list[dict[str, Any]]:
    """Return what holds a body and pushes it."""
    if kind == "Gmsh":
        return [*HELD, {"on": "pressure_side", "pressure": load}]
    return [{"on": "left", "displacement": [0, 0, 0]}, {"on": "right", "traction": [load, 0, load]}]
