"""What every physics promises, on whatever discretisation: its example runs, remembers and repeats itself."""

from copy import deepcopy

import numpy as np
import pytest
from hosts import composed, host, of_discretisation, shareable

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.fields.state import State

physics = pytest.mark.parametrize("name", registry.names("physics"))


def run_of(name, folder, seed=0):
    run = composed(host(name), folder, seed)
    run.observers = []
    return run


def arrays(values):
    """Return values as NumPy arrays."""
    return {k: np.array(v.cpu().numpy() if hasattr(v, "cpu") else v) for k, v in values.items()}


def assert_close(one, two, tolerance):
    assert one.keys() == two.keys()
    for name, a in arrays(one).items():
        b = arrays(two)[name]
        assert a.shape == b.shape, name
        assert np.abs(a - b).max(initial=0) <= tolerance * max(np.abs(a).max(initial=0), 1e-300), name


def steps(run, count):
    for _ in zip(range(count), run.march(), strict=False):
        pass


@physics
def test_every_field_has_its_shape_and_is_finite(name, tmp_path):
    """At the start and after two steps."""
    run = run_of(name, tmp_path)
    dim = run.mesh.dim if run.mesh is not None else 0
    for _ in range(2):
        assert run.system.finite({**run.state.values, **run.state.internal})
        rows = set()
        for field, spec in run.fields.specs.items():
            told, location, values = run.fields.evaluate(field)
            assert told == spec and location in ("node", "cell")
            sizes = {spec.components(d) for d in ((3, dim) if spec.shape == "tensor" else (dim,))}
            assert values.ndim == 2 and values.shape[1] in sizes, field
            assert np.isfinite(values).all(), field
            rows.add(len(values))
        assert len(rows) == 1
        steps(run, 2)
    assert run.clock.step == 4


@physics
def test_packed_rows_are_those_of_the_layout_and_come_back(name, tmp_path):
    run = run_of(name, tmp_path)
    steps(run, 2)
    _, packed = run.checkpoint_state()
    layout = run.layout()
    assert layout.keys() <= packed.keys()
    for key, space in layout.items():
        assert packed[key][1].shape[1] == space.components, key
        assert packed[key][1].dtype == np.float64
    state = {k: rows for k, (_, rows) in packed.items() if k.group == "state"}
    back = {k.field: v for k, v in run.system.unpack(state).items()}
    assert_close(run.state.values, back, 1e-14)


@physics
def test_what_is_remembered_makes_the_next_step_the_same(name, tmp_path):
    """A run that takes over the checkpoint of another goes on as that one does."""
    whole, again = run_of(name, tmp_path), run_of(name, tmp_path)
    steps(whole, 2)
    meta, packed = deepcopy(whole.checkpoint_state()[0]), whole.checkpoint_state()[1]
    again.restore_state(meta, {key: rows.copy() for key, (_, rows) in packed.items()})
    steps(whole, 2)
    steps(again, 2)
    assert whole.clock.t == again.clock.t
    assert_close(whole.state.values, again.state.values, 1e-12)
    assert_close(whole.state.internal, again.state.internal, 1e-12)
    one, two = (run.system.histories(run.state) for run in (whole, again))
    assert one.keys() == two.keys()


@physics
def test_a_state_is_not_written_to(name, tmp_path):
    """Neither by a step nor by looking at it."""
    run = run_of(name, tmp_path)
    before = arrays(run.state.values)
    state = State(dict(run.state.values), run.state.t, run.state.step, dict(run.state.internal))
    steps(run, 1)
    for field in run.fields.specs:
        run.fields.evaluate(field)
    run.system.histories(run.state)
    for field, array in arrays(state.values).items():
        assert np.array_equal(array, before[field]), field


@physics
def test_the_start_follows_from_the_seed(name, tmp_path):
    one, same = (run_of(name, tmp_path, seed=3).state.values for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(*(arrays(v).values() for v in (one, same)), strict=True))


@physics
def test_two_ranks_compute_what_one_computes(name, jobs):
    if not shareable(host(name)):
        pytest.skip("its mesh is not shared between ranks")
    one, two = (jobs.summary(f"physics.{name}", ranks)["quantities"] for ranks in (1, 2))
    assert any(value > 0 for value in one.values())
    for field, value in one.items():
        # an identity that holds to rounding leaves squares of rounding
        largest = max(v for k, v in one.items() if k.partition("_")[0] == field.partition("_")[0])
        assert two[field] == pytest.approx(value, rel=1e-5, abs=1e-5 * largest + 1e-12), field


@physics
def test_its_sizes_are_known_before_it_is_built(name, tmp_path):
    run = run_of(name, tmp_path)
    outlook = made_for(name).outlook(run.deck)
    assert sum(outlook.unknowns.values()) == run.system.unknowns
    assert outlook.per_rank(2) < outlook.per_rank(1)


@pytest.mark.parametrize("name", [*of_discretisation("volumes"), *of_discretisation("spectral")])
def test_states_leave_residuals_that_have_gradients(name, tmp_path):
    """On grids; batches of them as each alone."""
    import torch

    run = run_of(name, tmp_path)
    system, fields, times = run.system, [], []
    for _ in range(3):
        unknown = run.state.values
        if made_for(name).words == "on the cells of a grid":
            fields.append(system.seen(unknown))
        else:
            fields.append({n: system.model.space.inverse(hat) for n, hat in unknown.items()})
        times.append(run.clock.t)
        steps(run, 1)
    found = system.residuals()
    window = {n: torch.stack([f[n] for f in fields], -found.dim - 2).requires_grad_() for n in fields[0]}
    rows = found.window(window, times)
    assert rows.keys() == found.units.keys() == window.keys()
    for n, r in rows.items():
        assert r.shape[-found.dim - 2] == 2 and bool(torch.isfinite(r).all())
        (g,) = torch.autograd.grad(r.abs().square().sum(), window[n], retain_graph=True)
        assert bool(torch.isfinite(g).all()) and bool((g != 0).any())
    both = ({n: torch.stack([u, u]) for n, u in f.items()} for f in fields[:2])
    many, one = found.step(*both, times[0], 0.1), found.step(*fields[:2], times[0], 0.1)
    for n, r in one.items():
        assert torch.allclose(many[n], r.expand_as(many[n]), rtol=1e-12, atol=1e-12 * float(r.abs().max()))
