"""Every registered class has the methods of its kind's protocol, with the parameters that callers give."""

import inspect

import pytest

from plexus import protocols, registry

PROTOCOLS = {
    "mesh": protocols.MeshSource,
    "boundary": protocols.BoundaryTerm,
    "closure": protocols.Closure,
    "stepper": protocols.Stepper,
    "reconstruction": protocols.Reconstruction,
    "riemann": protocols.Riemann,
    "controller": protocols.Controller,
    "quantity": protocols.Quantity,
    "output": protocols.Observer,
}
MEMBERS = [(kind, name) for kind in PROTOCOLS for name in registry.names(kind)]


def methods(protocol):
    """Return name -> signature of the methods that a protocol spells out."""
    return {
        name: inspect.signature(member)
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }


def test_protocols_spell_out_methods():
    assert all(methods(protocol) for protocol in PROTOCOLS.values())


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_member_has_the_methods_of_its_protocol(kind, name):
    cls = registry.component(kind, name).cls
    for method, expected in methods(PROTOCOLS[kind]).items():
        found = inspect.signature(getattr(cls, method)).parameters
        given = list(expected.parameters)
        assert list(found)[: len(given)] == given, f"{method}({', '.join(found)})"
        more = [p for p in list(found.values())[len(given) :] if p.default is p.empty]
        assert not more, f"{method} asks for {more}, which no caller gives"
