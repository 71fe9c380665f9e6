"""The block `train`: how `plexus train` fits a learned part of the deck.

For instance::

    train:
      data:                                        # what is learned from
        type: kinetic
        cases: [{alpha: -3, zeta: 1, seed: 1}]     # kinetic runs
        frames: {start: 4, end: 25, every: 0.5}    # model times at which they are looked at
      stages:                                      # one after the other, on the same weights
        - {type: fit, steps: 3000, batch: 4096}
        - {type: unrolled, steps: 100, batch: 4, unroll: [4, 16]}
      validation: {type: kinetic, cases: [{alpha: -3, zeta: 1, seed: 2}]}   # what it leaves out is as above
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator, model_validator

from plexus import registry
from plexus.deck.former import former
from plexus.deck.params import Component, Field, Params, Unit
from plexus.deck.parts import CONTROLS
from plexus.deck.values import refuse

Seed = Annotated[int, Field(ge=0, lt=2**63)]


FITTED = "controls.h5"
"""What a training of controls leaves, unless the deck names it."""


class Ranks(Params):
    """How the ranks of a training share its work: groups of them take samples in turn."""

    per_sample: int = Field(
        1,
        ge=1,
        le=100_000,
        description="ranks of a group, which cut the domain of a run among them; for `part: controls`",
    )


class Train(Params):
    """Fitting a learned part of the deck; `plexus train` does it, `plexus run` runs the deck.

    The part may name a checkpoint to start from. Data give samples of what it sees and should answer, stages
    fit it to them, and the validation compares it with the classical parts that it could replace.
    """

    part: str | None = Field(
        None,
        description="deck path of the learned part, e.g. closure; none: the only one that the deck has; "
        "controls: the numbers of all controls, through the solver",
    )
    data: Annotated[Any, Component("data")] = Field(description="what is learned from")
    loss: Annotated[Any, Component("loss")] = Field("relative_l2", description="what is made small")
    stages: tuple[Annotated[Any, Component("stage")], ...] = Field(
        ("fit",), description="parts of the training in order"
    )
    ranks: Ranks = Field(Ranks(), description="how the ranks share the work")
    checkpoint: Annotated[float, Unit("s")] = Field(
        60.0, ge=0, description="time between checkpoints, from which --restart goes on; 0: after every step"
    )
    seed: Seed = Field(0, description="seed of batches, noise and choices")
    widen: float = Field(
        0.5, ge=0, description="room around the training data, in its own width, before the guard acts"
    )
    validation: Annotated[Params | None, Component("data")] = Field(
        None,
        description="data to judge the result on; what it leaves out of the same type is as in `data`, and "
        "`check` names it",
    )
    output: str = Field(
        "bundle.safetensors",
        pattern=r"^(?!\.)[\w.+-]{1,100}\.(safetensors|h5)$(?!\n)",
        description="name of the bundle, in the run folder; of controls that of an .h5 file (controls.h5)",
    )

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = former(data)
        if isinstance(data.get("stages"), dict):
            data = {**data, "stages": [data["stages"]]}
        given, other = data.get("data"), data.get("validation")
        if isinstance(given, dict) and isinstance(other, dict):
            data = {**data, "validation": {**{key: given[key] for key in _left_out(given, other)}, **other}}
        if data.get("part") == CONTROLS and data.get("output") is None:
            data = {**data, "output": FITTED}
        return data

    @field_validator("output")
    @classmethod
    def _ending(cls, output: str, info: ValidationInfo) -> str:
        ending = ".h5" if info.data.get("part") == CONTROLS else ".safetensors"
        if not output.endswith(ending):
            raise refuse(f"the name of what this training leaves ends with {ending}")
        return output

    @field_validator("stages")
    @classmethod
    def _some(cls, stages: tuple[Any, ...]) -> tuple[Any, ...]:
        # as a bound of the field it would also be told where a stage has a mistake of its own
        if not stages:
            raise refuse("needs at least 1 stage, has none")
        return stages

    def leads(self) -> tuple[int, ...]:
        """Return all lengths of roll-outs that some stage compares with the truth."""
        every = (registry.component("stage", s.type).cls.leads(s, self.loss) for s in self.stages)  # type: ignore[attr-defined]  # of the protocol
        return tuple(sorted({n for leads in every for n in leads}))


def _left_out(given: Any, other: Any) -> list[str]:
    """Return the keys of a block of data that a validation of the same type leaves out."""
    if not isinstance(given, dict) or not isinstance(other, dict) or given.get("type") != other.get("type"):
        return []
    return [key for key in given if key not in other]


def taken_over(deck: Any) -> list[str]:
    """Return a line on what the validation of a deck takes from its data, none where it states all itself."""
    train = deck.plain()["data"].get("train")
    train = former(train) if isinstance(train, dict) else {}
    keys = _left_out(train.get("data"), train.get("validation"))
    return [f"train.validation: {', '.join(keys)} as in train.data"] if keys else []
