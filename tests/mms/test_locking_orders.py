"""Orders of the cure against locking near ν = 1/2, and that the order is lost without it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import study

from plexus import registry

PLANE = ["sin(2*x + 0.3)*cos(1.5*y)", "cos(x)*sin(2*y + 0.2)"]
CASES = [("quadrilateral", 1, 1), ("quadrilateral", 2, 2), ("triangle", 2, 1)]
"""Cell, degree, order in H1: constants for the dilatation cost simplices of degree 2 an order."""
SOLIDS = [("hexahedron", 1, 1), ("hexahedron", 2, 2), ("tetrahedron", 2, 1)]
# of no divergence: the pressure stays moderate although λ = 1666 μ
FREE = {
    "plane_strain": ["sin(2*x)*cos(2*y)", "-cos(2*x)*sin(2*y)"],
    "axisymmetric": ["x*cos(2*y)", "-sin(2*y)"],
}
FREE_SOLID = ["sin(x)*cos(y)*z", "-cos(x)*sin(y)*z", "sin(x)*cos(y)"]


def errors(
    cell: str, degree: int, n: int, folder: Path, nu: float = 0.4999, geometry: str = "plane_strain",
    cure: str = "b_bar",
) -> dict[str, float]:  # fmt: skip
    """Return the errors of a manufactured displacement on n cubes per axis."""
    dim = len(study.mesh(cell, n)["cells"])
    exact = FREE_SOLID if dim == 3 else FREE[geometry] if nu > 0.4 else PLANE
    material: dict[str, Any] = {"young_modulus": "1 + 0.2*x", "poisson_ratio": nu}
    model = {"type": "elasticity", "geometry": geometry, "material": material, "locking": cure}
    return study.solve(
        {
            "plexus": 1,
            "mesh": study.mesh(cell, n),
            "physics": {
                "type": "manufactured", "model": model, "exact": {"displacement": exact}, "degree": degree,
            },
            "boundary": [{"on": "exterior", "displacement": exact}],
            "solver": {"default": {"ksp": "preonly", "preconditioner": "lu"}},
            "quantities": study.quantities({"displacement": exact}, dim),
        },
        folder,
    )  # fmt: skip


def order(a: dict[str, float], b: dict[str, float], ratio: float = 2.0) -> dict[str, float]:
    """Return the observed orders in L2 and H1."""
    return {k: math.log(a[f"displacement_{k}"] / b[f"displacement_{k}"], ratio) for k in ("L2", "H1")}


@pytest.mark.parametrize("geometry", ["plane_strain", "axisymmetric"])
@pytest.mark.parametrize("nu", [0.3, 0.4999])
@pytest.mark.parametrize(("cell", "degree", "h1"), CASES)
def test_order_of_the_cure(cell: str, degree: int, h1: int, nu: float, geometry: str, tmp_path: Path) -> None:
    a, b = (errors(cell, degree, n, tmp_path, nu, geometry) for n in (8, 16))
    found = order(a, b)
    assert found["L2"] > h1 + 1 - 0.15 and found["H1"] > h1 - 0.1, (found, a, b)
    assert b["displacement_L2"] < 3e-3 * b["displacement_norm"]


@pytest.mark.parametrize(("cell", "degree", "h1"), SOLIDS)
def test_order_in_space(cell: str, degree: int, h1: int, tmp_path: Path) -> None:
    a, b = (errors(cell, degree, n, tmp_path, geometry="solid") for n in (2, 4))
    found = order(a, b)
    assert found["L2"] > h1 + 1 - 0.15 and found["H1"] > h1 - 0.1, (found, a, b)


def test_degree_1_has_no_order_without_it(tmp_path: Path) -> None:
    a, b = (errors("quadrilateral", 1, n, tmp_path, cure="none") for n in (8, 16))
    cured = errors("quadrilateral", 1, 16, tmp_path)
    assert order(a, b)["L2"] < 1 and b["displacement_L2"] > 5 * cured["displacement_L2"]


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("geometry", ["plane_strain", "axisymmetric"])
def test_jacobian_is_the_derivative_of_the_residual(geometry: str, degree: int, backend: str) -> None:
    from mpi4py import MPI

    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space

    box, model = registry.component("mesh", "box"), registry.component("physics", "elasticity")
    block = {k: v for k, v in study.mesh("quadrilateral", 3).items() if k != "type"}
    mesh = box.cls(box.params.model_validate(block | {"map": ["x + 0.1*y", "y + 0.05*x*y"]})).build(
        MPI.COMM_SELF
    )
    material = {"young_modulus": "1 + 0.2*x", "poisson_ratio": 0.4}
    params = {"geometry": geometry, "material": material, "locking": "b_bar"}
    equation = model.cls(model.params.model_validate(params)).equations[0]
    form = Form(Space(mesh, degree, 2), equation, backend=backend)
    rng = np.random.default_rng(0)
    u, step = rng.standard_normal((2, form.space.n_local, 2))
    zero = form.residual(0.0, 0.0 * u, None, {})
    slope = form.residual(0.0, step, None, {}) - zero  # the residual is affine
    matrix = form.jacobian(0.0, u, None, 0.0, {})
    x = form.space.vector()
    x.setArray(step.ravel())
    product = matrix * x
    assert product.getArray() == pytest.approx(slope.ravel(), rel=1e-9, abs=1e-9)
    assert (matrix - matrix.copy().transpose()).norm() < 1e-12 * matrix.norm()
