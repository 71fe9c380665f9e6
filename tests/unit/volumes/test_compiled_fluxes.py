"""Compiled fluxes and their transpose beside the formulas of `Scheme` and what torch makes of them."""

from __future__ import annotations

import pytest
import torch
from volume_cases import function, scheme

from plexus.models.volumes.compiled import formulas
from plexus.models.volumes.sides import Given, Mixed, Outflow, Prescribed
from plexus_kernels.native.transport import Formulas

LIMITED = [{"type": "muscl", "limiter": name} for name in ("minmod", "van_leer", "mc", "superbee")]
KERNELS = [*((given, "rusanov") for given in ("upwind", *LIMITED)), ("muscl", "godunov")]
JS, Z = ({"type": "weno5", "weights": name} for name in ("js", "z"))
WEIGHTED = [(JS, "rusanov"), (Z, "rusanov"), (Z, "godunov")]
"""Reconstructions and Riemann solvers that are compiled here: each kernel takes two seconds once."""
BURGERS = {"type": "burgers", "viscosity": "0.01*(1 + x)", "direction": [1, 0.5, 0.7], "source": "-velocity"}
CARRIED = {
    "type": "advection_diffusion",
    "velocity": ["0.3 - x", -0.5, "y"],
    "diffusivity": "0.02*concentration^2",
}
RULES = {
    (0, 0): Prescribed(function("1 + y")),
    (0, 1): Outflow(),
    (1, 0): Given(function("0.3*x")),
    (1, 1): Mixed(function("0.5"), function("x")),
}
ENDS = {(0, 0): Prescribed(function("1")), (0, 1): Outflow()}


def cut(physics: dict, dim: int) -> dict:
    """Return a law for a number of axes."""
    lists = {k: v[:dim] for k, v in physics.items() if isinstance(v, list)}
    flat = {"velocity": ["0.3 - x"]} if dim == 1 and "velocity" in lists else {}
    return {**physics, **lists, **flat}


def means(made, members: int = 1) -> torch.Tensor:
    """Return rough means of both signs, a flat piece among them: choices take all their ways."""
    draw = torch.Generator().manual_seed(3)
    u = torch.randn((members, 1, *made.slab.shape), generator=draw, dtype=torch.float64)
    u[..., 1:4] = 0.25
    return u.requires_grad_()


def agree(made, u: torch.Tensor) -> None:
    """Compare rates and the transpose, with every derivative of the means."""
    assert made.compiled is not None and made.in_torch().compiled is None
    fast, plain = made.rates(u, 0.4), made.in_torch().rates(u, 0.4)
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=1e-11)
    g = torch.randn(u.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    (mine,), (theirs,) = torch.autograd.grad(fast, u, g), torch.autograd.grad(plain, u, g)
    torch.testing.assert_close(mine, theirs, rtol=1e-12, atol=1e-12 * float(theirs.abs().max()))


@pytest.mark.parametrize("physics", [BURGERS, CARRIED], ids=["burgers", "carried"])
@pytest.mark.parametrize(("reconstruction", "riemann"), KERNELS, ids=str)
@pytest.mark.parametrize("rules", [None, RULES], ids=["periodic", "sides"])
def test_rates_and_transpose_are_those_of_the_formulas(physics, riemann, reconstruction, rules):
    made = scheme(cut(physics, 2), (9, 7), reconstruction, riemann, rules)
    agree(made, means(made, members=2))


@pytest.mark.parametrize("physics", [BURGERS, CARRIED], ids=["burgers", "carried"])
@pytest.mark.parametrize(("reconstruction", "riemann"), WEIGHTED, ids=str)
@pytest.mark.parametrize("rules", [None, ENDS], ids=["periodic", "sides"])
def test_weighted_values_on_a_line(physics, riemann, reconstruction, rules):
    agree(made := scheme(cut(physics, 1), (300,), reconstruction, riemann, rules), means(made))


@pytest.mark.parametrize("physics", [BURGERS, CARRIED], ids=["burgers", "carried"])
@pytest.mark.parametrize(("reconstruction", "riemann"), WEIGHTED, ids=str)
@pytest.mark.parametrize("rules", [None, RULES], ids=["periodic", "sides"])
def test_weighted_values_on_a_plane_whose_fluxes_are_means(physics, riemann, reconstruction, rules):
    """Layers are longer than the pieces that the kernel takes values and derivatives in."""
    made = scheme(cut(physics, 2), (9, 130), reconstruction, riemann, rules)
    agree(made, means(made, members=2))


@pytest.mark.parametrize("reconstruction", ["muscl", JS], ids=str)
def test_three_axes(reconstruction):
    made = scheme(CARRIED, (5, 6, 7), reconstruction)
    agree(made, means(made, members=2))


def test_what_compiled_code_does_not_know_is_left_to_torch():
    """Values of several unknowns are."""
    made = scheme(BURGERS, (12, 12), "muscl")
    assert made.compiled == Formulas(1, 2, 0)
    made.specs = [*made.specs, *made.specs]
    assert formulas(made) is None


def test_means_that_are_no_numbers_are_passed_on():
    made = scheme(cut(BURGERS, 2), (9, 7), riemann="godunov")
    u = means(made).detach()
    u[0, 0, 4, 3] = torch.nan
    assert made.rates(u, 0.0)[0, 0, 4, 3].isnan()
