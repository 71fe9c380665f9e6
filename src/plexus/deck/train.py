"""The block `train`: how `plexus train` fits the deck's closure to kinetic runs.

For instance::

    train:
      cases: [{alpha: -3, zeta: 1, seed: 1}]     # kinetic runs whose frames are learned from
      frames: {start: 4, end: 25, every: 0.5}    # model times
      stages:                                    # one after the other, on the same weights
        - {mode: offline, steps: 3000, batch: 4096}
        - {mode: unrolled, steps: 100, batch: 4, unroll: [4, 16]}
      validation: [{alpha: -3, zeta: 1, seed: 2}]
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Field, Params, Unit
from plexus.deck.values import refuse

Whole = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]

OWN: dict[str, tuple[str, ...]] = {
    "unroll": ("unrolled",),
    "truncate": ("unrolled",),
    "flow": ("unrolled",),
    "anchor": ("unrolled",),
    "rounds": ("active",),
    "acquire": ("active",),
    "choose": ("active",),
    "guess": ("infer",),
    "horizon": ("infer",),
    "noise": ("offline", "active"),
    "balance": ("offline", "active"),
}
"""Keys of a stage that belong to some modes only."""


class KineticCase(Params):
    """One kinetic run."""

    alpha: float = Field(description="dipole strength")
    zeta: float = Field(ge=0, description="steric alignment")
    seed: Seed = Field(0, description="seed of the initial waves")
    substeps: int = Field(
        1, ge=1, description="steps of this run per step of the model; strong flows need shorter ones"
    )


class Frames(Params):
    """Times at which a kinetic run is looked at."""

    start: Annotated[float, Unit("s")] = Field(4.0, ge=0, description="time of the first frame")
    end: Annotated[float, Unit("s")] = Field(25.0, gt=0, description="time of the last frame")
    every: Annotated[float, Unit("s")] = Field(0.5, gt=0, description="time between frames")

    @model_validator(mode="after")
    def _ordered(self) -> Frames:
        if self.end < self.start:
            raise refuse(f"end {self.end:g} s is before start {self.start:g} s")
        return self

    def count(self) -> int:
        """Return how many times these are."""
        return round((self.end - self.start) / self.every) + 1


class Stage(Params):
    """One part of a training.

    ``offline`` fits the closed moment on frames; ``unrolled`` rolls the model out from frames and fits where
    it gets to, through the solver; ``active`` adds frames round by round and fits offline in each;
    ``infer`` keeps the weights and fits constants of the physics.
    """

    mode: Literal["offline", "unrolled", "active", "infer"] = Field("offline", description="what is fitted")
    steps: int = Field(3000, ge=1, description="steps of the optimiser; of each round in mode active")
    batch: int | None = Field(
        None, ge=1, description="points per step (default: 4096), or whole frames where they are needed (4)"
    )
    rate: float = Field(0.01, gt=0, description="learning rate at the start")
    final_rate: float = Field(1e-5, gt=0, description="learning rate at the end, along a cosine")
    noise: float = Field(
        0.0, ge=0, lt=1, description="noise on the inputs, as a share of their root mean square"
    )
    balance: bool = Field(False, description="weigh each frame's error by the frame's own mean square")
    unroll: tuple[Whole, ...] = Field(
        (1, 4, 16), min_length=1, description="lengths of roll-outs in steps, one after the other"
    )
    truncate: int = Field(64, ge=1, description="steps through which gradients flow back at most")
    flow: float = Field(0.1, ge=0, description="weight of the strain rate's error beside the moments'")
    anchor: float = Field(0.0, ge=0, description="weight of the offline loss beside the roll-outs'")
    rounds: int = Field(4, ge=1, description="rounds of acquisition")
    acquire: int = Field(10, ge=1, description="frames that a round adds, and that the first one starts with")
    choose: Literal["worst", "random"] = Field("worst", description="which unused frames are added")
    guess: dict[Literal["alpha", "zeta"], float] = Field(
        {}, description="constants to infer and where to start from"
    )
    horizon: int = Field(
        25, ge=1, description="length in steps of the roll-outs that constants are fitted on"
    )

    @model_validator(mode="after")
    def _own(self) -> Stage:
        for key, modes in OWN.items():
            # a default that is written out, as in the effective deck, asks for nothing
            given = getattr(self, key) != type(self).model_fields[key].default
            if given and self.mode not in modes:
                raise refuse(f"{key}: belongs to mode {' and '.join(modes)}, not to {self.mode}")
        if self.mode == "infer" and not self.guess:
            raise refuse("guess is missing: which constants are inferred, and from where, e.g. {zeta: 1.3}")
        return self

    def leads(self) -> tuple[int, ...]:
        """Return after how many steps roll-outs are compared with the kinetic run."""
        return {"unrolled": self.unroll, "infer": (self.horizon,)}.get(self.mode, ())


class Train(Params):
    """Fitting the deck's closure to kinetic runs; `plexus train` does it, `plexus run` runs the deck.

    Mesh, constants, number of moments and time step are those of the deck; its closure may name a
    checkpoint to start from.
    """

    cases: tuple[KineticCase, ...] = Field(min_length=1, description="kinetic runs to learn from")
    frames: Frames = Field(Frames(), description="when they are looked at")
    moments: int = Field(20, ge=4, description="number K of moments of the kinetic runs, cut off after it")
    stages: tuple[Stage, ...] = Field((Stage(),), min_length=1, description="parts of the training in order")
    seed: Seed = Field(0, description="seed of batches, noise and choices")
    widen: float = Field(
        0.5, ge=0, description="room around the training data, in its own width, before the guard acts"
    )
    validation: tuple[KineticCase, ...] = Field((), description="kinetic runs to judge the result on")
    validation_frames: Frames | None = Field(None, description="when these are looked at; none: as frames")
    output: str = Field(
        "bundle.safetensors",
        pattern=r"^(?!\.)[\w.+-]{1,100}\.safetensors$(?!\n)",
        description="name of the bundle, in the run folder",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_stage(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("stages"), dict):
            return {**data, "stages": [data["stages"]]}
        return data

    def leads(self) -> tuple[int, ...]:
        """Return all lengths of roll-outs that some stage compares with the kinetic run."""
        every: Iterable[int] = (n for stage in self.stages for n in stage.leads())
        return tuple(sorted(set(every)))
