"""Component slots: ``{type: name, ...}`` to the validated parameters of that component."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo

from plexus import registry
from plexus.deck.suggest import nearest
from plexus.deck.values import refuse


def validate_component(kind: str, value: Any, info: ValidationInfo) -> Any:
    """Return the `Params` of the component that ``value`` names; only its module is imported.

    Raises
    ------
    PydanticCustomError, ValidationError
        If the name is unknown or the parameters are wrong.
    """
    from plexus.deck.params import Params

    if isinstance(value, Params) and value.type:
        return value
    if isinstance(value, str):
        value = {"type": value}
    if not isinstance(value, dict):
        raise refuse(f"expected the name of a {kind} or a mapping with `type`")
    name = value.get("type")
    if not isinstance(name, str):
        valid = ", ".join(registry.names(kind))
        raise refuse(
            f"`type` is missing: which {kind}? One of {valid}" if name is None else "`type` must be text"
        )
    return parameters(kind, name, {k: v for k, v in value.items() if k != "type"}, info)


def parameters(kind: str, name: str, data: Any, info: ValidationInfo) -> Any:
    """Return the parameters of ``kind.name`` made from ``data`` (without ``type``)."""
    if name not in registry.names(kind):
        raise refuse(f"unknown {kind} {name!r}{nearest(name, registry.names(kind), 30)}")
    params = registry.component(kind, name).params.model_validate(data, context=info.context)
    # The model does not know its own name: several components may share one model.
    params._type = name
    return params
