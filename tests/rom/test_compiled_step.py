"""Force, slope and memory of a compiled step are those of the law on arrays, whatever fills the lanes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from plexus.laws import _mises
from plexus.registry import component
from plexus_kernels.native.galerkin import PLACES, Bodies

BACKS = ({"modulus": "100 GPa", "recall": 1000}, {"modulus": "20 GPa"})


def law_of(backs):
    """Return a law with some back strains."""
    found = component("law", "chaboche" if backs else "j2")
    viscous = {"back_stresses": BACKS[:backs], "viscosity": {"drag": "300 MPa", "exponent": 30}}
    data = {"young_modulus": "200 GPa", "poisson_ratio": 0.3, "yield_stress": "10 MPa",
            "hardening": {"slope": "1 GPa", "gain": "50 MPa", "rate": 100}}  # fmt: skip
    return found.cls(found.params.model_validate(data | (viscous if backs else {})))


def symmetric(rng, *shape):
    a = rng.standard_normal((*shape, 3, 3))
    return (a + a.swapaxes(-1, -2)) / 2


@pytest.mark.parametrize(("points", "modes", "backs"), [(1, 1, 0), (13, 3, 1), (40, 9, 2), (16, 17, 1)])
def test_a_compiled_step_is_that_of_arrays(monkeypatch, points, modes, backs):
    monkeypatch.setattr(_mises, "_compiled", lambda: None)
    rng, law = np.random.default_rng(points), law_of(backs)
    e = 1e-3 * np.moveaxis(symmetric(rng, modes, points), 0, -1).reshape(points, 9, modes)
    weights, offset = rng.random(points), 1e-3 * symmetric(rng, points)
    before = {s.name: np.zeros((points, 1) if s.shape == "scalar" else (points, 1, 9)) for s in law.internal}
    p = SimpleNamespace(
        x=np.zeros((points, 1, 3)), one=np.ones((1, 1)), dt=1.0, t=0.0, fields={}, before=before
    )
    data = np.stack([np.broadcast_to(a, (points, 1))[:, 0] for a in law.constants(p)])
    bodies, e = Bodies(np.ascontiguousarray(e), weights, backs), np.ascontiguousarray(e)
    bodies.put(data[None], offset.reshape(points, 9)[:, PLACES].T[None])
    springs = rng.standard_normal((modes, modes))
    springs = 1e3 * springs @ springs.T
    sprung = Bodies(e, weights, backs, springs=springs)
    # two steps, the second one from the memory of the first
    for g in (rng.standard_normal(modes), rng.standard_normal(modes)):
        strain = np.ascontiguousarray((e @ g).reshape(points, 1, 3, 3) + offset[:, None])
        answer = law.respond(p, strain, tangent=True, memory=True)
        force = np.einsum("k,ka,kan->n", weights, answer.stress.reshape(points, 9), e)
        slope = np.einsum("k,kam,kab,kbn->mn", weights, e, answer.tangent.reshape(points, 9, 9), e)
        found = [a.copy() for a in bodies.assemble(g, 1.0)]
        assert found[0] == pytest.approx(force, abs=1e-9 * np.abs(force).max())
        assert np.abs(found[1] - slope).max() <= 1e-9 * np.abs(slope).max()
        for spec, rows in zip(law.internal, bodies.ends, strict=True):
            known = answer.memory[spec.name].reshape(rows[0].shape)
            assert np.abs(rows[0] - known).max() <= 1e-9 * max(np.abs(known).max(), 1e-9)
        # the loads that hold this state lead Newton's method to it, from rest
        bodies.g[0] = 0.0
        steps = bodies.solve(1.0, -force[None], 1e-11)
        assert 1 <= steps[0] <= 20 and bodies.g[0] == pytest.approx(g, rel=1e-6, abs=1e-6)
        # on springs other loads do
        sprung.put(data[None], offset.reshape(points, 9)[:, PLACES].T[None])
        for rows, own in zip(sprung.memory, bodies.memory, strict=True):
            rows[:] = own
        sprung.g[0] = 0.0
        steps = sprung.solve(1.0, -(force + springs @ g)[None], 1e-11)
        assert 1 <= steps[0] <= 20 and sprung.g[0] == pytest.approx(g, rel=1e-6, abs=1e-6)
        p.before = answer.memory
        bodies.go_on()


def test_what_has_no_answer_is_told():
    """A strain that is no number ends Newton's method, and so does a body that resists nothing."""
    bodies = Bodies(np.zeros((3, 9, 2)), np.ones(3), 1, cases=2)
    data = np.array([1e5, 1e5, 10.0, 0, 0, 0, 300.0, 0.1, 1e5, 1e3])[None, :, None]
    bodies.put(data, np.array([0.0, np.nan])[:, None, None])
    assert list(bodies.solve(1.0, np.ones((2, 2)), 1e-8)) == [-1, -1]
