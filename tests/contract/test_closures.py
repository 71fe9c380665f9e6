"""What every closure promises, classical or learned; registering one is what tests it (I1, AF8)."""

import pytest
import torch
from closure_cases import examples, make, mirrored, state, toeplitz_margin, turned

from plexus.closures.base import Properties
from plexus.errors import InputError
from plexus.protocols import Setting

CASES = examples()
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]
ANGLES = (0.3, 1.1, torch.pi / 2, 2.9)

cases = pytest.mark.parametrize(("name", "given"), CASES, ids=IDS)


def orders(name, given):
    """Return the orders of models that a closure can serve."""
    closes = make(name, given).closes
    return (1, 2, 3) if closes is None else (1,) if closes == "st" else (closes - 1,)


def every(name, given, shape=(16, 16), **more):
    """Yield closure, highest moment and fields for every order."""
    for order in orders(name, given):
        yield make(name, given, order, **more), order, state(shape, order)


def tolerance(closure):
    """Return how exactly symmetries hold: a network in single precision holds them to its rounding."""
    return 1e-5 if getattr(closure, "network", None) is not None and closure.dtype == torch.float32 else 1e-10


def largest(a, b):
    return max(float((a[name] - b[name]).detach().abs().max()) for name in a)


@cases
def test_declares_what_it_takes_and_gives(name, given):
    for closure, order, fields in every(name, given):
        properties = closure.properties
        assert isinstance(properties, Properties)
        out = closure.evaluate({p.name: fields[p.name] for p in properties.inputs})
        assert set(out) == {p.name for p in properties.outputs}
        if closure.closes != "st":
            assert set(out) == {f"f{order + 1}"}
        assert {"translation", "galilean"} <= set(properties.symmetry)


@cases
@pytest.mark.parametrize("device", DEVICES)
def test_shape_type_and_device_are_those_of_the_fields(name, given, device):
    for order in orders(name, given):
        closure = make(name, given, order, device=device)
        for batch in ((), (3,), (2, 3)):
            fields = state((*batch, 16, 16), order, device=device)
            spins = {p.name: p.spin for p in closure.properties.outputs}
            for key, value in closure.evaluate(fields).items():
                assert value.shape == (*batch, 16, 16)
                assert value.dtype == (torch.complex128 if spins[key] else torch.float64)
                assert value.device == fields["c"].device


@cases
def test_a_batch_is_evaluated_member_by_member(name, given):
    for closure, order, _ in every(name, given):
        fields = state((2, 16, 16), order)
        whole = closure.evaluate(fields)
        for i in range(2):
            part = closure.evaluate({k: v[i] for k, v in fields.items()})
            assert largest({k: v[i] for k, v in whole.items()}, part) <= tolerance(closure)


@cases
def test_is_pure(name, given):
    for closure, _, fields in every(name, given):
        before = {k: v.clone() for k, v in fields.items()}
        first = closure.evaluate(fields)
        closure.evaluate(state((16, 16), 3, seed=5))
        again = closure.evaluate(fields)
        assert all(torch.equal(first[k], again[k]) for k in first)
        assert all(torch.equal(before[k], fields[k]) for k in fields)


@cases
def test_is_differentiable(name, given):
    """Derivatives by all inputs against differences, in double precision."""
    given = given | ({"precision": "fp64"} if hasattr(make(name, given), "network") else {})
    for closure, order, _ in every(name, given):
        fields = state((16, 16), order, largest=0.9)
        names = [p.name for p in closure.properties.inputs]
        inputs = [fields[n].clone().requires_grad_() for n in names]

        def results(*values, closure=closure, names=names):
            return tuple(closure.evaluate(dict(zip(names, values, strict=True))).values())

        assert torch.autograd.gradcheck(results, inputs, fast_mode=True, atol=1e-5)


@cases
def test_derivatives_are_finite_where_nothing_is_ordered(name, given):
    for closure, _, fields in every(name, given):
        none = {k: torch.zeros_like(v) if k[0] == "f" else v for k, v in fields.items()}
        given_moments = [v.requires_grad_() for k, v in none.items() if k[0] == "f"]
        out = closure.evaluate(none)
        assert all(v.isfinite().all() for v in out.values())
        total = sum(v.abs().sum() for v in out.values())
        found = torch.autograd.grad(total, given_moments, allow_unused=True)
        assert all(g.isfinite().all() for g in found if g is not None)


@cases
def test_projection_is_idempotent_and_admissible(name, given):
    for closure, order, fields in every(name, given):
        noise = {
            k: v * 3 + (0.5 + 0.2j if v.is_complex() else 0.1) for k, v in closure.evaluate(fields).items()
        }
        once, fraction = closure.project(fields, noise)
        twice, none = closure.project(fields, once)
        assert 0 < float(fraction) <= 1
        assert float(none) == 0
        assert all(torch.equal(once[k], twice[k]) for k in once)
        if closure.closes != "st":
            assert toeplitz_margin(fields | once, order + 1).min() > -1e-9


@cases
def test_result_is_realizable(name, given):
    """Moments with the closure's are those of a non-negative distribution; zero is a cut, not a closure."""
    if name == "none":
        return
    for closure, order, fields in every(name, given):
        out = closure.evaluate(fields)
        _, moved = closure.project(fields, out)
        assert float(moved) == 0
        if closure.closes != "st":
            assert toeplitz_margin(fields | out, order + 1).min() > -1e-9


@cases
def test_turning_and_mirroring(name, given):
    """Arbitrary angles and a reflection, exact where the closure declares it."""
    for closure, _, fields in every(name, given):
        ports = closure.properties
        out = closure.evaluate(fields)
        bound = tolerance(closure)
        for angle in ANGLES if "rotation" in ports.symmetry else ():
            seen = closure.evaluate(turned(fields, ports.inputs, angle))
            assert largest(seen, turned(out, ports.outputs, angle)) <= bound
        if "reflection" in ports.symmetry:
            assert (
                largest(closure.evaluate(mirrored(fields, ports.inputs)), mirrored(out, ports.outputs))
                <= bound
            )


@cases
def test_shifting(name, given):
    for closure, _, fields in every(name, given):
        shifted = {k: v.roll((3, -5), (-2, -1)) for k, v in fields.items()}
        expected = {k: v.roll((3, -5), (-2, -1)) for k, v in closure.evaluate(fields).items()}
        assert largest(closure.evaluate(shifted), expected) <= tolerance(closure)


@cases
def test_linear_growth_of_disorder_is_untouched(name, given):
    """The next moment vanishes with the first ones: it does not enter a linear stability analysis."""
    for closure, order, fields in every(name, given):
        if closure.closes == "st":
            continue
        weak = fields | {f"f{m}": 1e-7**m * fields[f"f{m}"] for m in range(1, order + 1)}
        assert closure.evaluate(weak)[f"f{order + 1}"].abs().max() <= 100 * 1e-7


@cases
def test_order_of_the_model_must_fit(name, given):
    closure = make(name, given)
    if closure.closes is not None:
        wrong = 1 if closure.closes == 3 else 2
        with pytest.raises(InputError, match="order"):
            closure.prepare(Setting({"zeta": 1.0, "d_R": 0.05}, order=wrong))


@cases
def test_report_is_numbers(name, given):
    closure = make(name, given)
    assert all(isinstance(v, float) for v in closure.report().values())
