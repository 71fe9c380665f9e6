"""Discrete models as their systems see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from plexus.protocols.closures import Closure
from plexus.protocols.fields import Array, FieldSpec, Values

if TYPE_CHECKING:
    from plexus.spaces.fourier import Fourier


Deviations = Callable[[int], Array]
"""Number of fields -> real fields (N, fields, *shape) that tell an ensemble's N members apart. Collective."""


class SpectralModel(Protocol):
    """Equations u_t = L u + N(u, t) of one unknown on a periodic grid.

    The unknown has modes (m, *hat_shape), those of an ensemble (N, m, *hat_shape): members are a leading axis
    that all methods take, and each member goes on as if it were alone.
    """

    unknown: str
    real: bool
    """Whether the fields behind the modes are real."""
    space: Fourier

    @property
    def linear(self) -> Array:
        """L, real, broadcasting to the modes; <= 0 but for modes that grow."""

    def explicit(self, hat: Array, t: float) -> Array:
        """Return the modes of N(u, t), dealiased. Collective."""

    def initial(self, deviations: Deviations | None = None) -> Array:
        """Return the modes of the initial state, or of all members of an ensemble. Collective.

        Members start from the initial state changed by their deviations, and fulfil what the model demands of
        a state.
        """

    def derived(self, name: str, hat: Array, t: float) -> Array:
        """Return a field of the model in physical space, real (..., m, *shape). Collective."""

    def memory(self) -> Mapping[str, Array]:
        """Return what the model remembers from step to step, in physical space, (..., m, *shape)."""

    def restore(self, memory: Mapping[str, Array]) -> None:
        """Take over what `memory` returned; what is missing is forgotten."""

    def monitor(self, hat: Array, t: float) -> Mapping[str, float]:
        """Return scalars for the histories: drifts, residuals of identities, iterations. Collective.

        Of an ensemble they are means over the members; what is a largest or smallest value, that of all.
        """


@runtime_checkable
class Trims(Protocol):
    """A model that does not take every start as it is."""

    lost: Mapping[str, float]
    """Share of the start's mean square that `SpectralModel.initial` left out, by reason: ``divergence``,
    ``short_waves``; of an ensemble that of the state from which the members differ."""


class SpectralPhysics(Protocol):
    """A member of kind ``physics`` whose equations live on the modes of a periodic grid.

    One whose model is a `Trims` names the reasons in ``starts_without``.
    """

    discretisation: ClassVar[str]

    @staticmethod
    def fields(params: Any) -> Sequence[FieldSpec]:
        """Return the fields that outputs show; needs no torch."""

    @staticmethod
    def unknowns(params: Any, dim: int) -> dict[str, int]:
        """Return the real numbers per grid point of the unknown."""

    def derived_specs(self) -> Sequence[FieldSpec]:
        """Return all other fields that outputs and quantities can ask for."""

    def model(
        self,
        space: Fourier,
        *,
        seed: int = 0,
        initial: Mapping[str, Array] | None = None,
        **closures: Closure,
    ) -> SpectralModel:
        """Return the equations on a grid; ``initial`` may hold start fields (m, *shape).

        Physics with an optional static method ``gap(params) -> Gap | None`` take ``closure`` too, and prepare
        it.

        Raises
        ------
        InputError
            If the closure does not fit.
        """


class Rates(Protocol):
    """Equations dX/dt = f(X, t) of unknowns without a place in space.

    Values and rates are tensors (..., size) by unknown: members of an ensemble and other batches are leading
    axes. They are tensors because dense Jacobians and tangents come from differentiating `rates`, and because
    a batch may live on a GPU.
    """

    sizes: Mapping[str, int]
    """Unknown -> number of values; each divides the largest one."""
    scales: Mapping[str, float]
    """Unknown -> typical magnitude, by which errors of different unknowns are compared."""

    def rates(self, values: Mapping[str, Array], t: float) -> Values:
        """Return dX/dt, shaped as the values; differentiable."""

    def jacobian(self, values: Mapping[str, Array], t: float) -> Array | None:
        """Return ∂f/∂X (..., n, n) of all unknowns in their order; None: `rates` is to be differentiated."""

    def start(self) -> Values:
        """Return the initial values (size,) where the deck gives none."""

    def derived(self, name: str, values: Mapping[str, Array], t: float) -> Array:
        """Return a derived field (..., size), with the size of one of the unknowns."""


class RatesPhysics(Protocol):
    """A member of kind ``physics`` whose equations are `Rates`."""

    discretisation: ClassVar[str]

    @staticmethod
    def fields(params: Any) -> Sequence[FieldSpec]:
        """Return the unknowns; needs no torch."""

    @staticmethod
    def unknowns(params: Any) -> dict[str, int]:
        """Return the number of values of each unknown; needs no torch."""

    def derived_specs(self) -> Sequence[FieldSpec]:
        """Return all other fields that outputs and quantities can ask for."""

    def model(self) -> Rates:
        """Return the equations.

        Parameters that are a `Property` are evaluated before: here they are numbers, or tensors that
        broadcast against members and indices.
        """
