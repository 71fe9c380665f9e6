"""The classical closures by which trained ones are judged."""

import pytest
import torch

from plexus import registry
from plexus.protocols import Setting


def made(name: str, **params):
    component = registry.component("closure", name)
    closure = component.cls(component.params.model_validate(params))
    closure.prepare(Setting({"zeta": 1.0, "d_R": 0.05}))
    return closure


@pytest.mark.parametrize(
    ("name", "params", "rivals"),
    [
        ("spin_network", {"moment": 2}, ["bingham", "quadratic"]),
        ("spin_network", {"moment": 3}, ["autoregressive"]),
        ("tensor_basis", {}, ["bingham", "quadratic"]),
        (
            "spin_network",
            {"moment": 2, "guard": {"fallback": {"type": "quadratic"}}},
            ["quadratic", "bingham"],
        ),
    ],
)
def test_a_network_is_judged_by_every_closure_of_its_moment(name, params, rivals):
    assert list(made(name, **params).rivals()) == rivals


def test_rivals_answer_in_the_form_of_the_network():
    """st = ζ c f_1 + (g c + conj(g) f_2)/2 with f_2 = f_1²/c, g = e + ζ f_1."""
    f1, e = torch.tensor([0.3 + 0.4j, -0.2j]), torch.tensor([1.0 - 2.0j, 0.5 + 0.1j])
    fields = {"c": torch.ones(2), "f1": f1, "e": e, "W": torch.zeros(2)}
    fields = {k: v.to(torch.complex128 if v.is_complex() else torch.float64) for k, v in fields.items()}
    f1, e = fields["f1"], fields["e"]
    found = made("tensor_basis").rivals()["quadratic"].evaluate(fields)
    torch.testing.assert_close(found["st"], f1 + (e + f1 + (e + f1).conj() * f1 * f1) / 2)
    assert made("spin_network", moment=2).rivals()["quadratic"].evaluate(fields)["f2"].equal(f1 * f1)
