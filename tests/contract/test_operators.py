"""What every operator promises: pure, each sample for itself, differentiable, features of all points."""

import pytest
import torch
from hosts import params

from plexus import registry
from plexus.errors import InputError
from plexus.mesh.alone import Alone
from plexus.mesh.grid import Grid
from plexus.operators.base import Cells
from plexus.protocols import Port, Setting

NAMES = registry.names("operator")
PORTS = (Port("u", "m/s"), Port("w", "1"))


def made(name, cells=(16,), ports=PORTS):
    """Return an operator in double precision with weights at random."""
    chosen = params("operator", name).model_copy(update={"precision": "fp64"})
    part = registry.component("operator", name).cls(chosen)
    space = Cells(Grid(Alone(), cells, (1.0,) * len(cells)), (0, cells[0]))
    part.prepare(Setting(missing=(ports,), space=space, dt=0.5))
    draw = torch.Generator().manual_seed(1)
    for p in part.network.parameters():
        p.data.copy_(0.3 * torch.randn(p.shape, generator=draw, dtype=p.dtype))
    return part


def fields(count, cells=(16,)):
    draw = torch.Generator().manual_seed(2)
    return {p.name: torch.randn(count, *cells, generator=draw, dtype=torch.float64) for p in PORTS}


@pytest.mark.parametrize("name", NAMES)
def test_is_pure_and_answers_each_sample_for_itself(name):
    part, given = made(name), fields(3)
    before = {n: v.clone() for n, v in given.items()}
    found, again = part.apply(given), part.apply(given)
    assert set(found) == {p.name for p in part.outputs} and all(v.shape == (3, 16) for v in found.values())
    assert all(torch.equal(found[n], again[n]) and torch.equal(given[n], before[n]) for n in found)
    each = [part.apply({n: v[k : k + 1] for n, v in given.items()}) for k in range(3)]
    assert all(
        torch.allclose(torch.cat([e[n] for e in each]), v, rtol=0, atol=1e-13) for n, v in found.items()
    )


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_differences(name):
    part, given = made(name), fields(1)
    assert torch.autograd.gradcheck(
        lambda u, w: tuple(part.apply({"u": u, "w": w}).values()),
        tuple(v.requires_grad_(True) for v in given.values()),
    )


@pytest.mark.parametrize("name", NAMES)
def test_features_tell_mean_deviation_and_peak(name):
    found = made(name).features({n: torch.tensor([[1.0, 3.0] * 8]) for n in ("u", "w")})
    assert found[:, 0].tolist() == [2.0, 1.0, 1.0] * 2


@pytest.mark.parametrize("name", NAMES)
def test_takes_scalars_only(name):
    with pytest.raises(InputError, match="takes scalar fields; v is none"):
        made(name, ports=(Port("v", "m/s", "vector"),))


def test_fno_works_in_two_and_three_directions():
    for cells in ((8, 9), (8, 9, 10)):
        chosen = registry.component("operator", "fno").params(modes=(4,) * len(cells), width=4)
        part = registry.component("operator", "fno").cls(chosen)
        space = Cells(Grid(Alone(), cells, (1.0,) * len(cells)), (0, cells[0]))
        part.prepare(Setting(missing=(PORTS,), space=space, dt=0.5))
        assert part.apply(fields(2, cells))["u"].shape == (2, *cells)
