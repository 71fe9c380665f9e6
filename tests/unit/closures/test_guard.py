"""Cells outside the training range: policies, counts, trips, restarts."""

import pytest
import torch
from closure_cases import Cells, make, mirrored, state, turned

from plexus import registry
from plexus.learned.guard import LOOK, Guard, GuardParams


class Constant:
    """A fallback whose value is easy to see."""

    def evaluate(self, fields):
        return {"f2": torch.full_like(fields["f1"], 7 + 7j)}


def guard(**given):
    made = Guard(GuardParams(**given), Constant())
    made.use_box([0.0, -1.0], [1.0, 1.0], torch.zeros((), dtype=torch.float64))
    return made


def cells(*first, second=0.0):
    """Return fields and features of a few cells; the box of the first feature is [0, 1]."""
    one = torch.tensor(first, dtype=torch.float64)
    fields = {"f1": torch.zeros(len(first), dtype=torch.complex128)}
    return fields, torch.stack([one, torch.full_like(one, second)])


def values(n, value=1 + 0j):
    return {"f2": torch.full((n,), value, dtype=torch.complex128)}


def test_cells_inside_keep_the_networks_value():
    g = guard()
    fields, features = cells(0.0, 0.5, 1.0)
    out = values(3)
    assert g.apply(fields, features, out) is out
    assert g.mask.tolist() == [False] * 3


@pytest.mark.parametrize("bad", [1.01, -0.01, float("nan"), float("inf")])
def test_cells_outside_take_the_fallback(bad):
    g = guard()
    fields, features = cells(0.5, bad)
    assert g.apply(fields, features, values(2))["f2"].tolist() == [1 + 0j, 7 + 7j]
    assert g.mask.tolist() == [False, True]


def test_every_feature_counts():
    g = guard()
    fields, features = cells(0.5, 0.5, second=1.2)
    assert g.apply(fields, features, values(2))["f2"].tolist() == [7 + 7j] * 2


@pytest.mark.parametrize("policy", ["fallback", "blend", "log", "stop"])
def test_values_that_are_not_finite_never_pass(policy):
    g = guard(outside=policy)
    fields, features = cells(0.5, 0.5)
    out = values(2)
    out["f2"][1] = complex(float("nan"), 0)
    assert g.apply(fields, features, out)["f2"].tolist() == [1 + 0j, 7 + 7j]


def test_log_only_counts():
    g = guard(outside="log")
    fields, features = cells(0.5, 3.0)
    assert g.apply(fields, features, values(2))["f2"].tolist() == [1 + 0j] * 2
    g.tick()
    assert g.counts()["outside"] == 0.5


def test_blend_goes_over_gradually():
    g = guard(outside="blend", margin=0.2)
    # half width 0.5: 1.05 is 0.1 half widths outside, half of the margin
    fields, features = cells(1.0, 1.05, 1.1, 2.0)
    found = g.apply(fields, features, values(4))["f2"]
    assert torch.allclose(found, torch.tensor([1, 4 + 3.5j, 7 + 7j, 7 + 7j], dtype=torch.complex128))


def test_a_step_counts_the_cells_of_all_its_evaluations_once():
    g = guard()
    for second in (cells(0.5, 2.0, 0.5), cells(0.5, 2.0, 2.0)):
        g.apply(*second, values(3))
    g.tick()
    assert g.counts()["outside"] == pytest.approx(2 / 3)
    assert g.mask.tolist() == [False, True, True]
    g.apply(*cells(0.5, 0.5, 0.5), values(3))
    g.tick()
    assert g.mask.tolist() == [False] * 3
    assert g.counts() == {"steps": 2, "outside": 0, "mean_outside": pytest.approx(1 / 3), "fallback": 0}


def run(g, pattern):
    """March: True stands for a step with half of the cells outside."""
    for bad in pattern:
        g.apply(*cells(0.5, 2.0 if bad else 0.5), values(2))
        g.tick()


def test_trips_after_more_than_patience_steps_in_a_row():
    g = guard(patience=3)
    run(g, [True] * 3)
    assert not g.tripped
    run(g, [False] + [True] * 3)
    assert not g.tripped
    run(g, [True])
    assert g.tripped


def test_a_trip_is_seen_later():
    g = guard(patience=3)
    run(g, [True] * 4 + [False] * (2 * LOOK - 2))
    assert g.tripped


def test_suspicion_counts_the_unfinished_step_but_no_lost_state():
    g = guard(max_fraction=0.4)
    assert not g.suspect
    g.apply(*cells(0.5, 0.5), values(2))
    assert not g.suspect
    g.apply(*cells(0.5, float("nan")), values(2))
    assert g.mask.tolist() == [False, True] and not g.suspect
    g.apply(*cells(2.0, 0.5), values(2))
    assert g.suspect
    g.tick()
    g.apply(*cells(0.5, 0.5), values(2))
    assert g.suspect  # the latest finished step
    g.tick()
    assert not g.suspect


def test_few_cells_do_not_trip():
    g = guard(patience=0, max_fraction=0.5)
    run(g, [True] * 5)
    assert not g.tripped


def test_restart_continues_the_count():
    g, fresh = guard(patience=5), guard(patience=5)
    run(g, [False] * 3 + [True] * 4)
    fresh.restore(g.state())
    for each in (g, fresh):
        run(each, [True])
        assert not each.tripped
        run(each, [True])
        assert each.tripped
    assert fresh.counts() == g.counts()


def test_using_the_fallback_survives_a_restart():
    g, fresh = guard(), guard()
    g.use_fallback()
    fresh.restore(g.state())
    assert fresh.using_fallback and fresh.counts()["fallback"] == 1


def test_closure_with_fallback_is_the_classical_one():
    fields = state((8, 8), 1)
    closure = make("spin_network")
    assert not torch.equal(closure.evaluate(fields)["f2"], make("bingham").evaluate(fields)["f2"])
    closure.guard.use_fallback()
    assert torch.equal(closure.evaluate(fields)["f2"], make("bingham").evaluate(fields)["f2"])


@pytest.mark.parametrize(
    ("name", "given", "order", "fallback"),
    [
        ("spin_network", {"moment": 2}, 1, "bingham"),
        ("spin_network", {"moment": 3}, 2, "autoregressive"),
        ("spin_network", {"guard": {"fallback": "quadratic"}}, 1, "quadratic"),
    ],
)
def test_corrupt_weights_leave_the_classical_closure(name, given, order, fallback):
    fields = state((8, 8), order)
    closure = make(name, given, order)
    for p in closure.network.parameters():
        p.data.fill_(float("nan"))
    found, classical = closure.evaluate(fields), make(fallback, order=order).evaluate(fields)
    assert all(torch.equal(found[k], classical[k]) for k in found)
    assert closure.guard.mask.all()


def test_stress_falls_back_to_bingham_in_its_own_form():
    fields = state((8, 8), 1)
    closure = make("tensor_basis")
    closure.guard.use_fallback()
    out = closure.evaluate(fields)
    g = fields["e"] + fields["zeta"] * fields["f1"]
    f2 = (2 * (out["st"] - fields["zeta"] * fields["c"] * fields["f1"]) - g * fields["c"]) / g.conj()
    assert torch.allclose(f2, make("bingham").evaluate(fields)["f2"], atol=1e-12)


def test_guarding_keeps_symmetry():
    """Turning a state does not move cells in or out of the range."""
    fields = state((32, 32), 1)
    closure = make("spin_network")
    closure.use_range(closure.range_of(state((4, 4), 1, seed=9)))
    closure.evaluate(fields)
    mask = closure.guard.mask
    assert 0 < mask.double().mean() < 1
    ports = closure.properties.inputs
    for seen in (turned(fields, ports, 0.7), mirrored(fields, ports)):
        closure.guard.tick()
        closure.evaluate(seen)
        assert torch.equal(closure.guard.mask, mask)


def test_guard_belongs_to_learned_closures_only():
    for name in registry.names("closure"):
        closure = make(name, space=Cells(32, 32))
        assert (closure.guard is not None) == hasattr(closure, "network")
