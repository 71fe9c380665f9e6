"""Experts on a line: windows, lift, one least squares problem, gradients, jumps and balance."""

import math

import pytest
import torch
from torch.func import jvp

from plexus.errors import InputError
from plexus.experts.balance import Balance, balanced
from plexus.experts.couplings.none import Uncoupled
from plexus.experts.couplings.rows import Rows
from plexus.experts.couplings.windows import Windows
from plexus.experts.jumps import jumps
from plexus.experts.layer import Experts
from plexus.experts.lifts.erfc import TwoSided
from plexus.experts.line import Line
from plexus.experts.samples import stratified
from plexus.experts.stencils import derivative
from plexus.experts.tiles import Tiles
from plexus.solvers.batched.base import solved

NX, NT, N, D, DURATION = 48, 12, 5, 5e-4, 500.0
X = (torch.arange(NX, dtype=torch.float64) + 0.5) / NX
T = torch.arange(1, NT + 1, dtype=torch.float64) * DURATION / NT
LINE = Line(X, T, (0.0, 1 + D))
START = torch.tensor([[0.02], [0.1], [0.18]]).double() + 0.01 * torch.cos(math.pi * X)
ALL = torch.arange(NT * NX)


def stored(u):
    return u + 2.4 * u.clamp_min(1e-6) ** 0.874


def law(q):
    """Diffusion with sorption, in units of one over the duration."""
    u, rate, bent = q.unbind(1)
    return DURATION * ((1 + 2.1 * u.clamp_min(1e-6) ** -0.126) * rate - D * bent)


LIFT = TwoSided(D, lambda a, b: (stored(a) - stored(b)) / (a - b))


def known(start=START):
    """Return q of the lift."""

    def values(x, t):
        return LIFT.values(start, x, t)

    def slope(x):
        return jvp(lambda x: values(x, T), (x,), (torch.ones_like(x),))[1]

    u, rate = jvp(lambda t: values(X, t), (T,), (torch.ones_like(T),))
    return torch.stack([u, rate, jvp(slope, (X,), (torch.ones_like(X),))[1]], 1)


def functions(members=3, count=N):
    """Return g b with smooth b, as a network would propose them."""
    draw = torch.Generator().manual_seed(1)
    a, p, s = (torch.randn(3, members, count, 1, 1, generator=draw, dtype=torch.float64) * 3).unbind()
    b = torch.sin(a * X + p) * torch.cos(s * (T / DURATION)[:, None] + a)
    return LIFT.factor(X, T, DURATION) * b


def experts(coupling=None, count=4):
    return Experts(LINE, law, coupling or Windows(), Tiles(count, overlap=0.12), tolerance=1e-12)


def size(q):
    return law(q).square().mean((1, 2)).sqrt()


def test_windows_add_up_to_one_and_are_sums_of_finer_ones():
    fine, coarse = Tiles(8, 2.0, 0.2).windows(2 * X), Tiles(4, 2.0, 0.2).windows(2 * X)
    torch.testing.assert_close(fine.sum(0), torch.ones(NX).double(), rtol=0, atol=1e-15)
    torch.testing.assert_close(fine.reshape(4, 2, NX).sum(1), coarse, rtol=0, atol=1e-15)
    assert bool((fine >= 0).all())
    dense = torch.linspace(0, 1, 20001, dtype=torch.float64)
    second = torch.diff(Tiles(2).windows(dense), n=2) * 20000**2
    # two continuous derivatives
    assert float(torch.diff(second).abs().max()) < 1e-2 * float(second.abs().max())


def test_windows_that_reach_over_a_tile_are_refused():
    with pytest.raises(InputError, match=r"8 tiles are 0\.125 wide, and cannot overlap by 0\.2"):
        Tiles(8, overlap=0.2)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_derivatives_are_exact_for_polynomials(order):
    nodes = torch.tensor([0.0, 0.1, 0.3, 0.35, 0.6, 0.8, 1.0], dtype=torch.float64)
    at = torch.tensor([0.0, 0.2, 0.97], dtype=torch.float64)
    exact = {0: at**4, 1: 4 * at**3, 2: 12 * at**2}[order]
    torch.testing.assert_close(derivative(nodes, order, at) @ nodes**4, exact, rtol=1e-11, atol=1e-12)


def test_lift_has_start_and_boundary_values_and_the_factor_keeps_them():
    ends = torch.tensor([0.0, 1 + D], dtype=torch.float64)
    u = LIFT.values(START, ends, T)
    torch.testing.assert_close(u[..., 0], torch.ones(3, NT).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(u[..., 1], torch.zeros(3, NT).double(), rtol=0, atol=1e-12)
    early = LIFT.values(START, X, torch.tensor([1e-9], dtype=torch.float64))
    torch.testing.assert_close(early[:, 0], START, rtol=0, atol=1e-12)
    assert float(LIFT.factor(ends, T, DURATION).abs().max()) < 1e-12
    one = torch.ones(1, dtype=torch.float64)
    value, slope = jvp(lambda x: LIFT.values(START, x, T), (one,), (one,))
    assert float((value + D * slope).abs().max()) < 10 * D**2


def test_what_the_lift_passes_on_is_the_integral_of_its_slope():
    places, bounds = torch.tensor([0.0, 0.3, 1.0]).double(), torch.tensor([0.0, 100.0, 500.0]).double()
    late = torch.linspace(100, 500, 4001, dtype=torch.float64)
    slope = jvp(lambda x: LIFT.values(START, x, late), (places,), (torch.ones_like(places),))[1]
    found = LIFT.passed(START, places, bounds)
    torch.testing.assert_close(found[:, 1], torch.trapezoid(slope, late, dim=1), rtol=1e-6, atol=1e-9)
    # a sudden value at the end of a half line takes up like the root of time
    kappa = D / LIFT.secant(torch.ones(3).double(), START[:, 0])
    taken = -2 * (1 - START[:, 0]) * (100 / (math.pi * kappa)).sqrt()
    torch.testing.assert_close(found[:, 0, 0], taken, rtol=0.05, atol=0)


def test_samples_are_one_of_each_stratum_and_known_by_number():
    points = stratified(1000, 100, seed=3)
    assert (points // 10).tolist() == list(range(100))
    assert bool((points != stratified(1000, 100, seed=3, number=1)).any())
    torch.testing.assert_close(points, stratified(1000, 100, seed=3))
    assert len(stratified(50, 100, seed=3)) == 50


def test_more_windows_never_have_a_larger_residual():
    """The same functions with other tiles: K windows contain what K/2 and one can represent."""
    found = torch.stack([size(experts(count=k).solve(known(), functions(), ALL)[0]) for k in (1, 2, 4, 8)])
    assert bool((torch.diff(found, dim=0) < 0).all())
    assert bool((found[0] < size(known())).all())


def test_functions_that_contain_the_solution_find_it():
    q, _ = experts(count=2).solve(known(), functions(), ALL)
    # the defect of one field is the law's right side of another problem
    found = law(q).detach()

    def shifted(p):
        return law(p) - found.flatten(1)

    again = Experts(LINE, shifted, Windows(), Tiles(2, overlap=0.12), tolerance=1e-12)
    torch.testing.assert_close(again.solve(known(), functions(), ALL)[0], q, rtol=1e-8, atol=1e-10)


def test_tiles_alone_are_solved_as_if_each_were_the_only_one():
    _, omega = experts(Uncoupled()).solve(known(), functions(), ALL)
    for k, inside in enumerate(Tiles(4).indicators(X).bool()):
        own = (ALL.reshape(NT, NX)[:, inside]).flatten()
        _, single = experts(count=1).solve(known(), functions(), own)
        torch.testing.assert_close(omega[:, k * N : (k + 1) * N], single, rtol=1e-6, atol=1e-8)


def test_conditions_of_much_weight_make_one_global_expert():
    _, single = experts(count=1).solve(known(), functions(), ALL)
    _, strict = experts(Rows(1e4)).solve(known(), functions(), ALL)
    torch.testing.assert_close(strict.reshape(3, 4, N), single[:, None].expand(3, 4, N), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("coupling", [Windows(), Uncoupled(), Rows(10.0)])
def test_gradients_in_taylor_form(coupling):
    """The functions change in a smooth direction, and the lift."""
    points, way = stratified(NT * NX, 200, seed=1), functions(count=N + 1)[:, 1:]
    layer = experts(coupling)

    def loss(eps):
        q, _ = layer.solve(known() * (1 + 0.1 * eps), functions() + eps * way, points)
        return size(q).sum()

    leaf = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(loss(leaf), leaf)
    steps = 1e-2 * 0.1 ** torch.arange(0, 3, dtype=torch.float64)
    with torch.no_grad():
        left = torch.stack([(loss(e) - loss(leaf) - e * slope).abs() for e in steps])
    orders = -torch.diff(left.log10())
    assert orders.mean() == pytest.approx(2.0, abs=0.1)
    assert (layer.problem.tally.failed, layer.problem.tally.singular) == (0, 0)


def test_a_sample_that_fails_is_counted_and_leaves_the_gradients_of_others_alone():
    layer, b = experts(), functions()
    bad = b.clone()
    bad[1] = torch.nan
    bad.requires_grad_()
    q, omega = layer.solve(known(), bad, ALL)
    assert solved(omega).tolist() == [True, False, True]
    assert layer.problem.tally.failed == 1
    (found,) = torch.autograd.grad(size(q)[[0, 2]].sum(), bad)
    b.requires_grad_()
    (right,) = torch.autograd.grad(size(layer.solve(known(), b, ALL)[0])[[0, 2]].sum(), b)
    torch.testing.assert_close(found[[0, 2]], right[[0, 2]])
    assert float(found[1].abs().max()) == 0


def test_windows_do_not_jump_and_experts_alone_do():
    tiles = Tiles(4)
    smooth = jumps(torch.sin(5 * X), LINE, tiles)
    assert float(smooth.abs().max()) < 1e-4
    torch.testing.assert_close(jumps((X > 0.5).double(), LINE, tiles), torch.tensor([0.0, 1.0, 0.0]).double())
    torch.testing.assert_close(jumps((X - 0.5).abs(), LINE, tiles, 1), torch.tensor([0.0, 2.0, 0.0]).double())
    fields = [experts(c).solve(known(), functions(), ALL)[0][:, 0] for c in (Windows(), Uncoupled())]
    blended, pasted = (float(jumps(u, LINE, tiles).abs().max()) for u in fields)
    assert blended < 0.1 * pasted


def test_balance_of_each_tile_and_slab_is_exact():
    layer, b = experts(), functions()
    known_, omega = known(), layer.solve(known(), b, ALL)[1]
    balance = Balance(LINE, layer.tiles, 2, stored, D)
    blended = layer.coupling.field(b, layer.tiles, X)
    flown = D * LIFT.passed(START, balance.faces, balance.bounds)

    def defect(omega):
        v = torch.einsum("mntx,mn->mtx", blended, omega)
        return balance.defect(START, known_[:, 0], flown, v)

    theta = layer.rows(known_, b, blended, ALL)
    exact, worst = balanced(omega, *layer.normal(omega, theta), defect)
    assert float(defect(omega).abs().amax(1).min()) > 1e-4
    assert float(worst.max()) < 1e-12
    # among all that balance it is next to the best
    loss = layer.problem.values(exact, theta).square().sum(1)
    assert bool((loss >= layer.problem.values(omega, theta).square().sum(1)).all())
