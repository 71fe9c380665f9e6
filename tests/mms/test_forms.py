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
    "c": [],  # a block takes no terms
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
        e.field.name: base.with_components(
            sum(s.components(dim) for s in e.fields), len(e.fields) == 1 and e.field.shape == "scalar"
        )
        for e in equations
    }
    points = {s.name: quadrature_space(base, s, 2 * base.degree) for e in equations for s in e.internal}
    return [
        Form(
            spaces[e.field.name],
            e,
            [("right", term(*t, e.field)) for t in TERMS[e.field.name]],
            {**points, **{n: s for n, s in spaces.items() if len(e.fields) == 1}},
            None,
            backend,
        )
        for e in equations
    ]


def term(name: str, data: dict[str, Any], field: Any) -> Any:
    """Return a boundary term."""
    component = registry.component("boundary", name)
    return component.cls(component.params.model_validate(data), field)


@pytest.mark.parametrize("backend", ["native", "torch"])
@pytest.mark.parametrize(("name", "case"), list(CASES), ids=lambda v: v)
def test_jacobian_is_the_derivative_of_the_residual(name: str, case: str, backend: str) -> None:
    rng, t, shift, eps = np.random.default_rng(0), 0.3, 2.0, 1e-6
    parts = forms(name, case, backend)
    spaces = {f.equation.field.name: f.space for f in parts}
    fields = {k: 1 + 0.3 * rng.random((s.n_local, s.components)) for k, s in spaces.items()}
    for form in parts:
        own, space = form.equation.field.name, form.space
        memory = {s.name: 0.5 * rng.random(form.spaces[s.name].zeros().shape) for s in form.equation.internal}
        known, since = {**fields, **memory}, Since(0.2, memory)
        u = fields[own]
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
