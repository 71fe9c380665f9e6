"""The blocks of a deck that are not components: about, solver, time, verification, runtime."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from plexus import __version__, registry
from plexus.deck import petsc
from plexus.deck.context import known
from plexus.deck.limits import Limits, in_units, increments
from plexus.deck.params import NAME, Component, Field, Params, Unit
from plexus.deck.tables import period_of
from plexus.deck.units import Quantity, UnitError, same_dimension
from plexus.deck.values import refuse, si_value, stated

KSP = Literal[
    "preonly", "richardson", "chebyshev", "cg", "pipecg", "fcg", "minres", "gmres", "fgmres", "lgmres",
    "pgmres", "bcgs", "bcgsl", "ibcgs", "cgs", "tfqmr", "cr", "gcr", "symmlq", "lsqr", "groppcg",
    "pipefgmres", "qcg", "nash",
]  # fmt: skip
SNES = Literal[
    "ksponly", "newtonls", "newtontr", "nrichardson", "ngmres", "anderson", "qn", "ncg", "vinewtonrsls"
]

DIRECT = ("mumps", "lu", "cholesky")
"""Preconditioners that solve exactly, so that no Krylov method is needed."""


def _branch(value: Any) -> str:
    return "error" if value == "error" else "block"


class About(Params):
    """What this deck is, for people and catalogues."""

    title: str = Field("", description="one line that a report would carry")
    description: str = Field("", description="what is computed and why")
    authors: tuple[str, ...] = Field((), description="who wrote the deck")
    keywords: tuple[str, ...] = Field((), description="words to search for")
    references: tuple[str, ...] = Field((), description="papers, with DOI")
    needs: str = Field("", description="version of Plexus that the deck needs, e.g. '>=0.1'")

    @field_validator("needs")
    @classmethod
    def _enough(cls, text: str) -> str:
        wanted = text.strip().removeprefix(">=").strip()
        if not text:
            return text
        parts = wanted.split(".")
        if not text.strip().startswith(">=") or not all(p.isdecimal() and len(p) < 9 for p in parts):
            raise refuse(f"{text!r}: expected '>=' and a version, e.g. '>=0.1'")
        if [int(p) for p in parts] > [int(p) for p in __version__.split(".")]:
            raise refuse(f"this deck needs Plexus {text}, this is {__version__}")
        return text


class SolverBlock(Params):
    """How the equation of one field is solved: Newton, Krylov, preconditioner.

    Short form: the name of a preconditioner, or ``ksp+preconditioner`` such as ``cg+gamg``. What is left
    out is chosen from the equation (linear, symmetric).
    """

    snes: SNES | None = Field(None, description="nonlinear solver; ksponly where the equation is linear")
    ksp: KSP | None = Field(None, description="Krylov method; cg where the matrix is symmetric, else gmres")
    rtol: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="relative tolerance of the linear solve; chosen from the equation if left out",
    )
    atol: float = Field(1e-50, ge=0, description="absolute tolerance of the linear solve (residual norm)")
    max_iterations: int = Field(1000, ge=1, description="limit on linear iterations per solve")
    snes_rtol: float = Field(1e-8, gt=0, lt=1, description="relative tolerance of the nonlinear solve")
    snes_atol: float = Field(1e-50, ge=0, description="absolute tolerance of the nonlinear solve")
    snes_max_iterations: int = Field(30, ge=1, description="limit on Newton steps per solve")
    preconditioner: Annotated[Params | None, Component("preconditioner")] = Field(
        None, description="preconditioner of the linear solve; chosen from equation and size if left out"
    )
    options: dict[str, petsc.Value] = Field(
        {}, description="options of PETSc's methods, without prefix, e.g. {pc_gamg_threshold: 0.02}"
    )
    on_failure: Annotated[
        Annotated[Literal["error"], Tag("error")] | Annotated[SolverBlock, Tag("block")],
        Discriminator(_branch),
    ] = Field(
        "error", description="error, or another solver block that is tried when this one does not converge"
    )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Allow the short form."""
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    @field_validator("options")
    @classmethod
    def _methods_only(cls, options: dict[str, petsc.Value]) -> dict[str, petsc.Value]:
        if text := petsc.first_problem(options):
            raise refuse(text)
        return options

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("type"), str):  # a short form that -s adds to
            return _long(data["type"]) | {k: v for k, v in data.items() if k != "type"}
        return _long(data) if isinstance(data, str) else data


def _long(text: str) -> dict[str, Any]:
    """Return the block that the short form of a solver stands for."""
    ksp, plus, preconditioner = text.partition("+")
    if plus:
        return {"ksp": ksp, "preconditioner": preconditioner}
    return {"preconditioner": text, **({"ksp": "preonly"} if text in DIRECT else {})}


class Coupling(Params):
    """Iteration between equations that are solved one after the other; without it one pass per step."""

    iterations: int = Field(20, ge=2, description="most passes over the equations per step")
    tolerance: float = Field(
        1e-8,
        gt=0,
        lt=1,
        description="change of every unknown, relative to its magnitude, at which they agree",
    )


class Adaptive(Params):
    """Step sizes chosen from the stepper's error estimate."""

    tolerance: float = Field(1e-3, gt=0, description="relative local error per step")
    limit: dict[str, float] = Field(
        {}, description="unknown or internal variable -> most that it may change in a step, in its unit"
    )
    min: Annotated[float, Unit("s")] = Field(
        1e-12, gt=0, description="smallest step; a smaller one stops the run"
    )
    max: Annotated[float, Unit("s")] | None = Field(None, gt=0, description="largest step; none without this")

    @field_validator("limit", mode="before")
    @classmethod
    def _increments(cls, value: Any, info: ValidationInfo) -> Any:
        return increments(value, info)

    @model_validator(mode="after")
    def _ordered(self) -> Adaptive:
        if self.max is not None and self.max < self.min:
            raise refuse("max is smaller than min")
        return self


class Time(Params):
    """Marching in time; without this block the problem is steady."""

    stepper: Annotated[Params, Component("stepper")] = Field("theta", description="time integration")
    start: Annotated[float, Unit("s")] = Field(0.0, description="time of the initial state")
    end: Annotated[float, Unit("s")] = Field(description="time at which the run is done")
    cycles: int | None = Field(
        None, ge=1, description="instead of the end: how many periods of the deck's tables are run through"
    )
    step: Annotated[float, Unit("s")] = Field(gt=0, description="time step; the first one when adaptive")
    hit: tuple[Annotated[float, Unit("s")], ...] = Field(
        (), description="times that no step may pass; adaptive steps hit those at which loads change anyway"
    )
    adaptive: Adaptive | None = Field(None, description="adapt the step; absent: fixed steps")
    controller: Annotated[Params | None, Component("controller")] = Field(
        None, description="choice of the step; `adaptive` is short for the controller `error`"
    )

    @property
    def control(self) -> Params:
        """The parameters of the controller, which `adaptive` or nothing may stand for."""
        if self.controller is not None:
            return self.controller
        name, given = ("error", self.adaptive.model_dump()) if self.adaptive else ("fixed", {})
        params = registry.component("controller", name).params.model_validate(given)
        params._type = name
        return params

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Ask for an end or a number of cycles."""
        block: dict[str, Any] = handler(schema)
        block["required"] = [name for name in block["required"] if name != "end"]
        return {**block, "anyOf": [{"required": ["end"]}, {"required": ["cycles"]}]}

    @model_validator(mode="before")
    @classmethod
    def _of_cycles(cls, data: Any, info: ValidationInfo) -> Any:
        """Put the end where the cycles end; a deck that was completed so may say both."""
        if not isinstance(data, dict) or not isinstance(count := data.get("cycles"), int):
            return data
        start = cls._number(data.get("start", 0.0))
        period = period_of(known(info).tables)
        if period is None:
            raise refuse("cycles: no table of the deck has a period, so there is no cycle to count")
        end = start + count * period
        if "end" in data and abs(cls._number(data["end"]) - end) > 1e-9 * abs(end):
            raise refuse(f"cycles: {count} of {period:g} s end at {end:g} s; give either end or cycles")
        return {**data, "end": end}

    @staticmethod
    def _number(value: Any) -> float:
        return si_value(value) if isinstance(value, str) else float(value)

    @model_validator(mode="after")
    def _one_control(self) -> Time:
        if self.adaptive is not None and self.controller is not None:
            raise refuse("give either adaptive or a controller")
        return self

    @field_validator("hit")
    @classmethod
    def _rising(cls, hit: tuple[float, ...]) -> tuple[float, ...]:
        if any(b <= a for a, b in pairwise(hit)):
            raise refuse("the times must increase")
        return hit

    @model_validator(mode="after")
    def _within(self) -> Time:
        for t in self.hit:
            if not self.start <= t <= self.end:
                raise refuse(f"hit: {t:g} s is not between start {self.start:g} s and end {self.end:g} s")
        return self

    @model_validator(mode="after")
    def _forward(self) -> Time:
        if self.end <= self.start:
            raise PydanticCustomError(
                "deck", "{text}", {"text": f"end {self.end:g} s is not after start {self.start:g} s"}
            )
        control: Any = registry.component("controller", self.control.type).cls
        longest = control.longest(self.control, self)
        if self.end - longest == self.end:
            text = f"step {longest:g} s is lost in the rounding of the end {self.end:g} s"
            raise PydanticCustomError("deck", "{text}", {"text": text})
        return self


class Verification(Params):
    """A reference value that a quantity must reproduce."""

    quantity: str = Field(description="name of a quantity of this deck")
    reference: float | str = Field(description="the value it should have, in SI units or with a unit")
    tolerance: float | None = Field(None, gt=0, description="allowed relative difference")
    absolute_tolerance: float | str | None = Field(
        None, description="allowed absolute difference, in SI units or with a unit"
    )
    source: str = Field(description="where the reference comes from")

    @field_validator("reference", "absolute_tolerance", mode="after")
    @classmethod
    def _si(cls, value: float | str | None) -> float | None:
        try:
            return stated(value) if isinstance(value, str) else value
        except UnitError as error:
            raise refuse(str(error)) from None

    @field_validator("absolute_tolerance", mode="after")
    @classmethod
    def _positive(cls, value: float | None) -> float | None:
        if value is not None and not value > 0:
            raise refuse(f"must be > 0, not {value:g}")
        return value

    def unfit(self, unit: str) -> str:
        """Return why a stated unit does not fit that of the quantity; empty if it does."""
        for name, value in (("reference", self.reference), ("absolute_tolerance", self.absolute_tolerance)):
            if isinstance(value, Quantity) and not same_dimension(unit, value.unit):
                return f"{name}: {value.text!r} does not fit: {self.quantity} is in {unit}"
        return ""

    @model_validator(mode="after")
    def _one(self) -> Verification:
        if (self.tolerance is None) == (self.absolute_tolerance is None):
            raise refuse("give either tolerance (relative) or absolute_tolerance")
        return self


class Devices(Params):
    """Which GPU each rank takes where there are several."""

    policy: Literal["default", "local_rank", "uuid", "none"] = Field(
        "local_rank",
        description="local_rank: the node's GPUs in turn; default: the first that the rank sees; "
        "uuid: the listed ones by rank within the node; none: the CPU",
    )
    uuids: tuple[str, ...] = Field((), description="GPUs for the policy uuid, as nvidia-smi -L names them")
    share: bool = Field(False, description="let several ranks compute on one GPU")

    @model_validator(mode="after")
    def _listed(self) -> Devices:
        if (self.policy == "uuid") != bool(self.uuids):
            raise refuse("the policy uuid and a list of uuids belong together")
        return self


class Runtime(Params):
    """How the program runs; changes no result beyond rounding."""

    device: Literal["cpu", "auto", "cuda"] = Field("cpu", description="where element work is done")
    devices: Devices = Field(Devices(), description="which GPU each rank takes")
    seed: int = Field(0, ge=0, lt=2**63, description="seed of everything random")
    nan_guard: bool = Field(True, description="stop with exit code 5 when a field is not finite")
    guard: dict[str, Limits] = Field(
        {}, description="field -> [lower, upper] that every accepted step must keep; ... leaves an end open"
    )
    time_limit: Annotated[float, Unit("s")] | None = Field(
        None, gt=0, description="wall time after which the run writes a checkpoint and stops with code 75"
    )
    margin: Annotated[float, Unit("s")] | None = Field(
        None,
        ge=0,
        description="how long before the limit it stops; else twice the longest step, in a job 60 s more",
    )
    name: str | None = Field(None, pattern=NAME, description="name of the run folder; default: the deck's")

    @field_validator("guard", mode="before")
    @classmethod
    def _guard(cls, value: Any, info: ValidationInfo) -> Any:
        return in_units(value, info)
