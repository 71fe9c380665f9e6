"""Blocks of the root whose models are imported only when a deck has them.

A plain run neither imports nor builds the models of a training, a sweep or a calibration.
"""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic_core import core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo

    from plexus.deck.params import Params


class OnDemand:
    """Annotation: a block whose model, `name` of `module`, is imported when there is one to validate."""

    def __init__(self, module: str, name: str):
        self.module, self.name = module, name

    @cached_property
    def model(self) -> type[Params]:
        """The model."""
        found: type[Params] = getattr(import_module(self.module), self.name)
        return found

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Validate with the model."""

        def check(value: Any, info: ValidationInfo) -> Params:
            return self.model.model_validate(value, context=info.context)

        return core_schema.with_info_plain_validator_function(check)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> Any:
        """Name the model; `plexus.deck.jsonschema` refers to its schema here."""
        return {"x-model": self.name}
