"""Fields that are drawn: their laws, and that neither order nor mesh nor ranks enter."""

import math

import numpy as np
import pytest

from plexus import registry
from plexus.deck.expressions import Expression, ExpressionError
from plexus.deck.load import load
from plexus.errors import DeckError
from plexus.samples._counter import normal, uniform


def made(name, **given):
    member = registry.component("sample", name)
    return member.cls(member.params.model_validate(given))


BURGERS = {"size": [2 * math.pi], "scale": 25, "tau": 5, "alpha": 2, "modes": 256}


def test_the_numbers_are_uniform_and_normal():
    """Moments and correlations of 10^5 numbers, within five standard errors."""
    n = np.arange(100_000)
    u, g = uniform(3, 7, n), normal(3, 7, n)
    assert u.min() > 0 and u.max() < 1
    assert abs(u.mean() - 0.5) < 5 / math.sqrt(12e5) and abs(u.var() - 1 / 12) < 1e-3
    assert abs(g.mean()) < 5 / math.sqrt(1e5) and abs((g**2).mean() - 1) < 5 * math.sqrt(2 / 1e5)
    assert abs((g**4).mean() - 3) < 5 * math.sqrt(96 / 1e5)
    for other in (normal(3, 8, n), normal(4, 7, n), np.roll(g, 1), normal(3, 7, n, 1), normal(7, 3, n)):
        assert abs((g * other).mean()) < 5 / math.sqrt(1e5)


def test_the_start_of_burgers_equation():
    """Root mean square 1.11 at a point, and the spectrum 25/(k²+25), over 400 samples."""
    x = np.arange(128) * 2 * math.pi / 128
    fields = np.stack([made("gaussian_field", seed=1, number=n, **BURGERS)(x) for n in range(400)])
    k = np.arange(1, 257)
    exact = (1 + 2 * (625 / (k**2 + 25.0) ** 2).sum()) / (2 * math.pi)
    assert math.sqrt(exact) == pytest.approx(1.11, abs=0.01)
    assert (fields**2).mean() == pytest.approx(exact, rel=0.1)
    hat = np.fft.rfft(fields, axis=1) / 128
    for n in (1, 3, 8):  # |c_k|² = (a_cos² + a_sin²)/(2L), of mean s²/L
        expected = (25 / (n**2 + 25)) ** 2 / (2 * math.pi)
        assert (abs(hat[:, n]) ** 2).mean() == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("edge", ["periodic", "neumann", "dirichlet"])
def test_the_field_is_the_sum_that_its_docstring_states(edge):
    """Mode by mode with plain numbers, in two directions."""
    field = made("gaussian_field", seed=5, number=2, size=[2.0, 3.0], tau=1.5, alpha=1.7, scale=2, modes=3,
                 edge=edge, mean=0.4)  # fmt: skip
    x, y = 0.37, 1.91

    def modes(length, at):
        found = {} if edge == "dirichlet" else {0: (0.0, length**-0.5)}
        for n in range(1, 4):
            k = (2 if edge == "periodic" else 1) * math.pi * n / length
            if edge != "dirichlet":
                found[n] = (k, math.sqrt(2 / length) * math.cos(k * at))
            if edge != "neumann":
                found[n if edge == "dirichlet" else -n] = (k, math.sqrt(2 / length) * math.sin(k * at))
        return found

    total = 0.4
    for m, (k, phi) in modes(2.0, x).items():
        for n, (q, psi) in modes(3.0, y).items():
            deviation = 2 * (k * k + q * q + 1.5**2) ** (-1.7 / 2)
            total += deviation * float(normal(5, 2, m, n)) * phi * psi
    assert field(x, y) == pytest.approx(total, rel=1e-12)


def test_more_modes_leave_the_others_as_they_are():
    few, many = (made("gaussian_field", seed=1, size=[1.0, 1.0], tau=3, modes=n) for n in (4, 9))
    assert np.array_equal(few.coefficients()[:5, :5], many.coefficients()[:5, :5])


@pytest.mark.parametrize("name", registry.names("sample"))
def test_places_are_asked_one_by_one_or_together(name):
    """As ranks have them: any share of the places, in any order, gives the same numbers."""
    import importlib

    component = registry.component("sample", name)
    example = importlib.import_module(component.cls.__module__).EXAMPLE
    field = made(name, **{k: v for k, v in example.items() if k != "type"})
    again = made(name, **{k: v for k, v in example.items() if k != "type"})
    places = np.random.default_rng(0).random((len(field.axes), 40))
    whole = np.broadcast_to(field(*places), (40,))
    order = np.random.default_rng(1).permutation(40)
    shares = [np.broadcast_to(again(*places[:, part]), part.shape) for part in np.split(order, [7, 20])]
    assert np.array_equal(np.concatenate(shares), whole[order])
    assert field == again and hash(field) == hash(again)


def test_tensors_are_answered_by_tensors():
    import torch

    field = made("gaussian_field", seed=1, size=[1.0], tau=3)
    x = torch.linspace(0, 1, 5, dtype=torch.float64)
    assert torch.equal(field(x), torch.from_numpy(field(x.numpy())))


def test_white_noise_has_a_number_at_every_place():
    field = made("uniform", seed=1, low=2, high=3, each="xy")
    x, y = np.random.default_rng(0).random((2, 1000))
    values = field(x, y)
    assert len(np.unique(values)) == 1000 and values.min() >= 2 and values.max() <= 3
    assert field(np.zeros(1), np.zeros(1)) == field(-np.zeros(1), np.zeros(1))


DECK = """
plexus: 1
samples:
  start: {type: gaussian_field, seed: 4, size: [1 m, 1 m], tau: 6, scale: 50, edge: dirichlet}
  phases: {type: threshold, of: {type: gaussian_field, seed: 1, size: [1, 1], tau: 3}, above: 12, below: 3}
  factor: {type: uniform, seed: 1, low: 0.5, high: 2}
mesh: {type: box, cell: triangle, cells: [8, 8], size: [1, 1]}
physics: {type: diffusion, coefficient: phases*factor}
boundary: [{on: exterior, u: 0}]
initial: {u: 1 + start}
time: {stepper: bdf2, end: 0.01 s, step: 1e-3 s}
quantities: {mean: {type: mean, of: u}, top: {type: maximum, of: u}}
"""


def written(folder, text=DECK):
    (folder / "deck.yaml").write_text(text)
    return folder / "deck.yaml"


def summary(folder, *arguments):
    import json

    from plexus.cli import main

    out = folder / f"out{len(list(folder.iterdir()))}"
    assert main(["run", str(folder / "deck.yaml"), "-o", str(out), *arguments]) == 0
    return json.loads((out / "summary.json").read_text())["quantities"]


def test_initial_values_and_coefficients_are_drawn(tmp_path):
    """Any ranks have the same; another number is another field; a drawn number is that number."""
    written(tmp_path)
    one, two = summary(tmp_path), summary(tmp_path, "-n", "2")
    assert one == pytest.approx(two, rel=1e-10)
    assert summary(tmp_path, "-s", "samples.start.number=1")["top"] != pytest.approx(one["top"], rel=1e-3)
    factor = 0.5 + 1.5 * float(uniform(1, 0, 0))
    plain = ("-s", "samples.phases.above=3", "-s", "samples.start.scale=1e-12")
    number = ("-s", f"physics.coefficient={3 * factor!r}", "-s", "initial.u=1")
    assert summary(tmp_path, *plain)["mean"] == pytest.approx(summary(tmp_path, *number)["mean"], rel=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "place", "text"),
    [
        ("seed: 4, ", "", "deck.yaml:4", "samples.start.seed: required but missing"),
        ("gaussian_field, seed: 1, ", "gaussian_field, ", "deck.yaml:5", "samples.phases.of.seed"),
        ("low: 0.5", "low: 5", "deck.yaml:6", "high 2 is not above low 5"),
        ("  start:", "  x:", "deck.yaml", "'x' already has a meaning"),
        ("1 + start", "1 + begin", "deck.yaml:10", "unknown name 'begin'"),
    ],
)  # fmt: skip
def test_mistakes_are_told_at_their_place(tmp_path, old, new, place, text):
    written(tmp_path, DECK.replace(old, new))
    with pytest.raises(DeckError) as found:
        load(tmp_path / "deck.yaml")
    assert text in str(found.value) and place in str(found.value)


def test_units_of_drawn_fields_are_watched():
    """And converted: 1 g is 1e-3 of what expressions count in."""
    mass = made("uniform", seed=1, unit="g")
    assert Expression("drawn", {"drawn": mass}).constant == pytest.approx(1e-3 * mass.values())
    with pytest.raises(ExpressionError, match="kg"):
        Expression("drawn + 3 m^2", {"drawn": mass}).understand(lambda name: None)


def test_a_drawn_field_has_no_derivative():
    field = made("gaussian_field", seed=1, size=[1.0], tau=3)
    expression = Expression("2*t*f", {"f": field})
    assert expression.names == {"t", "x"}
    assert expression.derivative("t")({"x": 0.3, "t": 1.0}) == pytest.approx(2 * field(0.3))
    with pytest.raises(ExpressionError, match="drawn field, whose derivative by x"):
        expression.derivative("x")


def test_a_sweep_goes_over_numbers_of_samples(tmp_path):
    import json

    from plexus.cli import main

    sweep = "sweep: {parameters: {samples.start.number: [0, 1, 2]}, workers: 1}\n"
    assert main(["sweep", str(written(tmp_path, DECK + sweep)), "-o", str(tmp_path / "out")]) == 0
    tops = {json.loads(p.read_text())["quantities"]["top"] for p in (tmp_path / "out").rglob("summary.json")}
    assert len(tops) == 3


def test_a_box_may_begin_anywhere_and_say_its_deviation():
    """The same numbers at places that are moved; the mean square over box and samples is the deviation's."""
    given = {
        "seed": 3,
        "size": [2.0, 0.5],
        "edge": "neumann",
        "modes": 2,
        "tau": 4,
        "deviation": 0.3,
        "mean": 5.0,
    }
    x, y = np.meshgrid((np.arange(16) + 0.5) / 8, (np.arange(8) + 0.5) / 16, indexing="ij")
    here, there = made("gaussian_field", **given), made("gaussian_field", origin=[-1.0, 4.0], **given)
    assert there.values(x - 1.0, y + 4.0) == pytest.approx(here.values(x, y), rel=1e-12)
    squares = [
        ((made("gaussian_field", number=k, **given).values(x, y) - 5.0) ** 2).mean() for k in range(2000)
    ]
    assert np.mean(squares) == pytest.approx(0.09, rel=0.05)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("gaussian_field", {"seed": 1, "unit": "degC", "mean": 20, "deviation": 5, "size": [1, 2], "tau": 3}),
        ("gaussian_field", {"seed": 2, "size": [1, 1], "tau": 3, "modes": 5, "edge": "neumann"}),
        ("uniform", {"seed": 1, "low": 0.5, "high": 2, "each": "xy"}),
    ],
)
@pytest.mark.parametrize("room", [2**22, 10])
def test_a_family_gives_what_its_members_give(name, given, room, monkeypatch):
    """Bit for bit, whether modes are kept or, for want of room, are not."""
    monkeypatch.setattr("plexus.samples.gaussian_field.TOGETHER", room)
    x, y = np.random.default_rng(1).random((2, 40))
    of = made(name, **given).family(x, y)
    for number in (0, 5):
        assert np.array_equal(of(number), made(name, **given, number=number)(x, y))
