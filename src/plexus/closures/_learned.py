"""What learned closures share: weights from a bundle or fresh, precision, range and guard.

A learned closure is three functions around a network: `Learned.features` (what it looks at, one row each,
with names and units), `Learned.answer` (network and assembly, in the solver's precision outside), and the
classical part that it corrects. Training calls `raw`; a run calls `evaluate`, which adds projection and
guard.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from plexus import registry
from plexus.closures._guard import Guard, GuardParams
from plexus.closures.base import ClosureParams, Fields, MomentClosure
from plexus.deck.params import Field, InputFile
from plexus.deck.values import refuse
from plexus.errors import InputError, at_path
from plexus.protocols import ClosureSetting

if TYPE_CHECKING:
    import torch

    from plexus.bundles.golden import Pair

PERCENTILES = (0.1, 1.0, 50.0, 99.0, 99.9)
POINTS = 16
"""Points of a golden pair."""
UNITS = "lengths and times of the model (Maddu, Weady, Shelley 2024); mean concentration 1"


class LearnedParams(ClosureParams):
    """Parameters of learned closures."""

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


class Learned(MomentClosure):
    """Base of learned closures.

    Attributes
    ----------
    network:
        The torch module, after `prepare`.
    scales:
        Normalisation constants by name; training sets them once (`normalise`), bundles carry them.
    metadata:
        What the bundle says; empty for an untrained closure. A bundle is loaded once, at the first `prepare`.
    box:
        Training range of the features; empty without one.
    beyond:
        What of the model lies outside the training: constants, time step.
    """

    kind = "closure"
    scale_units: ClassVar[Mapping[str, str]] = {}
    """Normalisation constants and their units."""
    admissible = False
    """Whether the network's result needs no projection."""

    def __init__(self, params: Any):
        super().__init__(params)
        self.network: Any = None
        self.scales: dict[str, float] = dict.fromkeys(self.scale_units, 1.0)
        self.metadata: dict[str, Any] = {}
        self.box: Mapping[str, Any] = {}
        self.beyond: list[str] = []
        self._pair: Pair | None = None
        self.hyper = self.chosen()

    # what a member says

    def chosen(self) -> dict[str, Any]:
        """Return the architecture's hyper-parameters as the deck chooses them, plain data."""
        raise NotImplementedError

    def make(self) -> torch.nn.Module:
        """Return a fresh network for `hyper`."""
        raise NotImplementedError

    def feature_units(self) -> dict[str, str]:
        """Return the names of the rows of `features` and their units."""
        raise NotImplementedError

    def features(self, fields: Fields) -> torch.Tensor:
        """Return what the network looks at, (features, ...), invariant under rotation and reflection."""
        raise NotImplementedError

    def answer(self, fields: Fields) -> tuple[dict[str, Any], torch.Tensor]:
        """Return the network's closure fields and the features for the guard."""
        raise NotImplementedError

    def default_fallback(self) -> str:
        """Return the name of the classical closure that stands in."""
        return "autoregressive" if self.closes == 3 else "bingham"

    # the contract

    def prepare(self, setting: ClosureSetting) -> None:
        """Load or make the network on the setting's device and set up the guard. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound, belongs to another closure, or the setting is outside its range and the
            guard's policy is to stop.
        """
        if self.params.checkpoint is not None and not self.metadata:
            self._load(setting)
        self._check_range(setting)
        super().prepare(setting)
        if self.network is None:
            self.network = self.make()
        self.network.to(device=setting.device, dtype=self.dtype)
        self.guard = self._guard(setting)
        self._replay()

    @property
    def dtype(self) -> torch.dtype:
        """Return the network's precision."""
        import torch

        return torch.float64 if self.params.precision == "fp64" else torch.float32

    def raw(self, fields: Fields) -> dict[str, Any]:
        """Return the network's closure fields as they are, for training."""
        return self.answer(fields)[0]

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return the closure fields, projected where needed, with guarded cells replaced."""
        if self.guard.using_fallback:
            return self.guard.fallback.evaluate(fields)
        out, features = self.answer(fields)
        if not self.admissible:
            out, _ = self.project(fields, out)
        return self.guard.apply(fields, features, out)

    def report(self) -> dict[str, float]:
        """Return the guard's counts and the number of constants outside the training. Collective."""
        return {**self.guard.counts(), "constants_outside": float(len(self.beyond))}

    # bundles

    def _load(self, setting: ClosureSetting) -> None:
        from plexus.bundles import store

        bundle = store.load(self.params.checkpoint, self.params.sha256, setting.comm)
        with at_path(str(self.params.checkpoint)):
            self.take(bundle.metadata)
            self.network = self.make().to(self.dtype)
            try:
                self.network.load_state_dict(bundle.weights)
            except RuntimeError as error:
                raise InputError(f"weights: {str(error).splitlines()[-1].strip()}") from None
        # a run needs no gradients of the weights; training a loaded closure further asks for them
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

        inputs = self.few({p.name: self.port(p.name, fields).detach().cpu() for p in self.properties.inputs})
        return Pair(inputs, self.answers(inputs))

    def port(self, name: str, fields: Fields) -> torch.Tensor:
        """Return what goes in at a port: a field, else a constant of the setting."""
        return fields[name] if name in fields else self.setting.parameters[name] + 0 * fields["c"]

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

    def _check_range(self, setting: ClosureSetting) -> None:
        """Refuse a model outside the training, where that is the policy."""
        self.beyond = out_of_range(self.metadata, setting) if self.metadata else []
        if self.beyond and self.params.guard.outside == "stop":
            raise InputError(f"{self.params.checkpoint}: {self.beyond[0]}")

    def take(self, metadata: dict[str, Any]) -> None:
        """Check that the metadata describe this closure, and take hyper-parameters and scales over.

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
        compare("units", UNITS, metadata["units"])
        ports, properties = self._declared()
        compare("ports", ports, metadata["ports"])
        compare("properties", properties, metadata["properties"])
        compare("normalisation", self._units(self.scale_units), metadata["normalisation"])
        compare("box", self._units(self.feature_units()), metadata["box"])
        self.scales = {name: float(metadata["normalisation"][name]["value"]) for name in self.scale_units}
        self.metadata, self.box = metadata, metadata["box"]

    @staticmethod
    def _units(units: Mapping[str, str]) -> dict[str, Any]:
        return {name: {"unit": unit} for name, unit in units.items()}

    def _declared(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the ports and the other declared properties, plain data."""
        properties = self.properties.plain()
        return {side: properties.pop(side) for side in ("inputs", "outputs")}, properties

    @property
    def name(self) -> str:
        """Return the component's name."""
        return type(self).__module__.rpartition(".")[2]

    def describe(self, box: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the fields of a bundle's metadata that the closure knows; training adds the others.

        ``box`` is what `range_of` returned for the training data.
        """
        ports, properties = self._declared()
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
            "units": UNITS,
            "normalisation": {
                name: {"value": self.scales[name], "unit": unit} for name, unit in self.scale_units.items()
            },
            "box": dict(self.box if box is None else box),
            "guard": self.params.guard.model_dump(exclude={"fallback"}),
        }

    def range_of(self, fields: Fields, widen: float = 0.0) -> dict[str, Any]:
        """Return the box of training data: bounds, widened by a share of their distance, and percentiles."""
        import torch

        rows = self.features(fields).detach().double().flatten(1)
        shares = torch.tensor(PERCENTILES, dtype=torch.float64) / 100
        box = {}
        for (name, unit), row in zip(self.feature_units().items(), rows, strict=True):
            ordered = row.sort().values
            low, high = float(ordered[0]), float(ordered[-1])
            room = widen * (high - low)
            values = ordered[(shares * (len(ordered) - 1)).round().long()].tolist()
            percentiles = {f"{p:g}": v for p, v in zip(PERCENTILES, values, strict=True)}
            box[name] = {
                "low": low - room,
                "high": high + room,
                "unit": unit,
                "percentiles": percentiles,
            }
        return box

    def use_range(self, box: Mapping[str, Any]) -> None:
        """Guard with a box that `range_of` returned."""
        import torch

        self.box = box
        names = list(self.feature_units())
        like = torch.zeros((), dtype=self.dtype, device=self.setting.device)
        self.guard.use_box([box[n]["low"] for n in names], [box[n]["high"] for n in names], like)

    def _guard(self, setting: ClosureSetting) -> Guard:
        chosen = self.params.guard.fallback
        if chosen is None:
            component = registry.component("closure", self.default_fallback())
            fallback = component.cls(component.params())
        else:
            fallback = registry.build("closure", chosen)
        fallback.prepare(setting)
        guard = Guard(self.params.guard, self._as_fallback(fallback), setting.comm)
        self.guard = guard
        if self.box:
            self.use_range(self.box)
        return guard

    def _as_fallback(self, fallback: Any) -> Any:
        """Return the fallback, adapted to what this closure gives."""
        return fallback


def out_of_range(metadata: Mapping[str, Any], setting: ClosureSetting) -> list[str]:
    """Return what of a setting the bundle was not trained for: constants, time step."""
    found = []
    dt = metadata["stepping"]["dt"]
    if dt is not None and setting.dt is not None and setting.dt > dt[1] * (1 + 1e-9):
        found.append(f"stepping.dt: trained up to {dt[1]:g}, the run has {setting.dt:g}")
    for name, value in setting.parameters.items():
        trained = metadata["training"]["parameters"].get(name)
        if trained is not None:
            bounds = trained["low"], trained["high"]
            tolerance = 1e-9 * max(abs(bounds[0]), abs(bounds[1]), 1e-9)
            if not bounds[0] - tolerance <= value <= bounds[1] + tolerance:
                span = " to ".join(dict.fromkeys(f"{b:g}" for b in bounds))
                found.append(f"training.parameters.{name}: trained for {span}, the run has {value:g}")
    return found
