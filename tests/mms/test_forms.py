"""Assembled Jacobians against difference quotients of residuals, with boundary terms, on both backends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import study

from plexus import registry
from plexus.protocols import Since

CASES = study.all_cases()
TERMS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "temperature": [
        ("convection", {"coefficient": "2 + temperature", "ambient": 1}),
        ("radiation", {"emissivity": 0.5, "ambient": "300 + x"}),
    ],
    "displacement": [("pressure", {"value": "1 + x"}), ("spring", {"normal": 2, "tangential": 1})],
    "u": [("robin", {"coefficient": 2, "value": "u^2"}), ("flux", {"value": "x"})],
}


def forms(name: str, case: str, backend: str) -> list[Any]:
    """Return the forms of a model on a small box, and values of all its fields."""
    from mpi4py import MPI

    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space
    from plexus.spaces.quadrature_space import quadrature_space

    dim = CASES[name, case].dimensions[0]
    block = study.mesh(study.CELLS[dim][0], 2)
    source = registry.component("mesh", block.pop("type"))
    base = Space(source.cls(source.params.model_validate(block)).build(MPI.COMM_SELF), 2, 1)
    model = registry.component("physics", name)
    block = {k: v for k, v in CASES[name, case].physics.items() if k != "type"}
    equations = model.cls(model.params.model_validate(block)).equations
    spaces = {
        s.name: base.with_components(s.components(dim), s.shape == "scalar")
        for e in equations
        for s in e.fields
    }
    points = {s.name: quadrature_space(base, s, 2 * base.degree) for e in equations for s in e.internal}
    return [
        Form(
            spaces[e.field.name]
            if len(e.fields) == 1
            else base.with_components(sum(spaces[s.name].components for s in e.fields)),
            e,
            [("right", term(*t, e.field)) for t in TERMS.get(e.field.name, ())],
            {**spaces, **points},
            None,
            backend,
        )
        for e in equations
    ]


def term(name: str, data: dict[str, Any], field: Any) -> Any:
    """Return a boundary term."""
    component = registry.component("boundary", name)
    return component.cls(component.params.model_validate(data), field)


SPREAD = {"hyperelasticity": 0.02}
"""How far nodal values of a physics may lie apart: no cell is to be turned inside out."""


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize(("name", "case"), list(CASES), ids=lambda v: v)
def test_jacobian_is_the_derivative_of_the_residual(name: str, case: str, backend: str) -> None:
    rng, t, shift, eps = np.random.default_rng(0), 0.3, 2.0, 1e-6
    parts = forms(name, case, backend)
    specs = {spec.name: (spec, f.space) for f in parts for spec in f.equation.fields}
    sizes = {k: (space.n_local, spec.components(space.mesh.dim)) for k, (spec, space) in specs.items()}
    fields = {k: 1 + SPREAD.get(name, 0.3) * rng.random(size) for k, size in sizes.items()}
    for form in parts:
        space = form.space
        memory = {s.name: 0.5 * rng.random(form.spaces[s.name].zeros().shape) for s in form.equation.internal}
        known, since = {**fields, **memory}, Since(0.2, memory)
        u = np.hstack([fields[spec.name] for spec in form.equation.fields])
        direction = rng.standard_normal(u.shape)

        def residual(
            h: float, form: Any = form, u: Any = u, d: Any = direction, known: Any = known, s: Any = since
        ) -> np.ndarray:
            moved = u + h * d
            return form.residual(t, moved, 0.1 * u + shift * h * d, known, s).ravel()

        x, y = space.vector(), space.vector()
        x.setArray(direction.ravel())
        form.jacobian(t, u, 0.1 * u, shift, known, since).mult(x, y)
        quotient = (residual(eps) - residual(-eps)) / (2 * eps)
        np.testing.assert_allclose(y.getArray(), quotient, atol=1e-8 * np.abs(quotient).max())


@pytest.mark.parametrize(("name", "case"), list(CASES), ids=lambda v: v)
def test_a_form_on_tensors_is_its_residual_tested(name: str, case: str) -> None:
    """λᵀF by the formulas on tensors is λ times the assembled F, and its gradient in u is Aᵀλ."""
    import torch

    from plexus.spaces.tested import TestedForm

    rng, t, shift = np.random.default_rng(0), 0.3, 2.0
    parts = forms(name, case, "native")
    specs = {spec.name: (spec, f.space) for f in parts for spec in f.equation.fields}
    sizes = {k: (space.n_local, spec.components(space.mesh.dim)) for k, (spec, space) in specs.items()}
    fields = {k: 1 + SPREAD.get(name, 0.3) * rng.random(size) for k, size in sizes.items()}
    for form in parts:
        memory = {s.name: 0.5 * rng.random(form.spaces[s.name].zeros().shape) for s in form.equation.internal}
        known = fields | memory
        u = np.hstack([fields[spec.name] for spec in form.equation.fields])
        lam = rng.standard_normal(u.shape)
        tensors = {k: torch.from_numpy(a) for k, a in known.items()}
        v = torch.from_numpy(u).requires_grad_(True)
        since = Since(0.2, {k: tensors[k] for k in memory})
        found = TestedForm(form)(
            t, v, 0.1 * v.detach() + shift * (v - v.detach()), tensors, torch.from_numpy(lam), since
        )
        rows = form.residual(t, u, 0.1 * u, known, Since(0.2, memory))
        assert found.item() == pytest.approx((lam * rows).sum(), rel=1e-11)
        x, y = form.space.vector(), form.space.vector()
        x.setArray(lam.ravel())
        form.jacobian(t, u, 0.1 * u, shift, known, Since(0.2, memory)).multTranspose(x, y)
        (slope,) = torch.autograd.grad(found, v)
        assert np.allclose(slope.numpy().ravel(), y.getArray(), rtol=0, atol=1e-10 * abs(y.getArray()).max())
