"""One step of a reduced model: Newton's method for the coordinates, with the law at the reduced points.

    r_j = Σ_k w_k σ(Σ_i γ_i E_i(x_k) + ε_0(x_k, t)) : E_j(x_k) + f_j(t) + Σ_i S_ji γ_i = 0

Symbols as in `plexus.coupling.reduced`. Ranks add up what their points contribute, one reduction per
iteration. A law after von Mises has its step compiled (`plexus_kernels.native.galerkin`): on one rank all of
it in one call, on several what own points contribute. Other laws are asked point by point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.errors import SolveError
from plexus.protocols import Inlined
from plexus.reduction.ahead import Ahead
from plexus.reduction.model import strains_of
from plexus.reduction.responses import Elastic

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.protocols import Instant
    from plexus.reduction.points import Sites

Array = np.ndarray
MOST = 50
"""Newton steps after which a solve has failed."""
ENOUGH, LEAST = 1e-4, 1e-3
"""A step is halved until the residual falls by this share of what a line loses, at most to the least part."""


@dataclass(frozen=True, eq=False)
class Conditions:
    """What compiled steps take at s points at T times: see `plexus_kernels.native.galerkin.Bodies.put`.

    Attributes
    ----------
    data : array (T, 8 + 2 backs, s)
        Data of the law.
    offset : array (T, 6, s)
        Strain without displacement.
    temperature : array (T, s) or None
        Temperature [K], of a body that has one.
    """

    data: Array
    offset: Array
    temperature: Array | None


class Steps:
    """Makes the steps of a reduced system. Construction is collective.

    Parameters
    ----------
    system : ReducedSystem
        The system.
    end : float
        Latest time of the run [s].
    """

    def __init__(self, system: ReducedSystem, end: float):
        self.system = system
        first, whole = system.lifts.count, system.springs.on(system.whole.modes)
        self.springs, self._borne = whole[first:, first:], whole[first:, :first]
        self.lifted, self._works = self._held()
        law = system.equation.law
        self.compiled = _compiled() if isinstance(law, Inlined) else None
        self.bodies: Any = None
        if self.compiled is not None:
            backs = len(system.points) - 2
            strains, weights = system.model.strains, system.model.points.weights
            self.bodies = self.compiled.Bodies(strains, weights, backs, springs=self.springs)
        self.ahead = Ahead(self._conditions, end)
        if not self._vectorised(system.times):
            self.ahead.most = 1
        self.shifted, self._pull = np.zeros((system.model.points.n_local, 9)), np.zeros(len(self.springs))
        if system.whole.corrected:
            self.shift(system.whole.correction)

    def of(self, at: Instant) -> Step:
        """Return the step that ends at an instant. Collective."""
        load, given, *rest = self.ahead.at(at.t, at.dt)
        load = load + self._pull
        return Compiled(self, at, load, given, *rest) if rest else Step(self, at, load, given)

    def shift(self, field: Array) -> None:
        """From now on add a displacement (n_local, m) to that of modes and prescribed values. Collective."""
        system = self.system
        form, modes = system.full.forms[system.name], field[:, :, None]
        self.shifted = strains_of(form, system.full.quadrature, modes, system.model.points.rows)[:, :, 0]
        self._pull = system.springs.between(system.model.basis, field)

    def _conditions(self, times: Array) -> list[Array]:
        """Return loads (T, n), amplitudes of what is prescribed, and what compiled steps take. Collective."""
        given = self.system.lifts.over(times)
        loads = self.system.loads.over(times) + given @ self._borne.T
        found = [loads, given, *self.local(times)]
        if self.compiled is not None:
            found[3] = found[3] + np.einsum("tk,sak->tas", given, self.lifted[:, self.compiled.PLACES])
        return found

    def least(self, given: Array) -> float:
        """Return how large the works are that what is prescribed does on the modes, about [J per unit]."""
        return float(np.linalg.norm(self._works @ np.abs(given)))

    def _held(self) -> tuple[Array, Array]:
        """Return strains at own points of what is prescribed (s, 9, K), and their works on modes, (n, K).

        The works are those of stresses κ |E|, that do not cancel: beside nothing but prescribed values,
        residuals are small relative to them.
        """
        system, count = self.system, self.system.lifts.count
        points, form = system.model.points, system.full.forms[system.name]
        if not count:
            return np.zeros((points.n_local, 9, 0)), np.zeros((system.model.basis.shape[2], 0))
        strains = strains_of(form, system.full.quadrature, system.lifts.fields, points.rows)
        sizes = [np.linalg.norm(e, axis=1) for e in (system.model.strains, strains)]
        modulus = Elastic(system.full, system.times[0]).modulus()
        return strains, modulus * system.comm.allreduce(np.einsum("s,sn,sk->nk", points.weights, *sizes))

    def local(self, times: Array, controls: Mapping[str, Array] | None = None) -> list[Array]:
        """Return what compiled steps take at own points: data (T, k, s), offset (T, 6, s) of no displacement.

        Parameters
        ----------
        times : array (T,)
            Ends of steps [s].
        controls : mapping, optional
            Values of controls other than those of the run: another draw of the same model.
        """
        if self.compiled is None:
            return []
        found = self.conditions(self.system.sites, times, controls)
        return [found.data, found.offset]

    def conditions(
        self, sites: Sites, times: Array, controls: Mapping[str, Array] | None = None
    ) -> Conditions:
        """Return what holds at some points at some times, see `local`."""
        equation, members, compiled = self.system.equation, self.system.controls.members, self.compiled
        assert compiled is not None, "other steps evaluate what they need themselves"
        p = sites.at(times, {n: (members[n], a) for n, a in (controls or {}).items()})
        heated = equation.heated(p)
        names = {n: heated.fields[n] for n in heated.fields if n != self.system.name}
        shape = (len(times), sites.points.n_local)
        constants = equation.law.constants(sites.view(p, names))  # type: ignore[attr-defined]
        six = np.array(compiled.PLACES)
        data = [np.broadcast_to(a, (shape[0] * shape[1], 1)).reshape(shape) for a in constants]
        strain = sites.pick(p, equation.given_strain(p)).reshape(*shape, 9)[:, :, six]
        heat = None
        if "temperature" in names:
            heat = sites.pick(p, names["temperature"].value).reshape(shape)
        return Conditions(np.stack(data, axis=1), np.ascontiguousarray(strain.swapaxes(1, 2)), heat)

    def _vectorised(self, times: list[float]) -> bool:
        """Return whether two times at once give what they give one after the other. Collective."""

        def known(some: list[float]) -> list[Array]:
            array = np.array(some)
            return [self.system.loads.local(array).T, *self.local(array)]

        pair = times[len(times) // 2 :][:2]
        try:
            alone = [np.concatenate(rows) for rows in zip(*(known([t]) for t in pair), strict=True)]
            pairs = zip(known(pair), alone, strict=True)
            same = all(np.allclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True) for a, b in pairs)
        except (TypeError, ValueError, IndexError):
            same = False
        return bool(min(self.system.comm.allgather(same)))


class Step:
    """One instant: strain without displacement, data and memory at the points of this rank."""

    def __init__(self, steps: Steps, at: Instant, load: Array, given: Array):
        self.system, self.at, self.load = steps.system, at, load
        self.steps, self.given = steps, given

    def solve(self, g: Array) -> tuple[Array, int]:
        """Return the coordinates at the end of the step and the number of Newton steps. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        goal, last, part = np.nan, np.inf, 1.0
        scale = max(float(np.linalg.norm(self.load)), self.steps.least(self.given))
        step = np.zeros_like(g)
        for count in range(MOST):
            r, k = self.residual(g)
            size = float(np.linalg.norm(r))
            goal = self.system.tolerance * max(scale, size, 1e-300) if not count else goal
            if size <= goal:
                return g, count
            if count and not size <= (1 - ENOUGH * part) * last and part > LEAST:
                # the step has led too far: half of it
                part *= 0.5
                g = g + part * step
                continue
            if not np.isfinite(size):
                break
            try:
                step = np.linalg.solve(k, r)
            except np.linalg.LinAlgError:
                break
            g, last, part = g - step, size, 1.0
        raise self._lost(size)

    def residual(self, g: Array) -> tuple[Array, Array]:
        """Return r and its slope, over all ranks. Collective."""
        n = len(g)
        force, stiffness = self._own(g)
        total = np.concatenate([force, stiffness.ravel()])
        self.system.comm.Allreduce(MPI.IN_PLACE, total)
        springs = self.steps.springs
        return total[:n] + self.load + springs @ g, total[n:].reshape(n, n) + springs

    def memory(self, g: Array) -> dict[str, Array]:
        """Return the memory at the end of the step, rows of the points of this rank."""
        found = self.system.equation.law.respond(self._point, self._strain(g), memory=True).memory
        return {n: np.ascontiguousarray(a.reshape(self._rows(n))) for n, a in found.items()}

    def _rows(self, name: str) -> tuple[int, int]:
        """Return the shape of the rows of a memory variable; a rank may have none."""
        return self.system.model.points.n_local, self.system.full.points[name].components

    def _own(self, g: Array) -> tuple[Array, Array]:
        """Return Σ w σ:E over own points, and its slope."""
        e, weights = self.system.model.strains, self.system.model.points.weights
        answer = self.system.equation.law.respond(self._point, self._strain(g), tangent=True)
        stress = answer.stress.reshape(-1, 9) * weights[:, None]
        slope = np.asarray(answer.tangent).reshape(-1, 9, 9) * weights[:, None, None]
        force = np.einsum("ka,kan->n", stress, e)
        return force, np.einsum("kam,kan->mn", e, np.einsum("kab,kbn->kan", slope, e))

    @property
    def _point(self) -> Any:
        """The points as the law sees them."""
        if not hasattr(self, "_seen"):
            self._seen, self._offset = self._looked()
        return self._seen

    def _looked(self) -> tuple[Any, Array]:
        """Return the points, and the strain without displacement (s, 1, 3, 3)."""
        system, before = self.system, self.at.before
        sites, equation = system.sites, system.equation
        p = sites.at(np.array([self.at.t]))
        heated = equation.heated(p)
        names = {n: heated.fields[n] for n in heated.fields if n != system.name}
        rows = {n: before[n][:, None] if s.components > 1 else before[n] for n, s in system.points.items()}
        lifted = (self.steps.lifted @ self.given + self.steps.shifted).reshape(-1, 1, 3, 3)
        given = sites.pick(p, equation.given_strain(p))
        return sites.view(p, names, dt=self.at.dt, before=rows), given + lifted

    def _strain(self, g: Array) -> Array:
        """Return the strain, (s, 1, 3, 3)."""
        e = self.system.model.strains @ g
        return np.ascontiguousarray(e.reshape(-1, 1, 3, 3) + self._offset)

    def _lost(self, size: float) -> SolveError:
        return SolveError(
            f"{self.system.name}: the reduced model did not converge at t = {self.at.t:g} s "
            f"(residual {size:.3g})"
        )


class Compiled(Step):
    """A step with the law inlined."""

    def __init__(self, steps: Steps, at: Instant, load: Array, given: Array, data: Array, offset: Array):
        super().__init__(steps, at, load, given)
        self.bodies, self.names = steps.bodies, list(steps.system.points)
        assert steps.compiled is not None
        shifted = steps.shifted.T[np.array(steps.compiled.PLACES)]
        self.bodies.put(data[None], np.ascontiguousarray(offset + shifted)[None])
        for rows, name in zip(self.bodies.memory, self.names, strict=True):
            rows[0] = at.before[name].reshape(rows[0].shape)
        self._at: Array | None = None

    def solve(self, g: Array) -> tuple[Array, int]:
        """Return the coordinates at the end of the step and the number of Newton steps. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        if self.system.comm.size > 1:
            return super().solve(g)
        self.bodies.g[0], least = g, self.steps.least(self.given)
        count = int(self.bodies.solve(self.at.dt, self.load[None], self.system.tolerance, least=least)[0])
        if count < 0:
            raise self._lost(float(self.bodies.rest[0]))
        self._at = self.bodies.g[0].copy()
        return self._at, count

    def memory(self, g: Array) -> dict[str, Array]:
        """Return the memory at the end of the step, rows of the points of this rank."""
        if self._at is None or not np.array_equal(g, self._at):
            self._own(g)
        ends = zip(self.names, self.bodies.ends, strict=True)
        return {name: end[0].reshape(self._rows(name)).copy() for name, end in ends}

    def _own(self, g: Array) -> tuple[Array, Array]:
        self._at = np.array(g)
        found: tuple[Array, Array] = self.bodies.assemble(g, self.at.dt)
        return found


@cache
def _compiled() -> Any:
    """Return the compiled step, None where it cannot be had."""
    from plexus_kernels.native import galerkin
    from plexus_kernels.native.loader import usable

    instead = "the compiled step of reduced models is not usable, a slower one takes over"
    return galerkin if usable(galerkin.probe, instead) else None
