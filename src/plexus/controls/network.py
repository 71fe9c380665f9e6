"""A law as a small network: positive by construction where it has to be.

    m(s) = m₀ + S z(ŝ)          or, positive,    m(s) = m₀ softplus(z(ŝ) + c) / softplus(c)
    z(ŝ) = W₂ tanh(W₁ ŝ + b₁) + b₂,    ŝ = (2 s - s_min - s_max)/(s_max - s_min)

====== ============================================= ==============
symbol meaning                                       unit
====== ============================================= ==============
s      fields, coordinates or time: the inputs       their own
m₀     the start: z is zero there                    the deck's
S      scale of what is learned                      the deck's
c      log(e - 1), so that softplus(c) = 1           1
====== ============================================= ==============

θ are the weights in the order W₁, b₁, W₂, b₂ of each layer. At the start W₂ and b₂ are zero, so that m is
exactly m₀. A single hidden layer approximates any continuous function on the box of the inputs (G. Cybenko,
Math. Control Signals Syst. 2 (1989) 303, doi:10.1007/BF02551274); outside of it nothing is known.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import ValidationInfo, field_validator, model_validator

from plexus.controls.base import ControlParams, Plain, in_unit
from plexus.deck.context import known
from plexus.deck.params import Field
from plexus.deck.property import PointNames
from plexus.deck.syntax import COORDINATES
from plexus.deck.units import Quantity, UnitError, same_dimension
from plexus.deck.values import refuse, stated
from plexus.errors import InputError
from plexus.fields.arrays import einsum, like, namespace, stack
from plexus.protocols import Array, Point
from plexus.registry import register

EXAMPLE: dict[str, Any] = {
    "unit": "W/(m K)", "inputs": {"temperature": ["300 K", "600 K"]}, "positive": True,
    "start": "20 W/(m K)", "hidden": [8], "seed": 1,
}  # fmt: skip
SHIFT = math.log(math.e - 1)
COURSE = 101
"""Points over the range of an input at which a fit tells the law."""


class NetworkParams(ControlParams):
    """Parameters of a network."""

    inputs: dict[str, tuple[Any, Any]] = Field(
        description="port -> smallest and largest value that the network is asked for"
    )
    start: Any = Field(description="value at the start, and scale of a positive one")
    scale: Any = Field(None, description="scale S; left out: the start, or 1 where that is zero")
    positive: bool = Field(False, description="whether it is positive by construction")
    hidden: tuple[int, ...] = Field((8,), description="neurons of the hidden layers")
    seed: int = Field(0, ge=0, description="seed of the weights at the start")

    @field_validator("inputs", mode="before")
    @classmethod
    def _ranges(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict) or not value:
            raise refuse("expected ports with their ranges, such as {temperature: [300 K, 600 K]}")
        try:
            found = {k: tuple(stated(v) if isinstance(v, str) else float(v) for v in pair)
                     for k, pair in value.items()}  # fmt: skip
        except UnitError as error:
            raise refuse(str(error)) from None
        except (TypeError, ValueError):
            raise refuse("the range of a port is a list of two numbers, such as [300 K, 600 K]") from None
        for name, pair in found.items():
            if len(pair) != 2 or not pair[0] < pair[1]:
                raise refuse(f"{name}: the range of a port is [smallest, largest]")
            _coordinate(name, pair, known(info).dim)
        return found

    @field_validator("start", "scale", mode="before")
    @classmethod
    def _number(cls, value: Any, info: ValidationInfo) -> Any:
        return None if value is None else in_unit(value, info)

    @model_validator(mode="after")
    def _sound(self) -> NetworkParams:
        if self.positive and self.start <= 0:
            raise refuse(f"positive, but it starts at {self.start:g}")
        if self.bounds != (None, None):
            raise refuse("bounds of a network are those of its weights, which mean nothing: use `positive`")
        if self.regularisation is not None and self.regularisation.norm == "H1":
            raise refuse("weights have no slope: the regularisation of a network is L2")
        if not self.hidden or min(self.hidden) < 1 or max(self.hidden) > 256 or len(self.hidden) > 8:
            raise refuse("hidden: one to eight layers of 1 to 256 neurons")
        return self


@register("control", "network", NetworkParams)
class Network(Plain):
    """A network of few weights."""

    at_nodes = False

    def __init__(self, params: NetworkParams):
        self.params = params
        self._names = list(params.inputs)
        self._low, self._high = (np.array([r[i] for r in params.inputs.values()]) for i in (0, 1))
        sizes = [len(params.inputs), *params.hidden, 1]
        self._shapes = [shape for a, b in pairwise(sizes) for shape in ((b, a), (b,))]
        self._scale = params.start or 1.0 if params.scale is None else params.scale

    @property
    def ports(self) -> dict[str, tuple[float, float]]:
        """Fields that it reads, with their ranges."""
        return {name: pair for name, pair in self.params.inputs.items() if name not in COORDINATES}

    def place(self, ground: Any) -> Any:
        """Return the law as a control that is evaluated where its inputs are."""
        return Everywhere(self)

    def begin(self, ground: Any) -> np.ndarray:
        """Return the weights at the start, (n,): those of the last layer are zero."""
        rng = np.random.default_rng(self.params.seed)
        parts = [rng.normal(size=s) / math.sqrt(s[-1]) for s in self._shapes[:-2]]
        parts += [np.zeros(s) for s in self._shapes[-2:]]
        return np.concatenate([p.ravel() for p in parts])

    def courses(self) -> dict[str, dict[str, np.ndarray]]:
        """Return points over the range of each input, the others in the middle of theirs."""
        middle = (self._low + self._high) / 2
        found = {}
        for i, name in enumerate(self._names):
            x = np.tile(middle, (COURSE, 1))
            x[:, i] = np.linspace(self._low[i], self._high[i], COURSE)
            found[name] = dict(zip(self._names, x.T, strict=True))
        return found

    def _weights(self, theta: Array) -> list[Array]:
        parts, first = [], 0
        for shape in self._shapes:
            count = math.prod(shape)
            parts.append(theta[first : first + count].reshape(shape))
            first += count
        return parts

    def _run(self, theta: Array, names: Any, wrt: str | None) -> tuple[Array, Array]:
        """Return z and, with ``wrt``, ∂z/∂(that input) by the tangent of every layer."""
        s = stack([_array(names[name], theta) for name in self._names])
        ratio = like(2 / (self._high - self._low), s)
        h = (s - like(self._low, s)) * ratio - 1
        dh = h * 0 + ratio * like([float(name == wrt) for name in self._names], s)
        weights = self._weights(theta)
        for i in range(0, len(weights), 2):
            w, b = weights[i], weights[i + 1]
            h, dh = einsum("ba,...a->...b", w, h) + b, einsum("ba,...a->...b", w, dh)
            if i < len(weights) - 2:
                h = namespace(h).tanh(h)
                dh = (1 - h * h) * dh
        return h[..., 0], dh[..., 0]

    def value(self, theta: Array, names: Any) -> Array:
        """Return the value at the points."""
        z, _ = self._run(theta, names, None)
        if self.params.positive:
            return self.params.start * (_softplus(z + SHIFT) / ONE)
        return self.params.start + self._scale * z

    def slope(self, theta: Array, names: Any, wrt: str) -> Array:
        """Return the derivative in one input."""
        z, dz = self._run(theta, names, wrt)
        if self.params.positive:
            return self.params.start / ONE * dz / (1 + namespace(z).exp(-(z + SHIFT)))
        return self._scale * dz


class Everywhere:
    """The network in a run (`plexus.protocols.controls.Control`)."""

    replicated = True

    def __init__(self, network: Network):
        self.network, self.reads = network, tuple(network.ports)

    def zeros(self) -> np.ndarray:
        """Return weights that are zero, (n,)."""
        return 0.0 * self.network.begin(None)

    def spread(self, own: Array) -> Array:
        """Return the weights."""
        return own

    def sample(self, batch: Any, values: Array) -> Law:
        """Return what follows from the fields at the same points."""
        return Law(self.network, values)

    def at_nodes(self, nodes: Any, t: float, values: Array) -> Array:
        """Refuse: fields are not known where values are prescribed.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError("a network is no prescribed or initial value: it reads fields")


class Law:
    """The network at points (`plexus.protocols.controls.Dependent`)."""

    def __init__(self, network: Network, weights: Array):
        self.network, self.weights, self.reads = network, weights, tuple(network.ports)

    def at(self, p: Point) -> Array:
        """Return the value, (C, Q)."""
        return self.network.value(self.weights, PointNames(p))

    def slope(self, p: Point, wrt: str) -> Array:
        """Return the derivative in one input, (C, Q)."""
        return self.network.slope(self.weights, PointNames(p), wrt)


def _coordinate(name: str, ends: tuple[Any, ...], dim: int | None) -> None:
    """Refuse a coordinate that the mesh does not have, or whose range is neither length nor time.

    Raises
    ------
    PydanticCustomError
        With the name.
    """
    if name not in COORDINATES:
        return
    unit = "s" if name == "t" else "m"
    if not all(same_dimension(unit, end.unit) for end in ends if isinstance(end, Quantity)):
        raise refuse(f"{name} is in {unit}, its range is not")
    if dim is not None and name in "xyz"[dim:]:
        raise refuse(f"a {dim}-D mesh has no coordinate {name}")


def _array(value: Array, theta: Array) -> Array:
    """Return a value as an array of the kind of one of both."""
    return (
        value
        if hasattr(value, "dtype") and namespace(value, theta) is namespace(value)
        else like(value, theta)
    )


def _softplus(z: Array) -> Array:
    """Return log(1 + e^z) without overflow."""
    xp = namespace(z)
    return xp.log1p(xp.exp(-abs(z))) + (z + abs(z)) / 2


ONE = float(_softplus(np.array(SHIFT)))
"""softplus(c): one to rounding, so that the start is met exactly."""
