"""Oracle: what flows in is stored. Decks without a solution on paper, whose budgets close at every step all the same.

    θ method, no value prescribed:   (E_1 - E_0)/dt = S + F - h (∫T - ∫T_a) - R   at t_0 + θ dt
    steady:                          0 = S + F - h (∫T - ∫T_a) - R + what prescribed values feed in
    elastic:                         0 = loads + reactions,   2 ∫ energy = work of the loads and of springs
    on cells:                        (M_1 - M_0)/dt = S + F

S sources and F fluxes are polynomials, integrated exactly here; ∫T comes from the run, R is what radiation lets out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from oracles.cases import Case, Tree, over_body, over_side, touching
from oracles.leaves import NEWTON, ONE, PASCAL, Amount, Jump, K, M, S, amount, dims, times
from oracles.polynomials import AXES, Poly
from oracles.running import Outcome, deck_of, run
from oracles.shapes import SIDES, Shape, shape

X, T, V = Poly.variable("x"), Poly.variable("t"), Poly.variable("v")
SIGMA = 5.670374419e-8
FLUX, SOURCE, H = dims(0, 1, -3), dims(-1, 1, -3), dims(0, 1, -3, -1)


@dataclass
class Budget(Case):
    """A case whose budget is judged from the histories of its quantities."""

    judge: Callable[[Outcome], list[str]] = field(default=lambda found: [])


def check(case: Budget, folder: Path) -> list[str]:
    """Return what does not close."""
    return case.judge(run(deck_of(case), case, folder))


@dataclass
class Load:
    """A load c·(1 + s t) before a time, another after it; ``whole`` is its integral over its place for c = 1."""

    before: Poly
    after: Poly | None
    at: float
    dims: Any
    whole: Callable[[Poly], float]

    def leaf(self) -> Any:
        """Return it as the deck has it."""
        first = Amount(self.before, self.dims)
        return first if self.after is None else Jump(first, Amount(self.after, self.dims), self.at)

    def total(self, t: float, ending: bool) -> float:
        """Return its integral at a time; a step that ends at a jump has not seen it."""
        late = self.after is not None and (t > self.at * (1 + 1e-9) if ending else t >= self.at)
        chosen = self.after if late and self.after is not None else self.before
        return self.whole(chosen.put(t=t))


def heat(seed: int) -> Budget:
    """Return a body that warms by all that there is, without a prescribed value."""
    return _Heat(seed, f"march{seed}", False, False).case()


def steady(seed: int) -> Budget:
    """Return a body in a steady state, some sides of which are held."""
    return _Heat(seed, f"steady{seed}", True, False).case()


def cure(seed: int) -> Budget:
    """Return a resin that cures: H ρ da leaves as heat."""
    return _Heat(seed, f"cure{seed}", False, True).case()


class _Heat:
    def __init__(self, seed: int, name: str, still: bool, cures: bool):
        draw = self.draw = random.Random(name)
        self.seed, self.still, self.cures = seed, still, cures
        self.radial = draw.random() < 0.15
        self.body = shape(draw, 2 if self.radial else None, radial=self.radial)
        if self.radial:
            self.body = replace(self.body, measure=X * (2 * math.pi))
        self.keys: list[Any] = self.body.regions or [None]
        self.degree = draw.choice((1, 2))
        self.reach = max(t[-1] - t[0] for t in self.body.ticks)
        self.level = draw.uniform(300, 700)
        self.linear = draw.random() < 0.5 and not cures
        self.k = 10 ** draw.uniform(-1, 2)
        self.theta = draw.choice((1.0, 0.5, draw.uniform(0.5, 1))) if self.linear or cures else 1.0
        self.capacity = {key: 10 ** draw.uniform(5.5, 6.5) for key in self.keys}
        some = max(self.capacity.values())
        self.span = some * self.reach**2 / self.k * 10 ** draw.uniform(-2, 0)
        self.flow = self.k * self.level / self.reach * 0.05

    def case(self) -> Budget:
        """Return the case."""
        draw, body = self.draw, self.body
        physics: Tree = {"type": "cure" if self.cures else "heat", "degree": self.degree}
        if self.radial:
            physics["geometry"] = "axisymmetric"
        self._material(physics)
        deck: Tree = {"plexus": 1, "mesh": body.block(), "physics": physics}
        deck["solver"] = {"default": {"preconditioner": "lu", "snes_rtol": 1e-13, "snes_atol": 1e-30}}
        self.found = Budget(
            self.seed, self.__class__.__name__, deck, body, self.degree, units={"temperature": K}
        )
        self.loads: list[Load] = []
        if not self.cures and draw.random() < 0.7:
            load = self._load(SOURCE, self.flow / self.reach, lambda f: body.volume(f))
            physics["source"] = load.leaf()
        self.quantities: Tree = {"warmth": {"type": "integral", "of": "temperature"}}
        for key in self.keys:
            if key is not None:
                self.quantities[f"warmth_{key}"] = {"type": "integral", "of": "temperature", "region": key}
        if self.cures:
            # ρ c a, of which H/c is the heat
            for key in self.keys:
                block = {"type": "integral", "of": "degree_of_cure"} | ({"region": key} if key else {})
                self.quantities[f"cured_{key}"] = block
        deck["boundary"] = self._boundary()
        deck["quantities"] = self.quantities
        if not self.still:
            deck["initial"] = {
                "temperature": Amount(self.level + Poly.variable(AXES[body.dim - 1]) * (20 / self.reach), K, True)
            }
            deck["time"] = {
                "stepper": {"type": "theta", "theta": self.theta},
                "end": amount(self.span, S), "step": amount(self.span / draw.uniform(1.5, 5), S),
            }  # fmt: skip
            if draw.random() < 0.3:
                deck["time"]["adaptive"] = {"tolerance": draw.choice((1e-2, 1e-3))}
            if draw.random() < 0.3:
                deck["time"]["hit"] = [amount(self.span * draw.uniform(0.1, 0.9), S)]
        self.found.judge = self.judge
        return self.found

    def _material(self, physics: Tree) -> None:
        draw = self.draw
        k = Poly.of(self.k)
        if not self.linear and draw.random() < 0.7:
            k = k * (1 + V * draw.uniform(0, 2e-3))
        material: Tree = {"conductivity": Amount(k, dims(1, 1, -3, -1))}
        if self.still:
            physics["material"] = material
            return
        c = draw.uniform(500, 2000)
        values = {key: amount(v / c, dims(-3, 1)) for key, v in self.capacity.items()}
        material["density"] = values[None] if None in values else {"regions": values}
        material["specific_heat"] = amount(c, dims(2, 0, -2, -1))
        self.c = c
        physics["material"] = material
        # the sum of a row is the integral of its function at degree 1 alone, and without a radius
        if self.degree == 1 and not self.radial and draw.random() < 0.3:
            physics["capacity"] = "lumped"
        if self.cures:
            self.released = draw.uniform(0.5, 1) * 100 * c
            rate = 1 / self.span
            physics["heat_of_reaction"] = amount(self.released, dims(2, 0, -2))
            physics["kinetics"] = {
                "factors": [amount(rate * draw.uniform(0, 30), dims(s=-1)), amount(rate * draw.uniform(1, 50), dims(s=-1))],
                "energies": [draw.uniform(0, 1e4), draw.uniform(0, 1e4)],
                "m": draw.choice((0, 1, draw.uniform(0.3, 2))), "n": draw.uniform(0.8, 2),
            }  # fmt: skip
            physics["start"] = 0.01

    def _load(self, d: Any, size: float, whole: Callable[[Poly], float]) -> Load:
        draw = self.draw

        def some() -> Poly:
            place = Poly.variable(draw.choice(AXES[: self.body.dim])) * (draw.uniform(-0.5, 0.5) / self.reach)
            change = T * (draw.uniform(-0.5, 0.5) / self.span) if not self.still else 0.0
            return (1 + place + change) * (size * draw.uniform(-1, 1))

        jumps = not self.still and self.theta == 1.0 and draw.random() < 0.4
        load = Load(some(), some() if jumps else None, self.span * draw.uniform(0.1, 0.9), d, whole)
        self.loads.append(load)
        return load

    def _boundary(self) -> list[Tree]:
        draw, body = self.draw, self.body
        sides = draw.sample(body.sides, len(body.sides))
        if self.radial and body.ticks[0][0] == 0:
            sides.remove("left")
        held = draw.randint(0, len(sides) - 1) if self.still else 0
        self.held, found = sides[:held], []
        self.convected: list[tuple[str, float, Load]] = []
        self.glowing: list[str] = []
        for side in self.held:
            value = self.level * draw.uniform(0.8, 1.2) + Poly.variable(AXES[0]) * (10 / self.reach)
            found.append({"on": side, "temperature": Amount(value, K, True)})
        if self.held:
            self.quantities["fed"] = {"type": "reaction", "of": "temperature", "on": self.held}
        anchored = bool(self.held) or not self.still
        for i, side in enumerate(sides[held:]):
            terms = draw.sample(("flux", "convection", "radiation"), draw.randint(1, 3))
            if not anchored and i == len(sides) - held - 1 and terms == ["flux"]:
                terms = ["convection"]
            block: Tree = {"on": side}
            for name in terms:
                if name == "radiation" and (self.linear or self.theta < 1):
                    continue
                anchored = anchored or name != "flux"
                block[name] = self._term(name, side)
            if len(block) > 1:
                found.append(block)
                flow = {"type": "flux", "of": "heat_flux", "on": side, "by": "terms"}
                self.quantities[f"out_{side}"] = flow
        if not anchored:
            found[-1]["convection"] = self._term("convection", found[-1]["on"])
        return found

    def _term(self, name: str, side: str) -> Any:
        draw, body = self.draw, self.body

        def whole(f: Poly) -> float:
            return over_side(body, dict.fromkeys(touching(body, side), f), side)

        if name == "flux":
            return self._load(FLUX, self.flow, whole).leaf()
        if name == "convection":
            h = self.k / self.reach * 10 ** draw.uniform(-1, 1)
            ambient = Load(
                self.level * draw.uniform(0.8, 1.2) + T * (0 if self.still else draw.uniform(-50, 50) / self.span),
                None, 0.0, K, whole,
            )  # fmt: skip
            self.convected.append((side, h, ambient))
            self.quantities[f"warmth_{side}"] = {"type": "integral", "of": "temperature", "on": side}
            return {"coefficient": amount(h, H), "ambient": Amount(ambient.before, K, True)}
        self.glowing.append(side)
        emissivity, ambient = draw.uniform(0.1, 1), self.level * draw.uniform(0.7, 1.3)
        self.glow = getattr(self, "glow", {}) | {side: (emissivity, ambient)}
        self.quantities[f"fourth_{side}"] = {"type": "integral", "of": "temperature^4", "on": side}
        return {"emissivity": amount(emissivity), "ambient": amount(ambient, K, True)}

    def _out(self, values: dict[str, float], t: float) -> float:
        """Return what convection and radiation let out in a state."""
        found = 0.0
        for side, h, ambient in self.convected:
            found += h * (values[f"warmth_{side}"] - ambient.total(t, True))
        for side in self.glowing:
            emissivity, ambient = self.glow[side]
            area = over_side(self.body, dict.fromkeys(touching(self.body, side), Poly.of(1.0)), side)
            found += SIGMA * emissivity * (values[f"fourth_{side}"] - ambient**4 * area)
        return found

    def _stored(self, values: dict[str, float]) -> float:
        if None in self.capacity:
            return self.capacity[None] * values["warmth"]
        return sum(self.capacity[key] * values[f"warmth_{key}"] for key in self.keys)

    def judge(self, found: Outcome) -> list[str]:
        """Return the steps whose budget does not close."""
        # T⁴ of degree 2 is beyond the rules of both integrals
        loose = 1e-3 if self.glowing else 1e-7
        if self.still:
            values = found.quantities
            given = sum(load.total(0.0, True) for load in self.loads)
            fed, out = values.get("fed", 0.0), self._out(values, 0.0)
            size = abs(given) + abs(fed) + abs(out) + self._exchanged(values)
            return [] if abs(given + fed - out) <= loose * size else [f"steady: {given} + {fed} - {out} = {given + fed - out}"]
        wrong = []
        for (t0, first), (t1, last) in zip(found.history, found.history[1:], strict=False):
            stored = (self._stored(last) - self._stored(first)) / (t1 - t0)
            at, theta = t0 + self.theta * (t1 - t0), self.theta
            given = sum(load.total(at, True) for load in self.loads)
            out = theta * self._out(last, t1) + (1 - theta) * self._out(first, t0)
            if self.cures:
                done = sum(self.capacity[k] * (last[f"cured_{k}"] - first[f"cured_{k}"]) for k in self.keys)
                given += self.released / self.c * done / (t1 - t0)
            size = abs(stored) + abs(given) + abs(out) + self._exchanged(last)
            if not abs(stored - given + out) <= loose * size:
                wrong.append(f"t = {t0}..{t1}: stored {stored}, given {given}, out {out}: {stored - given + out}")
        return wrong

    def _exchanged(self, values: dict[str, float]) -> float:
        return sum(h * abs(values[f"warmth_{side}"]) for side, h, _ in self.convected)
