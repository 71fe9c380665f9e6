"""The root of a deck: every key that a deck may have.

The fields are validated in the order below, so that later blocks can be checked against the mesh and
the physics that earlier ones chose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import PrivateAttr, ValidationInfo, field_validator, model_validator

from plexus import registry
from plexus.deck import controls, crosscheck, places
from plexus.deck.blocks import About, Runtime, SolverBlock
from plexus.deck.conditions import Components, Condition, check_consistent, initial_values
from plexus.deck.context import Context, known, only
from plexus.deck.job import Job
from plexus.deck.ondemand import OnDemand
from plexus.deck.params import Component, Field, Params
from plexus.errors import GuardError, InputError, SolveError

if TYPE_CHECKING:
    from plexus.deck.calibrate import Calibrate
    from plexus.deck.campaign import Campaign
    from plexus.deck.coupling import Coupling
    from plexus.deck.ensemble import Ensemble
    from plexus.deck.sweep import Sweep
    from plexus.deck.tables import TimeTable
    from plexus.deck.time import Time
    from plexus.deck.train import Train
    from plexus.deck.verification import Verification
else:
    Calibrate = Annotated[Any, OnDemand("plexus.deck.calibrate", "Calibrate")]
    Campaign = Annotated[Any, OnDemand("plexus.deck.campaign", "Campaign")]
    Coupling = Annotated[Any, OnDemand("plexus.deck.coupling", "Coupling")]
    Ensemble = Annotated[Any, OnDemand("plexus.deck.ensemble", "Ensemble")]
    Sweep = Annotated[Any, OnDemand("plexus.deck.sweep", "Sweep")]
    TimeTable = Annotated[Any, OnDemand("plexus.deck.tables", "TimeTable")]
    Time = Annotated[Any, OnDemand("plexus.deck.time", "Time")]
    Train = Annotated[Any, OnDemand("plexus.deck.train", "Train")]
    Verification = Annotated[Any, OnDemand("plexus.deck.verification", "Verification")]

Plain = dict[str, Any]


class Deck(Params):
    """A validated deck; frozen.

    Attributes
    ----------
    path : the deck's file.
    origins : deck path (``mesh.size[0]``) -> place the value came from; absent for defaults.
    overrides : the ``-s`` texts.
    """

    plexus: Literal[1] = Field(description="version of the deck format")
    about: About = Field({}, description="title, authors, references")
    parameters: dict[str, bool | int | float | str | None] = Field(
        {}, description="values for ${...} and, where they are numbers, for expressions"
    )
    samples: dict[str, Annotated[Any, Component("sample")]] = Field(
        {}, description="name -> field that is drawn at random, which expressions read"
    )
    tables: dict[str, TimeTable] = Field(
        {}, description="name -> function of time that expressions call, e.g. speed(t)"
    )
    mesh: Annotated[Params | None, Component("mesh")] = Field(
        None, description="where the mesh comes from; a model of points in no space has none"
    )
    controls: dict[str, Annotated[Any, Component("control")]] = Field(
        {}, description="name -> value that expressions read and that can be differentiated and fitted"
    )
    ensemble: Ensemble | None = Field(
        None, description="many members of one model as one batch; absent: one run"
    )
    physics: Annotated[Any, Component("physics")] = Field(description="the equations that are solved")
    closure: Annotated[Params | None, Component("closure")] = Field(
        None, description="what stands for the moments or scales that the physics does not carry"
    )
    boundary: tuple[Condition, ...] = Field((), description="what holds on the named boundaries")
    initial: dict[str, Any] = Field(
        {}, description="field name -> initial value or expression; else 0, or 293.15 K"
    )
    solver: dict[str, SolverBlock] = Field({}, description="field name or `default` -> how it is solved")
    coupling: Coupling | None = Field(
        None, description="iterate between the equations within a step; absent: one pass"
    )
    time: Time | None = Field(None, description="marching in time; absent: steady")
    quantities: dict[str, Annotated[Params, Component("quantity")]] = Field(
        {}, description="name -> number computed from the fields"
    )
    output: tuple[Annotated[Params, Component("output")], ...] = Field((), description="what is written")
    verification: tuple[Verification, ...] = Field(
        (), description="references that quantities must reproduce"
    )
    runtime: Runtime = Field({}, description="device, seed, limits")
    job: Job = Field({}, description="nodes, time and more that `plexus submit` asks for")
    train: Train | None = Field(None, description="how `plexus train` fits the closure")
    calibrate: Calibrate | None = Field(
        None, description="how `plexus calibrate` fits the controls to measurements"
    )
    reduce: Annotated[Params | None, Component("reduction")] = Field(
        None, description="how `plexus reduce` makes a reduced model of the run; galerkin without a type"
    )
    rom: Annotated[Params | None, Component("rom")] = Field(
        None, description="a reduced model that marches in the place of the full one"
    )
    sweep: Sweep | None = Field(None, description="many runs with other values, for `plexus sweep`")
    campaign: Campaign | None = Field(
        None, description="what `plexus campaign` tells of the draws of the sweep"
    )

    _path: Path = PrivateAttr(Path())
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _overrides: tuple[str, ...] = PrivateAttr(())
    _data: Plain = PrivateAttr(default_factory=dict)

    @field_validator("physics", mode="wrap")
    @classmethod
    def _physics(cls, value: Any, handler: Any, info: ValidationInfo) -> Any:
        params = handler(value)
        # Twice on purpose: the first pass tells which fields there are, the second checks that expressions
        # in the material name only these.
        crosscheck.learn_fields(params, known(info))
        return handler(value)  # now the names in its own expressions are known too

    @field_validator("samples", mode="wrap")
    @classmethod
    def _samples(cls, value: Any, handler: Any, info: ValidationInfo) -> dict[str, Any]:
        # names whose blocks are wrong are no news where they are read
        known(info).samples = dict.fromkeys(value, 1.0) if isinstance(value, dict) else {}
        params: dict[str, Any] = handler(value)
        known(info).samples = {name: registry.build("sample", given) for name, given in params.items()}
        return params

    @field_validator("tables", mode="wrap")
    @classmethod
    def _tables(cls, value: Any, handler: Any, info: ValidationInfo) -> dict[str, TimeTable]:
        if isinstance(value, dict) and value:
            from plexus.deck.tables import stand_in

            known(info).tables = dict.fromkeys(value, stand_in())
        known(info).tables = handler(value)
        return dict(known(info).tables)

    @field_validator("mesh", mode="wrap")
    @classmethod
    def _mesh(cls, value: Any, handler: Any, info: ValidationInfo) -> Any:
        with only(info, "xyz"):
            params = handler(value)
        if params is None:
            return params
        crosscheck.learn_mesh(params, known(info))
        return params

    @field_validator("controls", mode="after")
    @classmethod
    def _controls(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        controls.settle(value, known(info))
        return value

    @field_validator("boundary", mode="after")
    @classmethod
    def _boundary(cls, value: tuple[Condition, ...]) -> tuple[Condition, ...]:
        check_consistent(value)
        return value

    @field_validator("initial", mode="before")
    @classmethod
    def _initial(cls, value: Any, info: ValidationInfo) -> dict[str, Components]:
        return initial_values(value, info)

    @field_validator("reduce", mode="before")
    @classmethod
    def _reduce(cls, value: Any) -> Any:
        return {"type": "galerkin", **value} if isinstance(value, dict) else value

    @field_validator("output", mode="after")
    @classmethod
    def _output(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        crosscheck.check_output_names(value)
        return value

    @model_validator(mode="wrap")
    @classmethod
    def _whole(cls, data: Any, handler: Any, info: ValidationInfo) -> Any:
        return crosscheck.with_names_of_blocks(data, handler, known(info))

    @property
    def path(self) -> Path:
        """The deck's file."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder that relative file names refer to."""
        return self._path.parent

    @property
    def name(self) -> str:
        """Name of the run: ``runtime.name`` or the file's name without its ending."""
        # a file called `...yaml` has the stem `..`, the folder above
        return self.runtime.name or self._path.stem.lstrip(".") or "deck"

    @property
    def origins(self) -> Mapping[str, str]:
        """Deck path -> place of the value, ``file:line:column``."""
        return self._origins

    def place(self, path: str) -> str | None:
        """Return ``file:line:column`` of a deck path, of its first entry if it is a block."""
        below = (place for key, place in self.origins.items() if key.startswith((path + ".", path + "[")))
        return self.origins.get(path) or next(below, None)

    def placed(self, line: str) -> str:
        """Return a line of a message with its place in the deck in front, if it starts with a deck path."""
        path = line.partition(": ")[0]
        place = self.place(path)
        if place is None and (".regions." in path or path.startswith("boundary[")):
            # a component is written as displacement_x, a region's value may stand for several
            return self._near(path, line)
        return f"{place}: {line}" if place else line

    def _near(self, path: str, line: str) -> str:
        """Return a line of a message with the place of the nearest block around a path."""
        while path := path.rpartition("[" if path.endswith("]") else ".")[0]:
            for key, place in self.origins.items():
                if key == path or key.startswith((path + ".", path + "[", path + "_")):
                    return f"{place}: {line}"
        return line

    @contextmanager
    def located(self) -> Iterator[None]:
        """Put the place in the deck before each line of an error that starts with a deck path."""
        try:
            yield
        except (InputError, SolveError, GuardError) as error:
            raise type(error)("\n".join(self.placed(line) for line in str(error).splitlines())) from error

    @property
    def overrides(self) -> tuple[str, ...]:
        """The ``-s`` texts of the command line."""
        return self._overrides

    @property
    def constants(self) -> dict[str, float]:
        """The numeric parameters in SI units, as expressions see them."""
        # as they were given: validated numbers no longer know their units
        return crosscheck.numbers(self._data.get("parameters") or self.parameters)

    def solver_for(self, field: str) -> SolverBlock:
        """Return the solver block of a field: its own, else ``default``, else the defaults."""
        return self.solver.get(field) or self.solver.get("default") or SolverBlock()

    def plain(self) -> Plain:
        """Return the deck as plain data (dicts, lists, scalars), for broadcasting."""
        return {
            "data": self._data, "path": str(self._path), "origins": dict(self._origins),
            "overrides": list(self._overrides),
        }  # fmt: skip

    @classmethod
    def from_plain(cls, plain: Plain) -> Deck:
        """Return the deck of `plain`; needs no file of the deck itself.

        Raises
        ------
        pydantic.ValidationError
            If the data are not those of a valid deck.
        """
        data, path = plain["data"], Path(plain["path"])
        # Numbers are needed before the first block is validated, so they are read from the plain data.
        given = data.get("parameters") if isinstance(data, dict) else None
        given = given if isinstance(given, dict) else {}
        constants = crosscheck.numbers(given)
        context = Context(constants, given.keys() - constants.keys(), path.parent)
        controls.announce(data, context)
        deck: Deck = cls.model_validate(data, context=context)
        deck._data, deck._path = data, path
        for at, expression in places.expressions(deck):
            expression.locate(at)
        deck._origins, deck._overrides = dict(plain["origins"]), tuple(plain["overrides"])
        return deck

    def effective_yaml(self) -> str:
        """Return the complete deck with defaults written out and the origin of each value."""
        from plexus.deck.effective import effective_yaml

        return effective_yaml(self)
