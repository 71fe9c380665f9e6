"""The blocks that every run has, none of them components: about, solver, runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Tag, ValidationInfo, field_validator, model_validator

from plexus import __version__
from plexus.deck import petsc
from plexus.deck.ondemand import OnDemand
from plexus.deck.params import NAME, Component, Field, Params, Unit
from plexus.deck.values import refuse

if TYPE_CHECKING:
    from plexus.deck.limits import Limits
else:
    Limits = Annotated[Any, OnDemand("plexus.deck.limits", "Limits")]

KSP = Literal[
    "preonly", "richardson", "chebyshev", "cg", "pipecg", "fcg", "minres", "gmres", "fgmres", "lgmres",
    "pgmres", "bcgs", "bcgsl", "ibcgs", "cgs", "tfqmr", "cr", "gcr", "symmlq", "lsqr", "groppcg",
    "pipefgmres", "qcg", "nash", "conjugate_directions",
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
    preconditioner_from: Literal["tangent", "rest"] = Field(
        "tangent",
        description="matrix that the preconditioner is made of: every tangent, or once that of the start, "
        "which is elastic for a material with memory; for quasi-static equations",
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
        if value == {}:
            return value
        from plexus.deck.limits import in_units

        return in_units(value, info)
