"""Flow of a solid after von Mises, with isotropic and kinematic hardening and a viscous overstress.

    σ = κ tr(e) I + 2μ dev(e - ε_p),    X = Σ_i (2/3) C_i a_i
    dε_p = n dp,    n = 3/2 (s - X)/J₂(s - X),    s = dev σ,    J₂(s) = sqrt(3/2 s:s)
    da_i = dε_p - D_i a_i dp,    R = R₀ + H p + Q (1 - e^(-b p)),    dp/dt = ⟨(J₂(s - X) - R)/K⟩^N

e is the total strain without the thermal one; K = 0 stands for flow without delay, J₂(s - X) ≤ R. A step of
backward Euler leads to one equation for Δp > 0, with θ_i = 1/(1 + D_i Δp), s_tr = 2μ dev(e - ε_p,n) and s* =
s_tr - Σ (2/3) C_i θ_i a_i,n (J. C. Simo, T. J. R. Hughes, Computational Inelasticity, Springer 1998, chapters
2 and 3; J.-L. Chaboche, Int. J. Plast. 5 (1989) 247, doi:10.1016/0749-6419(89)90015-6):

    g(Δp) = J₂(s*) - R(p_n + Δp) - (3μ + Σ C_i θ_i) Δp - K (Δp/Δt)^(1/N) = 0

g falls while J₂ of (2/3) C_i a_i is below C_i/D_i, so that there is one root; where data change with the
temperature it may pass that, and the bracket holds a root still. With large N its Δp spans decades; Halley's
method therefore works on ln of both sides in v = ln Δp, from the nearer of the two asymptotes, inside of a
bracket. There numbers stand for the tensors: with X_i = (2/3) C_i a_i,n, u_i = 1 - θ_i and s = s_tr - Σ X_i

    J₂(s*)² = J₂(s)² + Σ u_i (2 b_i + Σ_j G_ij u_j),    b_i = (3/2) s:X_i,    G_ij = (3/2) X_i:X_j

Then ε_p += Δp n, a_i = θ_i (a_i,n + Δp n), and with h = -g', A = Σ (2/3) C_i
D_i θ_i² a_i,n

    ∂σ/∂e = κ I⊗I + 2μ I_dev - (4μ²/h) n⊗n - (2μ Δp/J*) (2μ M + (2μ/h) (M:A)⊗n),    M = 3/2 I_dev - n⊗n,

which is symmetric where A is parallel to n. Here are the formulas for arrays and tensors; compiled ones are
in `plexus_kernels.native.viscoplastic`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from plexus.fields.arrays import einsum, exp, eye, maximum, namespace, root, unrecorded, where
from plexus.protocols import Array

ROUNDS = 100
"""Most looks at the equation; the hardest data that were tried take 6."""
ENOUGH = 1e-12
"""Largest rest of the equation beside the sum of its terms."""
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Data:
    """Data at the points, each (C|1, Q|1): κ, μ, R₀, H, Q, b, K, 1/N, and C_i, D_i of every back strain."""

    bulk: Array
    shear: Array
    yield_stress: Array
    slope: Array
    gain: Array
    rate: Array
    viscosity: Array
    power: Array
    moduli: Sequence[Array] = ()
    recalls: Sequence[Array] = ()


@dataclass(frozen=True, eq=False)
class Memory:
    """Plastic strain (C, Q, 3, 3), cumulated plastic strain p (C, Q), back strains a_i (C, Q, 3, 3)."""

    plastic: Array
    p: Array
    backs: Sequence[Array] = ()


@dataclass(frozen=True, eq=False)
class _Sides:
    """Both sides of the equation for Δp at one Δp, with what they are made of; ``turn`` is J* dJ*/dΔp."""

    dp: Array
    thetas: Sequence[Array]
    size: Array
    turn: Array
    left: Array
    slope: Array
    viscous: Array


def respond(
    strain: Array, before: Memory, dt: float, data: Data, slope: bool
) -> tuple[Array, Array | None, Memory]:
    """Return stress (C, Q, 3, 3), ∂σ/∂e where it is asked for, and the memory at the end of the step.

    Points at which the equation has no root to rounding get NaN.
    """
    volume = einsum("...ii->...", strain)
    i = eye(3, strain)
    trial = _at(2.0 * data.shear) * _deviator(strain - before.plastic)
    # R = R_n + ..., with R_n at the start of the step
    worn = exp(-data.rate * before.p)
    strength = data.yield_stress + data.slope * before.p + data.gain * (1.0 - worn)
    held = [_deviator(a) for a in before.backs]
    local = _Local(trial, held, strength, worn, dt, data)
    rest = local.sides(None)
    plastic = (rest.size > strength) & (dt > 0)
    end, lost = local.solve(plastic, rest) if bool(plastic.any()) else (rest, plastic & False)
    flow = where(plastic, 1.5 * end.dp / maximum(end.size, TINY), 0.0 * end.size)
    wrong = where(lost, math.nan, 0.0 * flow)
    star = local.star(end)
    grown = _at(flow) * star + _at(wrong)
    stress = trial - _at(2.0 * data.shear) * grown + _at(data.bulk * volume) * i
    step = where(plastic, end.dp, 0.0 * end.dp)
    backs = [where(_at(plastic), _at(t) * (a + grown), a) for t, a in zip(end.thetas, held, strict=True)]
    memory = Memory(before.plastic + grown, before.p + step + wrong, backs)
    return stress, local.tangent(plastic, end, star) if slope else None, memory


@dataclass(frozen=True, eq=False)
class _Local:
    """The local problem: what is known at the points, and its equation."""

    trial: Array
    backs: Sequence[Array]
    strength: Array
    worn: Array
    dt: float
    data: Data

    @cached_property
    def pulls(self) -> list[Array]:
        """Back stresses X_i = (2/3) C_i a_i at the start."""
        return [_at(2.0 / 3.0 * c) * a for c, a in zip(self.data.moduli, self.backs, strict=True)]

    @cached_property
    def numbers(self) -> tuple[Array, list[Array], list[list[Array]]]:
        """What J* depends on: J₂(s)², 3/2 s:X_i and 3/2 X_i:X_j, with s = s_tr - Σ X_i."""
        s = self.trial - sum(self.pulls)
        beside = [1.5 * _dot(s, x) for x in self.pulls]
        return 1.5 * _dot(s, s), beside, [[1.5 * _dot(x, y) for y in self.pulls] for x in self.pulls]

    def star(self, at: _Sides) -> Array:
        """Return s* = s_tr - Σ θ_i X_i."""
        return self.trial - sum(_at(t) * x for t, x in zip(at.thetas, self.pulls, strict=True))

    def sides(self, v: Array | None) -> _Sides:
        """Return both sides at v = ln Δp; without v at Δp = 0."""
        d, zero = self.data, 0.0 * self.strength + 0.0 * self.trial[..., 0, 0]
        dp = zero if v is None else exp(v)
        viscous = zero if v is None else d.viscosity * exp((v - math.log(self.dt)) * d.power)
        thetas = [1.0 / (1.0 + recall * dp) for recall in d.recalls]
        # 1 - θ = D Δp θ, without the difference
        gone = [recall * dp * t for recall, t in zip(d.recalls, thetas, strict=True)]
        stiff, slope, (square, beside, among) = 3.0 * d.shear, 3.0 * d.shear, self.numbers
        turn = zero
        for i, (c, recall, t) in enumerate(zip(d.moduli, d.recalls, thetas, strict=True)):
            stiff, slope = stiff + c * t, slope + c * t * t
            on = beside[i] + sum(g * u for g, u in zip(among[i], gone, strict=True))
            square, turn = square + gone[i] * (beside[i] + on), turn + recall * t * t * on
        rise = -namespace(dp).expm1(-d.rate * dp)
        left = (stiff + d.slope) * dp + d.gain * self.worn * rise + viscous
        slope = slope + d.slope + d.gain * self.worn * d.rate * (1.0 - rise)
        return _Sides(dp, thetas, root(maximum(square, 0.0 * square)), turn, left, slope, viscous)

    def solve(self, plastic: Array, start: _Sides) -> tuple[_Sides, Array]:
        """Return the sides at the root where ``plastic``, and where none was found."""
        with unrecorded(self.trial):
            at, v, lost = self._found(plastic, start)
        if namespace(v) is np:
            return at, lost
        # one step of which only the numerator is differentiated leads to the derivatives of the root
        return self.sides(self._newton(v, self.sides(v))), lost

    def _found(self, plastic: Array, start: _Sides) -> tuple[_Sides, Array, Array]:
        """Return the sides at the root, the root, and where none was found."""
        low, v, high = self._bracket(plastic, start)
        open_ = plastic
        for _ in range(ROUNDS):
            at = self.sides(v)
            right = at.size - self.strength
            g = right - at.left
            open_ = open_ & ~(abs(g) <= ENOUGH * (at.size + self.strength + at.left))
            if not bool(open_.any()):
                break
            low, high = where(g >= 0, v, low), where(g <= 0, v, high)
            step = v + self._step(at)
            fits = (right > 0) & (step > low) & (step < high)
            v = where(open_, where(fits, step, 0.5 * (low + high)), v)
        return at, v, open_

    def _newton(self, v: Array, at: _Sides) -> Array:
        """Return v after a step of Newton's method on ln of both sides."""
        right = at.size - self.strength
        known = where(right > 0, right, 1.0)
        slope = (at.slope * at.dp + at.viscous * self.data.power) / at.left
        slope = slope - at.turn / maximum(at.size, TINY) * at.dp / known
        return v - _log(at.left / known) / slope.detach()

    def _step(self, at: _Sides) -> Array:
        """Return Halley's step on h(v) = ln(left/right), without what bends the right side."""
        right = at.size - self.strength
        known, viscous = where(right > 0, right, 1.0), at.viscous * self.data.power
        direct = at.slope * at.dp
        up, down = (direct + viscous) / at.left, at.turn / maximum(at.size, TINY) * at.dp / known
        h, slope, bent = _log(at.left / known), up - down, (direct + viscous * self.data.power) / at.left
        rest = slope * slope - 0.5 * h * (bent - slope * (up + down))
        return -h * slope / where(rest == 0, 1.0, rest)

    def _bracket(self, plastic: Array, start: _Sides) -> tuple[Array, Array, Array]:
        """Return v below the root, near it and above it."""
        d, ln = self.data, _log
        growth = d.gain * self.worn * d.rate
        up = maximum(d.slope + maximum(growth, 0.0), 0.0)
        down = -maximum(-(d.slope - maximum(-growth, 0.0)), 0.0)
        stiff, drop, most = 3.0 * d.shear, 3.0 * d.shear, start.size
        for i, (c, recall) in enumerate(zip(d.moduli, d.recalls, strict=True)):
            # J₂ of X, which passes C/D where data change with the temperature: |dJ₂(s*)/dΔp| ≤ D J₂(X)
            pull = root(self.numbers[2][i][i])
            stiff, drop, most = stiff + c, drop + c + recall * pull, most + pull
        over = where(plastic, start.size - self.strength, 1.0)
        viscous = (d.viscosity > 0) & (over > 0)
        n = where(viscous, 1.0 / maximum(d.power, TINY), 0.0 * over)
        slow = where(viscous, math.log(self.dt) + n * ln(over / where(viscous, d.viscosity, 1.0)), 709.0)
        near = ln(over / (stiff + up))
        near = where(slow < near, slow, near)
        # both parts of the resistance, and what J₂(s*) loses, are below half of what drives
        low = ln(0.5 * over / (drop + up))
        late = slow - math.log(2.0) * n
        low = where(late < low, late, low)
        high = ln(maximum(most - self.strength, over) / (3.0 * d.shear + down)) + ENOUGH
        near = maximum(near, low)
        return low, where(near > high, high, near), high

    def tangent(self, plastic: Array, end: _Sides, star: Array) -> Array:
        """Return ∂σ/∂e, (C, Q, 3, 3, 3, 3)."""
        d, i = self.data, eye(3, self.trial)
        two, size = 2.0 * d.shear, maximum(end.size, TINY)
        # h = -g'; without flow n = 0 and only Hooke's law remains
        h = end.slope + end.viscous * d.power / maximum(end.dp, TINY) - end.turn / size
        share = where(plastic, two * end.dp / size, 0.0 * size)
        inverse = where(plastic, two / h, 0.0 * size)
        n = _at(where(plastic, 1.5 / size, 0.0 * size)) * star
        moved = 0.0 * star
        for recall, t, x in zip(d.recalls, end.thetas, self.pulls, strict=True):
            moved = moved + _at(recall * t * t) * x
        turned = 1.5 * moved - n * _at(_dot(n, moved))
        direct = two * (1.0 - 1.5 * share)
        unit = 0.5 * (einsum("ik,jl->ijkl", i, i) + einsum("il,jk->ijkl", i, i))
        volume = einsum("ij,kl->ijkl", i, i)
        along = einsum("...ij,...kl->...ijkl", n, n)
        aside = einsum("...ij,...kl->...ijkl", turned, n)
        return (
            _four(d.bulk - direct / 3.0) * volume
            + _four(direct) * unit
            + _four(share * two - two * inverse) * along
            - _four(share * inverse) * aside
        )


def _at(a: Array) -> Array:
    """Return numbers at points with the axes of a tensor of rank two."""
    return a[..., None, None]


def _four(a: Array) -> Array:
    """Return numbers at points with the axes of a tensor of rank four."""
    return a[..., None, None, None, None]


def _deviator(a: Array) -> Array:
    """Return the deviator of the symmetric part."""
    return 0.5 * (a + einsum("...ij->...ji", a)) - _at(einsum("...ii->...", a) / 3.0) * eye(3, a)


def _dot(a: Array, b: Array) -> Array:
    return einsum("...ij,...ij->...", a, b)


def _log(a: Array) -> Array:
    return namespace(a).log(a)
