"""The neural law that is shipped: what it has learned, its energy, its range, its bundle."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from test_mises import made, point

from plexus import registry
from plexus.bundles import store
from plexus.bundles.golden import Pair
from plexus.errors import InputError
from plexus.laws._learned import STRAINS, components, tensor_of
from plexus.protocols import Setting

BUNDLE = Path(__file__).parents[3] / "input_decks/solids/bundles/neural_law.safetensors"
HASH = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
TEACHER = {
    "type": "ramberg_osgood", "young_modulus": 70e9, "poisson_ratio": 0.33, "reference_stress": 250e6,
    "exponent": 8,
}  # fmt: skip


@pytest.fixture
def law():
    found = made({"type": "neural", "checkpoint": str(BUNDLE), "sha256": HASH})
    found.prepare(Setting())
    return found


def strains(count, size, seed=0):
    """Return random symmetric strains with a third of the volume, (n, 1, 3, 3)."""
    e = np.random.default_rng(seed).standard_normal((count, 1, 3, 3))
    e = (e + e.swapaxes(2, 3)) / 2
    return size * (e - 0.7 / 3 * np.trace(e, axis1=2, axis2=3)[..., None, None] * np.eye(3))


def stress(law, strain, **more):
    return law.respond(point({}, 1.0), strain, **more).stress


def test_it_answers_unseen_paths_as_the_law_that_it_learned():
    """Straight paths from rest in directions that the training has not seen: each within 1 %."""
    learned = made({"type": "neural", "checkpoint": str(BUNDLE), "sha256": HASH})
    learned.prepare(Setting())
    teacher, ends = made(TEACHER), strains(100, 0.006, seed=5)
    path = np.linspace(0.05, 1, 20)[None, :, None, None] * ends
    assert (learned.guard.away(learned_features(path)) <= 0).all()
    true = teacher.respond(point({}, 1.0), path).stress
    wrong, size = ((a**2).sum((1, 2, 3)) for a in (stress(learned, path) - true, true))
    assert np.sqrt(wrong / size).max() <= 1e-2


def learned_features(path):
    flat = path.reshape(-1, 3, 3)
    dev = flat - np.trace(flat, axis1=1, axis2=2)[:, None, None] * np.eye(3) / 3
    return np.stack([np.trace(flat, axis1=1, axis2=2), np.linalg.norm(dev, axis=(1, 2))])


def test_the_tangent_is_symmetric_positive_and_the_derivative(law):
    strain, change = strains(200, 0.01), strains(200, 1e-8, seed=1)
    tangent = law.respond(point({}, 1.0), strain, tangent=True).tangent
    found = np.einsum("...ijkl,...kl->...ij", tangent, change)
    quotient = (stress(law, strain + change) - stress(law, strain - change)) / 2
    assert np.abs(found - quotient).max() <= 1e-6 * np.abs(quotient).max()
    square = tangent.reshape(-1, 9, 9)
    assert np.abs(square - square.swapaxes(1, 2)).max() <= 1e-14 * np.abs(square).max()
    # three zeros: turns
    assert np.linalg.eigvalsh(square)[:, 3:].min() > 0


@pytest.mark.parametrize("seed", range(3))
def test_any_weights_give_a_convex_potential_that_is_zero_at_rest(seed):
    rng = np.random.default_rng(seed)
    law = made({"type": "neural", "seed": seed})
    law.scales = {"bulk": 3.0, "shear": 1.0, "strain": 0.5}
    law.weights = {name: 3 * rng.standard_normal(w.shape) for name, w in law.weights.items()}
    a, b = strains(500, 2.0, seed=seed), strains(500, 2.0, seed=seed + 10)
    middle = 0.5 * (law.energy(a) + law.energy(b)) - law.energy((a + b) / 2)
    assert middle.min() >= 0 and law.energy(a).min() >= 0
    assert law.energy(0 * a[:1])[0, 0] == 0 and not stress(law, 0 * a[:1]).any()


def test_a_closed_path_gives_and_takes_no_work(law):
    """Gauss points on a pentagon of strains, work over all that is done on the way."""
    corners = strains(5, 0.01, seed=3)[:, 0]
    s, w = np.polynomial.legendre.leggauss(24)
    net = total = 0.0
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        edges = np.linspace(0, 1, 41)
        for low, high in itertools.pairwise(edges):
            at = low + (high - low) * (s + 1) / 2
            path = (a + at[:, None, None] * (b - a))[:, None]
            power = np.einsum("nqij,ij->n", stress(law, path), b - a) * w * (high - low) / 2
            net, total = net + power.sum(), total + np.abs(power).sum()
    assert total > 0 and abs(net) <= 1e-10 * total


def test_the_energy_has_the_stress_as_its_derivative(law):
    strain, change = strains(50, 0.01), strains(50, 1e-6, seed=1)
    quotient = (law.energy(strain + change) - law.energy(strain - change)) / 2
    power = np.einsum("nqij,nqij->nq", stress(law, strain), change)
    assert np.abs(quotient - power).max() <= 1e-6 * np.abs(power).max()


def test_turns_turn_the_stress(law):
    strain, turn = strains(50, 0.01), np.linalg.qr(np.random.default_rng(2).standard_normal((3, 3)))[0]
    turned = np.einsum("ai,nqij,bj->nqab", turn, strain, turn)
    expected = np.einsum("ai,nqij,bj->nqab", turn, stress(law, strain), turn)
    assert np.abs(stress(law, turned) - expected).max() <= 1e-12 * np.abs(expected).max()


def test_solutions_outside_of_the_range_are_counted(law):
    law.guard.begin()
    law.judge(np.concatenate([strains(90, 0.001), 100 * strains(10, 0.01)]))
    assert "10 % of the points" in law.guard.verdict() and law.guard.suspect and law.guard.farthest > 1
    law.guard.use_fallback()
    strain = strains(10, 0.01)
    dev = strain - np.trace(strain, axis1=2, axis2=3)[..., None, None] * np.eye(3) / 3
    linear = 2 * law.scales["shear"] * dev + law.scales["bulk"] * (strain - dev) * 3
    assert np.allclose(stress(law, strain), linear, rtol=1e-12)


def test_training_sees_the_same_law_on_tensors(law):
    strain = strains(20, 0.01)[:, 0]
    fields = {name: torch.from_numpy(v.copy()) for name, v in zip(STRAINS, _rows(strain), strict=True)}
    raw = law.raw(fields)
    mine = components(stress(law, strain[:, None])[:, 0])
    # components that cancel are right to rounding of the largest one
    size = max(np.abs(a).max() for a in mine.values())
    assert all(np.abs(raw[n].detach().numpy() - mine[n]).max() <= 1e-12 * size for n in mine)
    assert torch.equal(tensor_of(fields, STRAINS), torch.from_numpy(strain))


def _rows(strain):
    return [strain[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))]


def test_a_bundle_of_another_width_is_refused(law, tmp_path):
    loaded = store.load(BUNDLE)
    weights = {n: w[..., :1] if n == "join" else w for n, w in loaded.weights.items()}
    sha = store.save(tmp_path / "b.safetensors", loaded.metadata, weights, Pair(*_pair(loaded)))
    other = made({"type": "neural", "checkpoint": str(tmp_path / "b.safetensors"), "sha256": sha})
    with pytest.raises(InputError, match="weights: join must be"):
        other.prepare(Setting())


def _pair(loaded):
    return loaded.golden.inputs, loaded.golden.outputs


def test_weights_that_answer_otherwise_are_refused(law, tmp_path):
    loaded = store.load(BUNDLE)
    weights = {n: 1.1 * w for n, w in loaded.weights.items()}
    sha = store.save(tmp_path / "b.safetensors", loaded.metadata, weights, Pair(*_pair(loaded)))
    other = made({"type": "neural", "checkpoint": str(tmp_path / "b.safetensors"), "sha256": sha})
    with pytest.raises(InputError, match="golden: neural answers its stored inputs"):
        other.prepare(Setting())


def test_a_run_loads_no_torch():
    code = (
        "import sys, numpy as np\nfrom types import SimpleNamespace as S\nfrom plexus import registry\n"
        "from plexus.protocols import Setting\nc = registry.component('law', 'neural')\n"
        f"law = c.cls(c.params(checkpoint={str(BUNDLE)!r}, sha256={HASH!r}))\nlaw.prepare(Setting())\n"
        "law.respond(S(), np.zeros((1, 1, 3, 3)), True)\nassert 'torch' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_ramberg_and_osgood_in_tension():
    """E ε = σ + α (σ/σ₀)^(n-1) σ, with the strain across free."""
    from test_mises import pulled

    e, s0, n = TEACHER["young_modulus"], TEACHER["reference_stress"], TEACHER["exponent"]
    path = np.array([1e-4, 2e-3, 8e-3, 0.03])
    sigma, _ = pulled(made(TEACHER), path, 1.0, {})
    assert np.abs((sigma + 3 / 7 * (sigma / s0) ** (n - 1) * sigma) / (e * path) - 1).max() <= 1e-10


@pytest.mark.parametrize(("given", "told"), [
    ({"young_modulus": 1e9}, "young_modulus"),
    ({"guard": {"fallback": {"type": "j2", "young_modulus": 1, "poisson_ratio": 0.3, "yield_stress": 1}}},
     "remembers"),
])  # fmt: skip
def test_what_a_learned_law_has_not(given, told):
    with pytest.raises(ValueError, match=told):
        registry.component("law", "neural").params.model_validate(given)
