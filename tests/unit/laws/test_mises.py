"""Laws after von Mises against closed forms, a published point, and data that are hard to solve."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from plexus import registry
from plexus.errors import InputError
from plexus.laws import _flow, _mises
from plexus_kernels.native import viscoplastic

CUBE = {
    "type": "chaboche", "young_modulus": 200e3, "poisson_ratio": 0.3, "yield_stress": 10,
    "back_stresses": [{"modulus": 1e5, "recall": 1000}], "viscosity": {"drag": 300, "exponent": 30},
}  # fmt: skip


def made(data):
    component = registry.component("law", data["type"])
    return component.cls(component.params.model_validate({k: v for k, v in data.items() if k != "type"}))


def point(before, dt):
    return SimpleNamespace(x=np.zeros((1, 1, 3)), one=np.ones((1, 1)), dt=dt, before=before, t=0.0, fields={})


def virgin(law, cells=1):
    return {s.name: np.zeros((cells, 1) if s.shape == "scalar" else (cells, 1, 9)) for s in law.internal}


def pulled(law, path, dt, before):
    """March under uniaxial stress along strains of axis x; return the stresses there and the last memory."""
    found, aside = [], 0.0
    for axial in path:
        for _ in range(60):
            strain = np.diag([axial, aside, aside])[None, None]
            answer = law.respond(point(before, dt), strain, tangent=True, memory=True)
            rest = answer.stress[0, 0, 1, 1]
            if abs(rest) < 1e-9:
                break
            slope = answer.tangent[0, 0, 1, 1]
            aside -= rest / (slope[1, 1] + slope[2, 2])
        before = {**before, **answer.memory}
        found.append(answer.stress[0, 0, 0, 0])
    return np.array(found), before


@pytest.mark.parametrize("rate", [1e-5, 1e-3, 1e-1])
def test_saturated_flow_at_a_constant_rate(rate):
    """σ = R₀ + C/D + K r^(1/N) where X has saturated; J. Lemaitre, J.-L. Chaboche 1990, section 6.4."""
    law = made(CUBE)
    path = np.linspace(0, 0.02, 51)[1:]
    stress = pulled(law, path, path[0] / rate, virgin(law))[0]
    assert stress[-1] == pytest.approx(10 + 100 + 300 * rate ** (1 / 30), rel=1e-6)


def test_the_peak_of_a_stabilised_cycle():
    """R₀ + (C/D) tanh(D Δε_p/2) + K ṗ^(1/N), Δε_p the range of plastic strain, to the first order in Δt."""
    law = made(CUBE | {"viscosity": {"drag": 20, "exponent": 8}})
    up = np.linspace(-4e-3, 4e-3, 401)
    before, found = virgin(law), []
    for _ in range(4):
        for path in (up[1:], up[-2::-1]):
            stress, before = pulled(law, path, 1.0, before)
            found.append((stress[-1], before["plastic_strain"][0, 0, 0], before["p"][0, 0]))
    (low, a, p0), (high, b, p1) = found[-1], found[-2]
    rate = (found[-1][2] - found[-2][2]) / 400
    half = abs(b - a) / 2
    expected = 10 + 100 * np.tanh(1000 * half) + 20 * (8e-3 / 400) ** (1 / 8)
    assert rate > 0 and p0 > p1
    assert high == pytest.approx(expected, rel=2e-3) and low == pytest.approx(-expected, rel=2e-3)


def test_a_published_point():
    """One step of creep released with Mordicus (Z-mat): dt 1 s, E 260 GPa, ν 0.3, K 400 MPa s^(1/7), N 7."""
    law = made({"type": "norton", "young_modulus": 260e3, "poisson_ratio": 0.3,
                "viscosity": {"drag": 400, "exponent": 7}})  # fmt: skip
    xx, yy, zz = -3.3628699737546665e-4, 2.1847656995628707e-5, 2.1847656995562933e-5
    xy, xz, yz = -1.0904596632688759e-4, -1.090459663269204e-4, 1.1680782975309023e-6
    strain = np.array([[[[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]]])
    found = law.respond(point(virgin(law), 1.0), strain, memory=True)
    expected = [[-108.26729044, -20.49434604, -20.49434604], [-20.49434604, -40.95865188, 0.21953128]]
    assert np.allclose(found.stress[0, 0, :2], expected, rtol=2e-5, atol=2e-5 * 20)
    assert found.memory["p"][0, 0] == pytest.approx(1.79571e-5, rel=5e-4)


@pytest.mark.parametrize("exponent", [1, 2, 7, 30, 100])
@pytest.mark.parametrize("dt", [1e-6, 1e-2, 1.0, 1e4])
def test_six_looks_are_enough(exponent, dt, monkeypatch):
    """Whatever exponent and step are, on arrays and compiled: the last one sees that five steps did it."""
    law = made(CUBE | {"viscosity": {"drag": 300, "exponent": exponent}})
    rng = np.random.default_rng(exponent)
    monkeypatch.setattr(_flow, "ROUNDS", 6)
    monkeypatch.setattr(viscoplastic, "library", partial(viscoplastic.library, ROUNDS=6))
    monkeypatch.setattr(viscoplastic, "_function", viscoplastic._function.__wrapped__)
    before = virgin(law, 200)
    for _ in range(4):
        e = 3e-3 * rng.standard_normal((200, 1, 3, 3))
        strain = (e + e.swapaxes(2, 3)) / 2
        data, p = law.data(point(before, dt)), before["p"]
        tensors = {n: a.reshape(200, 1, 3, 3) for n, a in before.items() if n != "p"}
        memory = _flow.Memory(tensors["plastic_strain"], p, [tensors["back_strain_1"]])
        stress, _, _ = _flow.respond(strain, memory, dt, data, slope=False)
        answer = law.respond(point(before, dt), strain, memory=True)
        assert np.isfinite(stress).all() and np.isfinite(answer.stress).all()
        assert np.allclose(stress, answer.stress, rtol=1e-9, atol=1e-9 * np.abs(stress).max())
        before = answer.memory


@pytest.mark.parametrize("varied", [False, True])
@pytest.mark.parametrize(
    ("cells", "points", "share"), [(1, 1, 1.0), (3, 5, 0.5), (41, 4, 0.3), (41, 4, 1.0), (7, 9, 0.0)]
)
def test_compiled_answers_are_those_of_arrays(cells, points, share, varied, monkeypatch):
    """Whatever fills the lanes, flows or not, and whether data are one number or differ among points."""
    backs = [{"modulus": 1e5, "recall": 1000}, {"modulus": "2e4 + 1e4*y" if varied else 2e4}]
    law = made(CUBE | {"young_modulus": "200e3*(1 + 0.1*x)" if varied else 200e3, "back_stresses": backs,
                       "hardening": {"slope": 1000, "gain": 50, "rate": 100}})  # fmt: skip
    rng = np.random.default_rng(cells)
    before = {s.name: np.zeros((cells, points, *((9,) if s.shape == "tensor" else ()))) for s in law.internal}
    strain, moves = np.zeros((cells, points, 3, 3)), rng.random((cells, points, 1, 1)) < share
    where = rng.random((cells, points, 3))
    for _ in range(3):
        e = 3e-3 * rng.standard_normal((cells, points, 3, 3))
        strain = strain + moves * (e + e.swapaxes(2, 3)) / 2
        p = SimpleNamespace(x=where, one=np.ones((1, 1)), dt=1.0, before=before, t=0.0, fields={}, dim=3)
        found = law.respond(p, strain, tangent=True, memory=True)
        with monkeypatch.context() as patch:
            patch.setattr(_mises, "_compiled", lambda: None)
            known = law.respond(p, strain, tangent=True, memory=True)
        assert share == 0.0 or (known.memory["p"] > before["p"]).any()
        pairs = [(found.stress, known.stress), (found.tangent, known.tangent)]
        for a, b in pairs + [(found.memory[n], known.memory[n]) for n in before]:
            assert a.shape == b.shape and np.abs(a - b).max() <= 1e-9 * np.abs(b).max()
        before = {n: np.ascontiguousarray(a) for n, a in found.memory.items()}


def test_what_cannot_be_answered_is_not_a_number():
    law = made(CUBE)
    strain = np.zeros((2, 1, 3, 3))
    strain[1, 0, 0, 0] = np.nan
    stress = law.respond(point(virgin(law, 2), 1.0), strain).stress
    assert np.isfinite(stress[0]).all() and np.isnan(stress[1]).any()


def test_isotropic_hardening_follows_its_curve():
    """J₂ = R₀ + H p + Q (1 - e^(-b p)) in tension without delay."""
    law = made({"type": "j2", "young_modulus": 200e3, "poisson_ratio": 0.3, "yield_stress": 200,
                "hardening": {"slope": 1000, "gain": 80, "rate": 50}})  # fmt: skip
    stress, end = pulled(law, np.linspace(0, 0.05, 21)[1:], 1.0, virgin(law))
    p = end["p"][0, 0]
    assert stress[-1] == pytest.approx(200 + 1000 * p + 80 * (1 - np.exp(-50 * p)), rel=1e-10)
    assert p == pytest.approx(0.05 - stress[-1] / 200e3, rel=1e-9)


def test_the_linear_rule_of_prager_moves_the_surface():
    """After a load to R₀ + C ε_p a body yields in the other direction 2 R₀ below."""
    law = made({"type": "j2", "young_modulus": 200e3, "poisson_ratio": 0.3, "yield_stress": 200,
                "back_stresses": [{"modulus": 20e3}]})  # fmt: skip
    stress, end = pulled(law, np.linspace(0, 0.01, 11)[1:], 1.0, virgin(law))
    top = 200 + 20e3 * end["plastic_strain"][0, 0, 0]
    assert stress[-1] == pytest.approx(top, rel=1e-10)
    back = 0.01 - np.array([0.999, 1.001]) * 400 / 200e3
    _, before = pulled(law, back[:1], 1.0, end)
    _, after = pulled(law, back[1:], 1.0, before)
    assert before["p"][0, 0] == end["p"][0, 0] < after["p"][0, 0]


def test_a_back_stress_beyond_its_limit_has_an_answer():
    """In a body that cools X = 2/3 C a may exceed C/D: g falls steeper than by 3μ + 2C."""
    law = made(CUBE | {
        "young_modulus": 190e3, "yield_stress": 1000, "viscosity": {"drag": 1, "exponent": 7},
        "back_stresses": [{"modulus": 120e3, "recall": 800}],
    })  # fmt: skip
    rng = np.random.default_rng(3)
    before = virgin(law, cells=400)
    held = rng.standard_normal((400, 3, 3))
    held = held + held.transpose(0, 2, 1)
    held -= np.trace(held, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    size = np.sqrt(2 / 3 * (held**2).sum(axis=(1, 2)))
    held *= (rng.uniform(0, 10, 400) / 800 / size)[:, None, None]
    before["back_strain_1"] = held.reshape(400, 1, 9)
    strain = 2e-3 * rng.standard_normal((400, 1, 3, 3))
    strain = strain + strain.transpose(0, 1, 3, 2)
    answer = law.respond(point(before, 5.0), strain, tangent=True, memory=True)
    assert np.isfinite(answer.stress).all() and np.isfinite(answer.tangent).all()
    dp = (answer.memory["p"] - before["p"])[:, 0]
    s = answer.stress[:, 0] - np.trace(answer.stress[:, 0], axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    x = 2 / 3 * 120e3 * answer.memory["back_strain_1"].reshape(400, 3, 3)
    over = np.sqrt(1.5 * ((s - x) ** 2).sum(axis=(1, 2))) - 1000
    assert (dp > 0).sum() > 200 and np.allclose(over[dp > 0], (dp[dp > 0] / 5.0) ** (1 / 7), atol=1e-7)


@pytest.mark.parametrize(
    ("hardening", "told"),
    [
        ({"gain": 5}, "a gain without a rate has no effect"),
        ({"gain": -20, "rate": 3}, "falls from 10 Pa to -10 Pa"),
        # H p + Q (1 - e^(-b p)) is least where e^(-b p) = 1/6: -20 5/6 + 10/3 ln 6 = -10.7
        ({"gain": -20, "rate": 3, "slope": 10}, "falls from 10 Pa to"),
    ],
)
def test_a_yield_stress_that_falls_below_zero_is_refused(hardening, told):
    with pytest.raises((InputError, ValueError), match=told):
        made(CUBE | {"hardening": hardening})


@pytest.mark.parametrize("hardening", [{"gain": -9, "rate": 3}, {"gain": -20, "rate": 3, "slope": 60}])
def test_a_softening_that_leaves_some_of_it_is_taken(hardening):
    law = made(CUBE | {"hardening": hardening})
    p = np.linspace(0, 5, 2001)
    grown = law.hardening.slope.constant * p + law.hardening.gain.constant * (1 - np.exp(-3 * p))
    assert law.hardening.least() == pytest.approx(grown.min(), abs=1e-4)
