"""The neural potential that is shipped: what it has learned, its energy, its range, its bundle."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from plexus import registry
from plexus.errors import InputError
from plexus.learning.data import _paths
from plexus.learning.data._teachers import OfPotential
from plexus.potentials._invariants import Invariants
from plexus.potentials._learned import GRADIENTS, STRESSES
from plexus.protocols import Setting

BUNDLE = Path(__file__).parents[3] / "input_decks/solids/bundles/neural_potential.safetensors"
HASH = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
TEACHER = {"c1": 0.3e6, "c2": 0.02e6, "c3": 0.002e6, "bulk_modulus": 10e6}
POINT = SimpleNamespace(x=np.zeros((1, 1, 3)), one=np.ones((1, 1)), dim=3, t=0.0, fields={}, regions={})


def made(name, **given):
    component = registry.component("potential", name)
    return component.cls(component.params.model_validate(given))


def by_port(tensors, names):
    """Return the components of tensors (n, 3, 3) by name."""
    return {name: torch.from_numpy(tensors[:, k // 3, k % 3].copy()) for k, name in enumerate(names)}


@pytest.fixture
def potential():
    found = made("neural", checkpoint=str(BUNDLE), sha256=HASH)
    found.prepare(Setting())
    return found


def stress(potential, f):
    return potential.respond(POINT, f)[0]


def gradients(count, size, seed=0):
    """Return F = R exp ε of random strains with half the volume and random turns, (n, 1, 3, 3)."""
    rng = np.random.default_rng(seed)
    e = rng.standard_normal((count, 1, 3, 3))
    e = size * (e + e.swapaxes(2, 3)) / 2
    e = e - 0.5 / 3 * np.trace(e, axis1=2, axis2=3)[..., None, None] * np.eye(3)
    turns = np.linalg.qr(rng.standard_normal((count, 1, 3, 3)))[0]
    return turns * np.sign(np.linalg.det(turns))[..., None, None] @ OfPotential.asked(None, e)


def unseen(mode, paths=30):
    """Return stretches along paths with a seed of their own."""
    params = registry.component("sample", "gaussian_field").params.model_validate({
        "seed": 7, "size": [1.0], "edge": "neumann", "modes": 4, "tau": 3, "alpha": 1, "deviation": 0.12,
    })  # fmt: skip
    params._type = "gaussian_field"
    plan = SimpleNamespace(strain=params, modes=[mode], volume=0.25, paths=paths, steps=20)
    return OfPotential.asked(None, _paths.drawn(plan))


@pytest.mark.parametrize("mode", _paths.BASES)
def test_it_answers_unseen_paths_as_the_energy_that_it_learned(potential, mode):
    """Each path within 1 %, where the best neo-Hookean body is wrong by far more."""
    f = unseen(mode)
    assert (potential.guard.away(potential.looked(f.reshape(-1, 3, 3))) <= 0).all()
    true = stress(made("yeoh", **TEACHER), f)
    found, rival = stress(potential, f), potential.classical(f.reshape(-1, 3, 3)).reshape(f.shape)
    wrong, best, size = ((a**2).sum((1, 2, 3)) for a in (found - true, rival - true, true))
    assert np.sqrt(wrong / size).max() <= 1e-2 and np.sqrt(best.sum() / size.sum()) >= 0.03


def test_a_stretch_with_little_shear_is_known_at_every_volume(potential):
    """In the corners of the range too, where singular points of bodies are."""
    volumes, ratios = np.linspace(0.7, 1.3, 13) ** (1 / 3), np.linspace(1.02, 2.2, 13)
    f = np.array([np.diag([a, 1 / a, 1]) * size for size in volumes for a in ratios])[:, None]
    assert (potential.guard.away(potential.looked(f[:, 0])) <= 0).all()
    found, true = stress(potential, f), stress(made("yeoh", **TEACHER), f)
    assert (np.abs(found - true).max((1, 2, 3)) <= 1e-2 * np.abs(true).max((1, 2, 3))).all()


def test_the_tangent_meets_the_stress_to_the_second_order(potential):
    """What differences and tangent leave over falls with the square of the step."""
    f, change = gradients(50, 0.3), gradients(50, 0.3, seed=1) - np.eye(3)
    slope = np.einsum("...ijkl,...kl->...ij", potential.respond(POINT, f, slope=True)[1], change)
    left = [
        np.abs(stress(potential, f + h * change) - stress(potential, f) - h * slope).max()
        for h in (1e-3, 1e-4)
    ]
    assert np.log10(left[0] / left[1]) == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_any_weights_give_a_polyconvex_energy_that_is_zero_at_rest(seed):
    """Convex in F, A and J where A and J need not be cofactor and determinant of F."""
    rng = np.random.default_rng(seed)
    own = made("neural", seed=seed)
    own.scales = {"bulk": 3.0, "shear": 1.0, "strain": 0.5}
    own.weights = {name: 2 * rng.standard_normal(w.shape) for name, w in own.weights.items()}

    def energy(f, a, j):
        return own.energy_of(POINT, Invariants((f**2).sum((1, 2)), (a**2).sum((1, 2)), j, f, a))

    one, two = ((*rng.standard_normal((2, 500, 3, 3)), rng.uniform(0.2, 3, 500)) for _ in range(2))
    half = [(a + b) / 2 for a, b in zip(one, two, strict=True)]
    middle, sides = energy(*half), 0.5 * (energy(*one) + energy(*two))
    assert (sides - middle >= -1e-12 * np.abs(sides)).all()
    i = np.eye(3)[None, None]
    rest, slope = own.respond(POINT, i, slope=True)
    assert own.energy(POINT, i)[0, 0] == 0 and np.abs(rest).max() <= 1e-14 * np.abs(slope).max()
    flat = [own.energy(POINT, 10.0**-k * i)[0, 0] for k in (1, 3, 9, 27)]
    assert 0 < flat[0] < flat[1] < flat[2] < flat[3]


def test_a_closed_path_gives_and_takes_no_work(potential):
    """Gauss points on a pentagon of F, work over all that is done on the way."""
    rng = np.random.default_rng(3)
    corners = np.eye(3) + 0.2 * np.clip(rng.standard_normal((5, 3, 3)), -1, 1)
    s, w = np.polynomial.legendre.leggauss(24)
    net = total = 0.0
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        for low, high in itertools.pairwise(np.linspace(0, 1, 21)):
            at = low + (high - low) * (s + 1) / 2
            power = np.einsum(
                "nqij,ij->n", stress(potential, (a + at[:, None, None] * (b - a))[:, None]), b - a
            )
            power = power * w * (high - low) / 2
            net, total = net + power.sum(), total + np.abs(power).sum()
    assert total > 0 and abs(net) <= 1e-10 * total


def test_turns_turn_the_stress(potential):
    f, turn = gradients(50, 0.3), np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    turn = turn * np.sign(np.linalg.det(turn))
    expected = turn @ stress(potential, f)
    assert np.abs(stress(potential, turn @ f) - expected).max() <= 1e-12 * np.abs(expected).max()
    assert (
        np.abs(stress(potential, f @ turn) - stress(potential, f) @ turn).max()
        <= 1e-12 * np.abs(expected).max()
    )


def test_solutions_outside_of_the_range_are_counted(potential):
    potential.guard.begin()
    sound = gradients(90, 0.1)
    sound[0] = 0.9 * np.eye(3)  # Ī₁ = 3 but for rounding
    potential.judge(np.concatenate([sound, gradients(9, 3.0), -np.eye(3)[None, None]]))
    assert "10 % of the points" in potential.guard.verdict() and potential.guard.suspect
    potential.guard.use_fallback()
    f = gradients(10, 0.2)
    assert np.array_equal(stress(potential, f)[:, 0], potential.classical(f[:, 0]))
    assert np.array_equal(potential.energy(POINT, f), potential._rival.energy(POINT, f))


def test_the_rival_is_the_neo_hookean_body_that_fits_best(potential):
    """Fitted to the answers of one, its moduli are found."""
    f = gradients(40, 0.2)[:, 0]
    other = made("neo_hookean", young_modulus=3.0, poisson_ratio=0.4)
    fields, answers = by_port(f, GRADIENTS), by_port(stress(other, f[:, None])[:, 0], STRESSES)
    potential.calibrate(fields, answers)
    assert potential.scales["shear"] == pytest.approx(3 / 2.8, rel=1e-10)
    assert potential.scales["bulk"] == pytest.approx(3 / 0.6, rel=1e-10)
    with pytest.raises(InputError, match="no neo_hookean material fits them"):
        potential.calibrate(fields, {n: -a for n, a in answers.items()})


def test_training_sees_the_same_potential_on_tensors(potential):
    f = gradients(20, 0.2)[:, 0]
    fields = by_port(f, GRADIENTS)
    raw, mine = potential.raw(fields), potential.told(stress(potential, f[:, None])[:, 0])
    size = max(np.abs(a).max() for a in mine.values())
    assert all(np.abs(raw[n].detach().numpy() - mine[n]).max() <= 1e-12 * size for n in mine)


@pytest.mark.parametrize(("given", "told"), [
    ({"young_modulus": 1e9}, "young_modulus"),
    ({"guard": {"fallback": {"type": "neural"}}}, "learned itself"),
])  # fmt: skip
def test_what_a_learned_potential_has_not(given, told):
    with pytest.raises(ValueError, match=told):
        made("neural", **given)
