"""Published values that follow from an equation or a series, derived again and held against the decks."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from plexus.deck.load import load

DECKS = Path(__file__).parents[2] / "input_decks" / "verification"


def root(f: Callable[[float], float], low: float, high: float) -> float:
    """Return where f changes its sign between low and high."""
    negative = f(low) < 0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (f(middle) < 0) == negative else (low, middle)
    return (low + high) / 2


def bessel(order: int, x: float) -> float:
    """Return J_n(x) from Bessel's integral; the rule converges exponentially."""
    t = (np.arange(400) + 0.5) * np.pi / 400
    return float(np.cos(order * t - x * np.sin(t)).mean())


def radiating_rod() -> dict[str, float]:
    """NAFEMS T2: what is conducted to the end is radiated there."""
    return {"end": root(lambda T: 55.6 * (1000 - T) / 0.1 - 0.98 * 5.670374e-8 * (T**4 - 300**4), 300, 1000)}


def swinging_rod() -> dict[str, float]:
    """NAFEMS T3: Duhamel's integral of the sine series."""
    length, x, t, w = 0.1, 0.08, 32.0, math.pi / 40
    n = np.arange(1, 4001)
    rate = 35 / (7200 * 440.5) * (n * math.pi / length) ** 2
    share = 2 * (-1.0) ** (n + 1) / (n * math.pi)
    past = w * (rate * math.cos(w * t) + w * math.sin(w * t) - rate * np.exp(-rate * t)) / (rate**2 + w**2)
    waves = (share * past * np.sin(n * math.pi * x / length)).sum()
    return {"celsius": 100 * (x / length * math.sin(w * t) - waves)}


def convecting_plate() -> dict[str, float]:
    """NAFEMS T4: eigenfunctions cos(λx) with λ tan(λa) = h/k."""
    a, b, x, y, h = 0.6, 1.0, 0.6, 0.2, 750 / 52
    total = 0.0
    for n in range(300):
        low, high = n * math.pi + 1e-12, (n + 0.5) * math.pi
        s = root(lambda z: z * math.sin(z) - h * a * math.cos(z), low, high) / a
        wave = 200 * math.sin(s * a) / (s * a + math.sin(s * a) * math.cos(s * a)) * math.cos(s * x)
        left, whole = (1 + h / s + (1 - h / s) * math.exp(-2 * s * d) for d in (b - y, b))
        total += wave * math.exp(-s * y) * left / whole
    return {"celsius": total}


def quenched_cylinder() -> dict[str, float]:
    """Carslaw and Jaeger 7.7 with Biot number 1 at Fourier number 0.5."""
    roots = [
        root(lambda z: z * bessel(1, z) - bessel(0, z), low, low + 0.05)
        for low in np.arange(0.05, 40, 0.05)
        if (low * bessel(1, low) < bessel(0, low))
        != ((low + 0.05) * bessel(1, low + 0.05) < bessel(0, low + 0.05))
    ]
    terms = [(z, 200 * math.exp(-(z**2) * 0.5) / ((z**2 + 1) * bessel(0, z))) for z in roots]
    return {"axis": sum(a for _, a in terms), "surface": sum(a * bessel(0, z) for z, a in terms)}


def large_block() -> dict[str, float]:
    """Holman's example: the error function."""
    return {"celsius": 250 - 215 * math.erf(0.025 / (2 * math.sqrt(1.4e-5 * 30)))}


def lame_cylinder() -> dict[str, float]:
    """MacNeal and Harder's thick cylinder by Lamé."""
    a, b, nu = 3, 9, 0.4999
    return {"bore": (1 + nu) * a**2 / (1000 * (b**2 - a**2)) * ((1 - 2 * nu) * a + b**2 / a)}


def lame_sphere() -> dict[str, float]:
    """A thick sphere under internal pressure by Lamé."""
    nu, b = 0.4999, 2.0
    factor = 1e6 / (1e9 * (b**3 - 1))
    bore, outside = (factor * ((1 - 2 * nu) * r + (1 + nu) * b**3 / (2 * r**2)) for r in (1.0, b))
    # at the free side the hoop strain u/b is (1 - ν) σ_θ/E
    return {"bore": bore, "pole": bore, "outside": outside, "hoop": 1e9 * outside / b / (1 - nu)}


def ring(
    strain: Callable[[float], float], load: Callable[[float], float], a: float, b: float, nu: float
) -> tuple[float, float]:
    """Return u(a) and u(b) of a ring in plane stress, free at its rims.

    (r σ_r)' - σ_θ + r s f = 0 with s = E/(1-ν²), thermal strain e and load s f:
    σ_r = s (u' + ν u/r - (1+ν) e), σ_θ = s (u/r + ν u' - (1+ν) e). 800 lines of two nodes, one point each.
    """
    n = 800
    h = (b - a) / n
    matrix, right = np.zeros((n + 1, n + 1)), np.zeros(n + 1)
    slope, value = np.array([-1, 1]) / h, np.array([0.5, 0.5])
    for i in range(n):
        r = a + (i + 0.5) * h
        hoop = value / r
        mixed = np.outer(slope, hoop)
        matrix[i : i + 2, i : i + 2] += (
            r * h * (np.outer(slope, slope) + np.outer(hoop, hoop) + nu * (mixed + mixed.T))
        )
        right[i : i + 2] += r * h * ((1 + nu) * strain(r) * (slope + hoop) + load(r) * value)
    u = np.linalg.solve(matrix, right)
    return float(u[0]), float(u[-1])


def test_rings_follow_from_equilibrium() -> None:
    """In plane strain E/(1-ν²), ν/(1-ν), (1+ν)α stand for E, ν, α; at free rims σ_θ = E (u/r - e)."""
    nu, m, alpha = 0.3, 0.3 / 0.7, 12e-6
    e = 200e9 / (1 - nu**2)
    strain = (1 + nu) * alpha * 100
    inner, outer = ring(lambda r: strain * math.log2(0.2 / r), lambda r: 0, 0.1, 0.2, m)
    hot = {"growth": outer, "hoop_outside": e * outer / 0.2, "hoop_inside": e * (inner / 0.1 - strain)}
    compare("thermal_cylinder", hot | {"axial_inside": nu * hot["hoop_inside"] - 200e9 * alpha * 100}, 1e-5)
    e = 210e9 / (1 - nu**2)
    pull = 7850 * (12000 * math.pi / 30) ** 2 * (1 - m**2) / e
    inner, outer = ring(lambda r: 0, lambda r: pull * r, 0.05, 0.2, m)
    turning = {"growth": outer, "hoop_outside": e * outer / 0.2, "hoop_inside": e * inner / 0.05}
    compare("rotating_cylinder_sector", turning, 1e-5)


def pressed_bars() -> dict[str, float]:
    """Holman's bars: resistances in a row."""
    length, contact = 2 * 0.1 / 16.3, 5.28e-4
    return {
        "flow": math.pi * 0.015**2 * 100 / (length + contact),
        "drop": 100 * contact / (length + contact),
    }


def glued_chip() -> dict[str, float]:
    """Incropera's chip: one way straight to the air, another through glue and plate."""
    through = 1 / (0.9e-4 + 8e-3 / 239 + 1 / 100)
    rise = 1e4 / (100 + through)
    return {"chip": 25 + rise, "glued": rise * through}


def compare(name: str, derived: dict[str, float], within: float) -> None:
    """Hold derived values against the references of a deck."""
    references = {v.quantity: v.reference for v in load(DECKS / f"{name}.yaml").verification}
    assert {key: references[key] for key in derived} == pytest.approx(derived, rel=within)


CASES = {
    "nafems_t2": (radiating_rod, 1e-5),
    "nafems_t3": (swinging_rod, 2e-4),
    "nafems_t4": (convecting_plate, 3e-4),
    "quench_cylinder": (quenched_cylinder, 1e-6),
    "holman_block": (large_block, 1e-4),
    "holman_contact": (pressed_bars, 2e-3),
    "incropera_chip": (glued_chip, 1e-4),
    "macneal_cylinder": (lame_cylinder, 1e-5),
    "sphere_incompressible": (lame_sphere, 1e-8),
}


@pytest.mark.parametrize("name", CASES)
def test_reference_follows_from_its_equation(name: str) -> None:
    derive, within = CASES[name]
    compare(name, derive(), within)
