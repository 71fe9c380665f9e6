"""What every closure promises, classical or learned; registering one is what tests it (I1, AF8)."""

import pytest
import torch
from closure_cases import examples, gap, make, mirrored, orders, state, toeplitz_margin, turned

from plexus.errors import InputError
from plexus.learned.ports import Properties, fills, names

CASES = examples()
IDS = [f"{name}-{i}" for i, (name, _) in enumerate(CASES)]
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]
ANGLES = (0.3, 1.1, torch.pi / 2, 2.9)

EVERY = [(name, given, order) for name, given in CASES for order in orders(name, given)]
"""Every closure with every number of moments whose gap it fills."""


def parametrised(found):
    return pytest.mark.parametrize(
        ("name", "given", "order"),
        found,
        ids=[f"{name}-{order}-{i}" for i, (name, _, order) in enumerate(found)],
    )


cases = pytest.mark.parametrize(("name", "given"), CASES, ids=IDS)
every = parametrised(EVERY)
of_moments = parametrised([case for case in EVERY if make(*case).closes != "st"])
"""Closures that give the next moment itself."""
closing = parametrised([case for case in EVERY if case[0] != "none"])
"""All but the cut, which gives zero."""


def tolerance(closure):
    """Return how exactly symmetries hold: a network in single precision holds them to its rounding."""
    return 1e-5 if getattr(closure, "network", None) is not None and closure.dtype == torch.float32 else 1e-10


def largest(a, b):
    return max(float((a[name] - b[name]).detach().abs().max()) for name in a)


@cases
def test_fills_the_gap_of_some_physics(name, given):
    assert orders(name, given)


@every
def test_declares_what_it_takes_and_gives(name, given, order):
    closure, here = make(name, given, order), gap(order)
    fields = state((16, 16), order)
    assert isinstance(closure.properties, Properties)
    assert set(names(closure.inputs)) <= set(names(here.seen)) == set(fields)
    out = closure.evaluate({p.name: fields[p.name] for p in closure.inputs})
    assert set(out) == set(names(closure.outputs))
    assert fills(closure.outputs, here.setting())


@every
@pytest.mark.parametrize("device", DEVICES)
def test_shape_type_and_device_are_those_of_the_fields(name, given, order, device):
    closure = make(name, given, order, device=device)
    for batch in ((), (3,), (2, 3)):
        fields = state((*batch, 16, 16), order, device=device)
        spins = {p.name: p.spin for p in closure.outputs}
        for key, value in closure.evaluate(fields).items():
            assert value.shape == (*batch, 16, 16)
            assert value.dtype == (torch.complex128 if spins[key] else torch.float64)
            assert value.device == fields["c"].device


@every
def test_a_batch_is_evaluated_member_by_member(name, given, order):
    closure, fields = make(name, given, order), state((2, 16, 16), order)
    whole = closure.evaluate(fields)
    for i in range(2):
        part = closure.evaluate({k: v[i] for k, v in fields.items()})
        assert largest({k: v[i] for k, v in whole.items()}, part) <= tolerance(closure)


@every
def test_is_pure(name, given, order):
    closure, fields = make(name, given, order), state((16, 16), order)
    before = {k: v.clone() for k, v in fields.items()}
    first = closure.evaluate(fields)
    closure.evaluate(state((16, 16), order, seed=5))
    again = closure.evaluate(fields)
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert all(torch.equal(before[k], fields[k]) for k in fields)


@every
def test_is_differentiable(name, given, order):
    """Derivatives by all inputs against differences, in double precision."""
    given = given | ({"precision": "fp64"} if hasattr(make(name, given), "network") else {})
    closure, fields = make(name, given, order), state((16, 16), order, largest=0.9)
    inputs = [fields[n].clone().requires_grad_() for n in names(closure.inputs)]

    def results(*values):
        return tuple(closure.evaluate(dict(zip(names(closure.inputs), values, strict=True))).values())

    assert torch.autograd.gradcheck(results, inputs, fast_mode=True, atol=1e-5)


@every
def test_derivatives_are_finite_where_nothing_is_ordered(name, given, order):
    closure, fields = make(name, given, order), state((16, 16), order)
    none = {k: torch.zeros_like(v) if k[0] == "f" else v for k, v in fields.items()}
    given_moments = [v.requires_grad_() for k, v in none.items() if k[0] == "f"]
    out = closure.evaluate(none)
    assert all(v.isfinite().all() for v in out.values())
    total = sum(v.abs().sum() for v in out.values())
    found = torch.autograd.grad(total, given_moments, allow_unused=True)
    assert all(g.isfinite().all() for g in found if g is not None)


def noisy(closure, fields):
    """Return outputs that are far from what is possible."""
    out = closure.evaluate(fields)
    return {k: v * 3 + (0.5 + 0.2j if v.is_complex() else 0.1) for k, v in out.items()}


@every
def test_projection_is_idempotent(name, given, order):
    closure, fields = make(name, given, order), state((16, 16), order)
    once, fraction = closure.project(fields, noisy(closure, fields))
    twice, none = closure.project(fields, once)
    assert 0 < float(fraction) <= 1
    assert float(none) == 0
    assert all(torch.equal(once[k], twice[k]) for k in once)


@of_moments
def test_projected_moments_are_admissible(name, given, order):
    closure, fields = make(name, given, order), state((16, 16), order)
    once, _ = closure.project(fields, noisy(closure, fields))
    assert toeplitz_margin(fields | once, order + 1).min() > -1e-9


@closing
def test_result_is_realizable(name, given, order):
    """What a closure gives stays as it is in the projection; zero is a cut, not a closure."""
    closure, fields = make(name, given, order), state((16, 16), order)
    _, moved = closure.project(fields, closure.evaluate(fields))
    assert float(moved) == 0


@parametrised([case for case in EVERY if case[0] != "none" and make(*case).closes != "st"])
def test_moments_are_those_of_a_distribution(name, given, order):
    """Moments with the closure's are those of a non-negative distribution."""
    closure, fields = make(name, given, order), state((16, 16), order)
    assert toeplitz_margin(fields | closure.evaluate(fields), order + 1).min() > -1e-9


@parametrised([case for case in EVERY if "rotation" in make(*case).properties.symmetry])
def test_turning(name, given, order):
    """Arbitrary angles, exact where the closure declares it."""
    closure, fields = make(name, given, order), state((16, 16), order)
    out = closure.evaluate(fields)
    for angle in ANGLES:
        seen = closure.evaluate(turned(fields, closure.inputs, angle))
        assert largest(seen, turned(out, closure.outputs, angle)) <= tolerance(closure)


@parametrised([case for case in EVERY if "reflection" in make(*case).properties.symmetry])
def test_mirroring(name, given, order):
    """A reflection, exact where the closure declares it."""
    closure, fields = make(name, given, order), state((16, 16), order)
    seen = closure.evaluate(mirrored(fields, closure.inputs))
    assert largest(seen, mirrored(closure.evaluate(fields), closure.outputs)) <= tolerance(closure)


@parametrised([case for case in EVERY if "translation" in make(*case).properties.symmetry])
def test_shifting(name, given, order):
    closure, fields = make(name, given, order), state((16, 16), order)
    shifted = {k: v.roll((3, -5), (-2, -1)) for k, v in fields.items()}
    expected = {k: v.roll((3, -5), (-2, -1)) for k, v in closure.evaluate(fields).items()}
    assert largest(closure.evaluate(shifted), expected) <= tolerance(closure)


@every
def test_symmetries_of_the_plane_are_declared(name, given, order):
    assert {"translation", "galilean"} <= set(make(name, given, order).properties.symmetry)


@of_moments
def test_linear_growth_of_disorder_is_untouched(name, given, order):
    """The next moment vanishes with the first ones: it does not enter a linear stability analysis."""
    closure, fields = make(name, given, order), state((16, 16), order)
    weak = fields | {f"f{m}": 1e-7**m * fields[f"f{m}"] for m in range(1, order + 1)}
    assert closure.evaluate(weak)[f"f{order + 1}"].abs().max() <= 100 * 1e-7


def misfits(name, given):
    """Return numbers of moments whose gap a closure does not fill."""
    return [order for order in (1, 2, 3) if order not in orders(name, given)]


@parametrised([(name, given, order) for name, given in CASES for order in misfits(name, given)])
def test_another_gap_is_refused(name, given, order):
    closure = make(name, given)
    with pytest.raises(InputError, match=f"order {order} needs f_{order + 1}"):
        closure.prepare(gap(order).setting())


@cases
def test_report_is_numbers(name, given):
    closure = make(name, given)
    assert all(isinstance(v, float) for v in closure.report().values())


@pytest.mark.parametrize("order", [1, 2, 3, 6])
def test_examples_of_a_gap_are_possible_states(order):
    """Moments of a non-negative distribution, up to the edge; every port has its kind of number."""
    here = gap(order)
    fields = here.states((64, 64), 3, 0.9)
    assert toeplitz_margin(fields, order).min() > 0
    assert fields["f1"].abs().max() > 0.8 * fields["c"].min()
    for port in here.seen:
        assert fields[port.name].is_complex() == bool(port.spin), port.name
    again = here.states((64, 64), 3, 0.9)
    assert all(torch.equal(fields[k], again[k]) for k in fields)
