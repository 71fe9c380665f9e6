"""Lives against closed forms: cycles whose ranges are known, curves solved backwards, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from plexus import registry
from plexus.errors import InputError
from plexus.life._curves import reversals
from plexus.life._cycle import Cycle, farthest, mises

E = 200e9
CURVE = {"strength": 1000e6, "strength_exponent": -0.09, "ductility": 0.5, "ductility_exponent": -0.6}


def criterion(name, **given):
    found = registry.component("life", name)
    return found.cls(found.params.model_validate(given))


def uniaxial(stress, plastic, times=None, temperature=None, axis=0):
    """Return a cycle of one point in tension along an axis."""
    stress, plastic = np.array(stress, dtype=float), np.array(plastic, dtype=float)
    s, e = np.zeros((len(stress), 1, 6)), np.zeros((len(stress), 1, 6))
    s[:, 0, axis] = stress
    e[:, 0, :3] = -0.5 * plastic[:, None]
    e[:, 0, axis] = plastic
    p = np.concatenate([[0], np.cumsum(np.abs(np.diff(plastic)))])[:, None]
    heat = None if temperature is None else np.array(temperature, dtype=float)[:, None]
    times = np.arange(len(stress)) if times is None else times
    return Cycle(np.array(times, dtype=float), s, e + s / E, e, p, np.full(p.shape, E), heat)


LOOP = uniaxial([0, 200e6, 300e6, -300e6, 0], [0, 0, 0.004, -0.004, 0])
"""Δσ = 600 MPa, Δε_p = 0.008, Δε = 0.011, mean stress zero."""


def turned(cycle, seed=0):
    """Return a cycle in other axes."""
    q = np.linalg.qr(np.random.default_rng(seed).standard_normal((3, 3)))[0]
    place = np.array([[0, 3, 5], [3, 1, 4], [5, 4, 2]])

    def move(a):
        m = np.einsum("ia,...ab,jb->...ij", q, a[..., place], q)
        return np.stack([m[..., i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0))], -1)

    moved = (move(a) for a in (cycle.stress, cycle.strain, cycle.plastic))
    return Cycle(cycle.times, *moved, cycle.p, cycle.modulus, cycle.temperature)


@pytest.mark.parametrize("cycle", [LOOP, turned(LOOP)])
def test_ranges_of_a_uniaxial_loop_are_those_of_the_bar(cycle):
    assert np.allclose(cycle.stress_range, 600e6) and np.allclose(cycle.plastic_range, 0.008)
    assert np.allclose(cycle.strain_range, 600e6 / E + 0.008)
    assert np.allclose(cycle.peak_stress, 300e6) and np.allclose(cycle.mean_stress, 0, atol=1)
    assert np.allclose(cycle.growth, 0.016) and np.allclose(cycle.peak_mises, 300e6)
    # Σ σ Δε_p = 300 0.004 + 300 0.008 + 0
    assert np.allclose(cycle.dissipated, 3.6e6)


def test_a_range_is_that_of_the_farthest_pair():
    rng = np.random.default_rng(1)
    a = rng.standard_normal((7, 5000, 6))
    size, pair = farthest(a)
    every = max((mises(a[i] - a[j]) for i in range(7) for j in range(i)), key=lambda n: n[17])
    assert size[17] == pytest.approx(every[17]) and np.allclose(mises(pair), size)
    # a hydrostatic stress and a uniform thermal strain have no range
    assert np.allclose(farthest(np.ones((2, 3, 6)) * np.array([[[0]], [[1]]]) * [1, 1, 1, 0, 0, 0])[0], 0)


def test_signs_follow_the_plane_of_the_largest_change():
    """In torsion with a tension held the plane is one of 45°, its mean half of the tension and more."""
    s = np.zeros((3, 1, 6))
    s[:, 0, 0], s[:, 0, 3] = 100e6, [100e6, -100e6, 100e6]
    z = np.zeros((3, 1))
    cycle = Cycle(np.arange(3.0), s, 0 * s, 0 * s, z, z + E)
    # across n = (1, ±1, 0)/√2 stress is 50 ± 100 MPa; range of the pair √3 200 MPa
    assert cycle.mean_stress == pytest.approx(50e6) and cycle.peak_stress == pytest.approx(150e6)
    assert cycle.stress_range == pytest.approx(3**0.5 * 200e6)


@pytest.mark.parametrize("n", [10.0, 1e3, 1e5, 1e8])
def test_strain_life_is_found_back(n):
    """Choose N, make the cycle that lives so long (Δε_p and Δσ by the two terms), and find N."""
    x = 2 * n
    plastic, stress = 2 * 0.5 * x**-0.6, 2 * 1000e6 * x**-0.09
    cycle = turned(uniaxial([0, stress / 2, -stress / 2], [0, plastic / 2, -plastic / 2]), seed=int(n))
    assert 1 / criterion("manson_coffin_basquin", **CURVE).damage(cycle) == pytest.approx(n, rel=1e-9)
    # without mean stress σ_max Δε/2 = (σ_f'/E x^b + ε_f' x^c) σ_f' x^b: both curves say the same
    assert 1 / criterion("smith_watson_topper", **CURVE).damage(cycle) == pytest.approx(n, rel=1e-9)


def test_peak_stress_shortens_a_life_and_compression_takes_none():
    swt = criterion("smith_watson_topper", **CURVE)
    raised = uniaxial([200e6, 500e6, -100e6], [0, 0.004, -0.004])
    pressed = uniaxial([-700e6, -100e6, -700e6], [0, 0.008, 0])
    assert swt.damage(raised) > swt.damage(LOOP) > 0 == swt.damage(pressed)
    mcb = criterion("manson_coffin_basquin", **CURVE)
    assert mcb.damage(raised) == pytest.approx(mcb.damage(uniaxial([0, 300e6, -300e6], [0, 0.004, -0.004])))


def in_shear(pressed, tilt):
    """Return shear of ±300 MPa along 11 and -22, a held pressure along 22, and a little more along 11."""
    s = np.zeros((2, 1, 6))
    s[:, 0, 0], s[:, 0, 1] = [300e6 + tilt, -300e6], [-300e6 - pressed, 300e6 - pressed]
    z = np.zeros((2, 1))
    return Cycle(np.arange(2.0), s, 0 * s, 0 * s, z, z + E)


def test_of_planes_that_change_alike_that_in_tension_counts():
    """A hair's breadth decides which plane changes most, not how long the point lives."""
    swt = criterion("smith_watson_topper", **CURVE)
    lives = [1 / swt.damage(turned(in_shear(500e6, tilt))) for tilt in (-10.0, 10.0)]
    assert lives[0] == pytest.approx(lives[1], rel=1e-4)
    assert lives[0] == pytest.approx(1 / swt.damage(in_shear(0.0, 10.0)), rel=1e-4)
    # pulled both ways at a free surface the thickness changes most, and nothing pulls there
    both = np.zeros((2, 1, 6))
    both[0, 0, :2] = 300e6
    z = np.zeros((2, 1))
    assert swt.damage(Cycle(np.arange(2.0), both, 0 * both, 0 * both, z, z + E)) > 0


def test_energy_is_a_power():
    energy = criterion("dissipated_energy", work="500 MJ/m^3", exponent=-0.7)
    assert 1 / energy.damage(LOOP) == pytest.approx(0.5 * (3.6e6 / 500e6) ** (1 / -0.7))
    assert energy.damage(uniaxial([0, 1e8, 0], [0, 0, 0])) == 0


CREEP = {"stresses": [100e6, 200e6, 400e6], "parameters": [29000, 27000, 24500], "constant": 20}


@pytest.mark.parametrize(("stress", "parameter"), [(200e6, 27000), (50e6, 29000), (100e6 * 2**0.5, 28000)])
def test_creep_takes_shares_of_the_time_to_rupture(stress, parameter):
    """1 000 s at 1 200 K: log10 t_r = P/T - C in hours; P is linear in log σ and kept below the table."""
    held = turned(uniaxial([stress] * 3, [0, 0, 0], [0, 400, 1000], [1200.0] * 3))
    rupture = 3600 * 10 ** (parameter / 1200 - 20)
    assert criterion("larson_miller", **CREEP).damage(held) == pytest.approx(1000 / rupture)


def test_creep_above_its_table_goes_on_and_is_told():
    creep = criterion("larson_miller", **CREEP)
    held = uniaxial([800e6] * 2, [0, 0], [0, 1], [1200.0] * 2)
    assert creep.damage(held) * 3600 == pytest.approx(10 ** (20 - 22000 / 1200))
    assert list(creep.misses(held).values()) == [1] and list(creep.misses(LOOP).values()) == [0]
    pulled = criterion("larson_miller", **CREEP, of="max_principal")
    assert pulled.damage(uniaxial([-2e8] * 2, [0, 0], [0, 1], [1200.0] * 2)) == 0


def test_shares_add_up():
    held = uniaxial([0, 2e8, 2e8, 0], [0, 0, 0.002, 0], [0, 1, 100, 101], [1200.0] * 4)
    parts = [{"type": "manson_coffin_basquin", **CURVE}, {"type": "larson_miller", **CREEP}]
    both = criterion("linear", of=parts)
    alone = [criterion("manson_coffin_basquin", **CURVE), criterion("larson_miller", **CREEP)]
    assert both.damage(held) == pytest.approx(sum(c.damage(held) for c in alone))
    assert both.needs == {"stress", "young_modulus", "temperature"} and len(both.misses(held)) == 1


def test_data_are_those_of_the_hottest_instant():
    table = {"table": [[300, 1000e6], [1300, 500e6]], "of": "temperature"}
    hot = uniaxial([0, 3e8, -3e8], [0, 0.004, -0.004], temperature=[300, 1300, 600])
    warm = criterion("manson_coffin_basquin", **CURVE | {"strength": table})
    cold = criterion("manson_coffin_basquin", **CURVE | {"strength": 500e6})
    assert warm.damage(hot) == pytest.approx(cold.damage(hot)) and "temperature" in warm.needs
    beyond = uniaxial([0, 3e8, -3e8], [0, 0.004, -0.004], temperature=[300, 1400, 600])
    assert warm.misses(beyond) == {"temperatures beyond the table of strength": 1}


def test_lives_shorter_than_the_tests_are_told():
    mcb = criterion("manson_coffin_basquin", **CURVE, lives=(5000, 1e6))
    assert sum(mcb.misses(LOOP).values()) == 1
    assert sum(criterion("manson_coffin_basquin", **CURVE, lives=(10, 1e6)).misses(LOOP).values()) == 0


def test_two_powers_are_solved_over_all_lives():
    n = np.logspace(-0.3, 12, 200)
    y = 0.005 * n**-0.09 + 0.5 * n**-0.6
    found = reversals(y, np.full(200, 0.005), np.full(200, 0.5), -0.09, -0.6)
    assert np.allclose(found, n, rtol=1e-10)
    assert np.isinf(reversals(np.zeros(1), np.ones(1), np.ones(1), -0.1, -0.5))
    assert reversals(np.array([1e-3]), np.zeros(1), np.ones(1), -0.1, -0.5) == pytest.approx(1e6)


def test_data_by_regions_and_wrong_tables_are_refused():
    with pytest.raises(InputError, match="data of one material"):
        criterion("manson_coffin_basquin", **CURVE | {"strength": {"regions": {"a": 1e9, "b": 2e9}}})
    with pytest.raises(ValueError, match="decrease"):
        criterion("larson_miller", stresses=[1e6, 2e6], parameters=[1.0, 2.0])


@pytest.mark.parametrize("name", ["manson_coffin_basquin", "smith_watson_topper"])
def test_data_that_nothing_would_break_are_refused(name):
    with pytest.raises(ValueError, match=r"both 0|must be > 0"):
        criterion(name, **CURVE | {"strength": 0, "ductility": 0})


@pytest.mark.parametrize("lives", [(100, 10), (-1, 10), (0, 10), (10, 10)])
def test_lives_of_tests_are_a_range(lives):
    with pytest.raises(ValueError, match="the shortest and the longest life"):
        criterion("manson_coffin_basquin", **CURVE, lives=lives)


def test_data_that_become_negative_with_the_temperature_give_no_life():
    warm = uniaxial([0, 3e8, -3e8], [0, 0.004, -0.004], temperature=[300, 1300, 600])
    falling = criterion("smith_watson_topper", **CURVE | {"strength": "1e9 - 1e6*temperature"})
    with pytest.raises(InputError, match=r"life\.strength: must be > 0, not -3e"):
        falling.damage(warm)
