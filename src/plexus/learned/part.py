"""What all learned parts share: weights from a bundle or fresh, precision, range, guard and fallback.

A learned part is three functions around a network: `Part.features` (what it looks at, one row each, with
names and units), `Part.answer` (network and assembly, in the solver's precision outside), and the classical
part that it corrects. Training calls `raw`; a run calls `evaluate`, which adds the guard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from plexus import registry
from plexus.deck.params import Field, InputFile, Params
from plexus.deck.values import refuse
from plexus.errors import InputError, at_path
from plexus.learned import check
from plexus.learned.box import Beyond, beyond, box_of
from plexus.learned.guard import Guard, GuardParams
from plexus.learned.ports import Properties
from plexus.protocols import Port, Setting

if TYPE_CHECKING:
    import torch

    from plexus.bundles.golden import Pair

POINTS = 16
"""Points of a golden pair."""
Fields = Mapping[str, Any]


class LearnedParams(Params):
    """Parameters of learned parts."""

    learned: ClassVar[bool] = True

    checkpoint: InputFile | None = Field(
        None, description="bundle with the weights (.safetensors); none: untrained, to be trained"
    )
    sha256: str | None = Field(
        None,
        pattern="^[0-9a-fA-F]{64}$",
        description="hash of the checkpoint (`sha256sum FILE`); required with it",
    )
    precision: Literal["fp32", "fp64"] = Field(
        "fp32", description="precision of the network; fields keep theirs"
    )
    seed: int = Field(0, ge=0, description="seed of untrained weights")
    guard: GuardParams = Field(GuardParams(), description="what happens outside the training range")

    @model_validator(mode="after")
    def _named(self) -> LearnedParams:
        if self.checkpoint is not None and self.sha256 is None:
            raise refuse("`sha256` is missing: a checkpoint goes with its hash (`sha256sum FILE`)")
        return self


class Part:
    """Base of learned parts (`plexus.protocols.Learned`).

    Attributes
    ----------
    network:
        The torch module, after `prepare`.
    scales:
        Normalisation constants by name; training sets them once (`calibrate`), bundles carry them.
    metadata:
        What the bundle says; empty for an untrained part. A bundle is loaded once, at the first `prepare`.
    box:
        Training range of the features; empty without one.
    beyond:
        What of the model lies outside the training: constants, time step.
    """

    kind: ClassVar[str]
    """Kind of component."""
    judged_by: ClassVar[str] = "targets"
    """What a validation must have."""
    training_units: ClassVar[str]
    """What lengths, times and the like of the training were made dimensionless with."""
    scale_units: ClassVar[Mapping[str, str]] = {}
    """Normalisation constants and their units."""

    def __init__(self, params: Any):
        self.params = params
        self.setting = Setting()
        self.guard: Guard = None  # type: ignore[assignment]  # made by `prepare`, before any evaluation
        self.network: Any = None
        self.scales: dict[str, float] = dict.fromkeys(self.scale_units, 1.0)
        self.metadata: dict[str, Any] = {}
        self.box: Mapping[str, Any] = {}
        self.beyond: list[Beyond] = []
        self._pair: Pair | None = None
        self.hyper = self.chosen()

    # what a kind or a member says

    def chosen(self) -> dict[str, Any]:
        """Return the architecture's hyper-parameters as the deck chooses them, plain data."""
        raise NotImplementedError

    def make(self) -> torch.nn.Module:
        """Return a fresh network for `hyper`."""
        raise NotImplementedError

    @property
    def properties(self) -> Properties:
        """Return what the part declares about itself."""
        raise NotImplementedError

    def feature_units(self) -> dict[str, str]:
        """Return the names of the rows of `features` and their units."""
        raise NotImplementedError

    def features(self, fields: Fields) -> torch.Tensor:
        """Return what the network looks at, (features, ...)."""
        raise NotImplementedError

    def answer(self, fields: Fields) -> tuple[dict[str, Any], torch.Tensor]:
        """Return the network's outputs and the features for the guard."""
        raise NotImplementedError

    def default_fallback(self) -> str:
        """Return the name of the classical component that stands in."""
        raise NotImplementedError

    def admitted(self, fields: Fields, out: dict[str, Any]) -> dict[str, Any]:
        """Return the outputs, moved to where they are possible at all."""
        return out

    # what a training asks (`plexus.protocols.Trainable`)

    @property
    def loose(self) -> bool:
        """Return whether it may be trained on loose points of samples."""
        return self.properties.locality == "pointwise"

    def calibrate(self, inputs: Fields, targets: Fields) -> None:
        """Keep the normalisation constants; a member with constants of its own sets them here.

        ``targets`` are empty where the data have no answers.
        """

    def rivals(self) -> dict[str, Any]:
        """Return the classical parts that it must beat: the one that the guard falls back on."""
        chosen = self.params.guard.fallback
        return {chosen.type if chosen is not None else self.default_fallback(): self.guard.fallback}

    def compared(self, inputs: Fields, given: Fields, targets: Fields) -> dict[str, list[tuple[Any, Any]]]:
        """Return metric -> pairs (found, true), one metric per output."""
        return {f"{name} relative MSE": [(given[name], true)] for name, true in targets.items()}

    def misfit(self, setting: Setting) -> str | None:
        """Return why the part is not for a model, None where it is."""
        return check.misfit(self.name, self.properties, setting)

    # the contract

    @classmethod
    def surroundings(cls, deck: Any) -> Setting:
        """Return what a part of a deck is asked for, without MPI; most find that out in the run."""
        return Setting()

    @classmethod
    def problems(cls, params: Any, setting: Setting, at: check.Place) -> Iterator[check.Found]:
        """Yield place in the deck and text for what does not fit, before a run; needs no torch.

        ``at`` is the part's deck path.
        """
        yield from check.problems(cls(params), params, setting, at)

    @classmethod
    def doubts(cls, params: Any, setting: Setting, at: check.Place) -> Iterator[check.Found]:
        """Yield place in the deck and text for what the part was not trained for; needs no torch."""
        yield from check.doubts(params, setting, at)

    @property
    def name(self) -> str:
        """Return the component's name."""
        return type(self).__module__.rpartition(".")[2]

    @property
    def inputs(self) -> Sequence[Port]:
        """Return what it takes."""
        return self.properties.inputs

    @property
    def outputs(self) -> Sequence[Port]:
        """Return what it gives."""
        return self.properties.outputs

    def prepare(self, setting: Setting) -> None:
        """Load or make the network on the setting's device and set up the guard. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound, belongs to another part, or the setting is outside its range and the
            guard's policy is to stop.
        """
        if self.params.checkpoint is not None and not self.metadata:
            self._load(setting)
        self._check_range(setting)
        self.accept(setting)
        if self.network is None:
            self.network = self.make()
        self.network.to(device=setting.device, dtype=self.dtype)
        self.guard = self._watcher(setting)
        if self.box:
            self.use_range(self.box)
        self._replay()

    def accept(self, setting: Setting) -> None:
        """Note the setting.

        Raises
        ------
        InputError
            If the part is not for this model.
        """
        wrong = self.misfit(setting)
        if wrong:
            raise InputError(wrong)
        self.setting = setting

    @property
    def dtype(self) -> torch.dtype:
        """Return the network's precision."""
        import torch

        return torch.float64 if self.params.precision == "fp64" else torch.float32

    def raw(self, fields: Fields) -> dict[str, Any]:
        """Return the network's outputs as they are, for training."""
        return self.answer(fields)[0]

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return the outputs, with guarded cells replaced."""
        if self.guard.using_fallback:
            return self.guard.fallback.evaluate(fields)
        out, features = self.answer(fields)
        return self.guard.apply(fields, features, self.admitted(fields, out))

    def report(self) -> dict[str, float]:
        """Return the guard's counts and the number of constants outside the training. Collective."""
        return self.guard.report()

    # fallback and range

    def _watcher(self, setting: Setting) -> Any:
        """Return what watches the part in a run: a guard of cells, for most. Collective."""
        fallback = self._fallback(setting)
        return Guard(self.params.guard, fallback, setting.comm, type(self).__name__, self._told())

    def _fallback(self, setting: Setting) -> Any:
        """Return the classical part that stands in, prepared and in the form of this one."""
        chosen = self.params.guard.fallback
        if chosen is None:
            return self.rival(self.default_fallback(), setting)
        fallback = registry.build(self.kind, chosen)
        fallback.prepare(setting)
        return self._as_fallback(fallback)

    def rival(self, name: str, setting: Setting) -> Any:
        """Return a classical part, prepared and in the form of this one."""
        component = registry.component(self.kind, name)
        classical: Any = component.cls(component.params())
        classical.prepare(setting)
        return self._as_fallback(classical)

    def _as_fallback(self, fallback: Any) -> Any:
        """Return the fallback, adapted to what this part gives."""
        return fallback

    def _told(self) -> list[str]:
        return [str(each) for each in self.beyond]

    def range_of(self, fields: Fields, widen: float = 0.0) -> dict[str, Any]:
        """Return the box of training data: bounds, widened by a share of their distance, and percentiles."""
        rows = self.features(fields).detach().double().flatten(1)
        return box_of(rows, self.feature_units(), widen)

    def use_range(self, box: Mapping[str, Any]) -> None:
        """Guard with a box that `range_of` returned."""
        import torch

        self.box = box
        names = list(self.feature_units())
        like = torch.zeros((), dtype=self.dtype, device=self.setting.device)
        self.guard.use_box([box[n]["low"] for n in names], [box[n]["high"] for n in names], like)

    def _check_range(self, setting: Setting) -> None:
        """Refuse a model outside the training, where that is the policy."""
        self.beyond = list(beyond(self.metadata, setting)) if self.metadata else []
        if self.beyond and self.params.guard.outside == "stop":
            raise InputError(f"{self.params.checkpoint}: {self.beyond[0]}")

    # bundles

    def _load(self, setting: Setting) -> None:
        from plexus.bundles import store

        bundle = store.load(self.params.checkpoint, self.params.sha256, setting.comm)
        with at_path(str(self.params.checkpoint)):
            self.take(bundle.metadata)
            self.network = self.make().to(self.dtype)
            try:
                self.network.load_state_dict(bundle.weights)
            except RuntimeError as error:
                raise InputError(f"weights: {str(error).splitlines()[-1].strip()}") from None
        # a run needs no gradients of the weights; training a loaded part further asks for them
        self.network.requires_grad_(False)
        self._pair = bundle.golden

    def _replay(self) -> None:
        """Refuse a loaded network that does not answer as it did when its bundle was written. Collective."""
        pair, self._pair = self._pair, None
        if pair is None:
            return
        from plexus.bundles.golden import replay

        with at_path(str(self.params.checkpoint)):
            replay(self.name, pair, self.answers, self.setting.comm)

    def golden(self, fields: Fields) -> Pair:
        """Return a few of the given points and the network's answer there, to be stored with the weights."""
        from plexus.bundles.golden import Pair

        inputs = self.few({p.name: self.port(p.name, fields).detach().cpu() for p in self.inputs})
        return Pair(inputs, self.answers(inputs))

    def port(self, name: str, fields: Fields) -> torch.Tensor:
        """Return what goes in at a port: a field, else a constant of the setting at each point."""
        if name in fields:
            return fields[name]
        return next(iter(fields.values())).real.detach() * 0 + self.setting.constants[name]

    def few(self, inputs: Fields) -> dict[str, Any]:
        """Return some points of fields, spread evenly over all of them."""
        flat = {name: value.reshape(-1) for name, value in inputs.items()}
        return {name: v[:: max(1, len(v) // POINTS)][:POINTS].clone() for name, v in flat.items()}

    def answers(self, inputs: Fields) -> dict[str, Any]:
        """Return the network's answer to a golden pair's inputs, in host memory."""
        import torch

        with torch.no_grad():
            found = self.raw({name: v.to(self.setting.device) for name, v in inputs.items()})
        return {name: v.cpu() for name, v in found.items()}

    def take(self, metadata: Mapping[str, Any]) -> None:
        """Check that the metadata describe this part, and take hyper-parameters and scales over.

        Raises
        ------
        InputError
            Naming the field that does not fit.
        """
        from plexus.bundles.fields import compare

        compare("kind", self.kind, metadata["kind"])
        compare("type", self.name, metadata["type"])
        compare("architecture.name", self.name, metadata["architecture"]["name"])
        known, hyper = self.chosen(), metadata["architecture"]["hyper"]
        if set(known) != set(hyper):
            raise InputError(f"architecture.hyper: needs {sorted(known)}, the bundle has {sorted(hyper)}")
        fields = type(self.params).model_fields
        # a default that is written out, as in the effective deck, asks for nothing
        for key in (k for k in known if getattr(self.params, k) != fields[k].default):
            compare(f"architecture.hyper.{key}", known[key], hyper[key])
        try:
            type(self.params).model_validate(hyper)
        except ValueError as error:
            raise InputError(f"architecture.hyper: {str(error).splitlines()[-1]}") from None
        self.hyper = dict(hyper)
        compare("units", self.training_units, metadata["units"])
        ports, properties = self.properties.plain()
        compare("ports", ports, metadata["ports"])
        compare("properties", properties, metadata["properties"])
        compare("normalisation", self._units(self.scale_units), metadata["normalisation"])
        compare("box", self._units(self.feature_units()), metadata["box"])
        self.scales = {name: float(metadata["normalisation"][name]["value"]) for name in self.scale_units}
        self.metadata, self.box = dict(metadata), metadata["box"]

    @staticmethod
    def _units(units: Mapping[str, str]) -> dict[str, Any]:
        return {name: {"unit": unit} for name, unit in units.items()}

    def describe(self, box: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the fields of a bundle's metadata that the part knows; training adds the others.

        ``box`` is what `range_of` returned for the training data.
        """
        ports, properties = self.properties.plain()
        return {
            "kind": self.kind,
            "type": self.name,
            "ports": ports,
            "properties": properties,
            "architecture": {
                "name": self.name,
                "hyper": self.hyper,
                "parameters": sum(p.numel() for p in self.network.parameters()),
            },
            "units": self.training_units,
            "normalisation": {
                name: {"value": self.scales[name], "unit": unit} for name, unit in self.scale_units.items()
            },
            "box": dict(self.box if box is None else box),
            "guard": self.params.guard.model_dump(exclude={"fallback"}),
        }
