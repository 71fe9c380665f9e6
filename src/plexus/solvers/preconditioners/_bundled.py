"""How decks name the bundle of a learned preconditioner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from pydantic import field_validator, model_validator

from plexus.deck.params import Field, InputFile, Params
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.protocols import Found
from plexus.solvers import shipped


class Bundled(Params):
    """The parameters that name a bundle, a file or one that Plexus ships."""

    learned: ClassVar[bool] = True
    weights_key: ClassVar[str] = "bundle"
    shelf: ClassVar[str]
    """The preconditioner whose shipped bundles serve."""

    bundle: InputFile | None = Field(
        None, description="bundle with the network (.safetensors), or the name of one that Plexus ships"
    )
    sha256: str | None = Field(
        None, pattern="^[0-9a-fA-F]{64}$", description="hash of the bundle; may be left out of a shipped one"
    )
    seed: int = Field(0, ge=0, description="seed of untrained weights")

    @field_validator("bundle", mode="before")
    @classmethod
    def _shipped(cls, name: Any) -> Any:
        found = shipped.found(cls.shelf, name) if isinstance(name, str) else None
        return name if found is None else str(found)

    @model_validator(mode="after")
    def _named(self) -> Bundled:
        if self.bundle is not None and self.sha256 is None and not shipped.ships(self.shelf, self.bundle):
            raise refuse("`sha256` is missing: a bundle goes with its hash (`sha256sum FILE`)")
        return self

    @property
    def checkpoint(self) -> str | None:
        """Return the bundle, by the name that it has for all learned parts."""
        return self.bundle

    def unsound(self, load: Callable[[str, str | None], object], at: tuple[str, ...]) -> Iterator[Found]:
        """Yield what is wrong with the bundle, by what ``load`` says of it."""
        try:
            load(self.bundle or "", self.sha256)
        except InputError as error:
            yield (*at, "bundle"), str(error)
