"""Oracle: what flows in is stored, in decks without a solution on paper as well.

    θ method, no value prescribed:   (E_1 - E_0)/dt = S + F - h (∫T - ∫T_a) - R   at t_0 + θ dt
    steady:                          0 = S + F - h (∫T - ∫T_a) - R + what prescribed values feed in
    elastic:                         0 = loads + reactions,   2 ∫ energy = work of the loads and of springs
    on cells:                        (M_1 - M_0)/dt = S + F

S sources and F fluxes are polynomials, integrated exactly here; ∫T comes from the run, R is what radiation
lets out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from oracles.cases import Case, Tree, over_body, over_side, touching
from oracles.leaves import NEWTON, PASCAL, Amount, Jump, K, M, S, amount, dims
from oracles.polynomials import AXES, Poly
from oracles.running import Outcome, deck_of, run
from oracles.shapes import shape

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
    """A load before a time, another after it; ``whole`` integrates one over its place."""

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
                "temperature": Amount(
                    self.level + Poly.variable(AXES[body.dim - 1]) * (20 / self.reach), K, True
                )
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
        material["density"] = values.get(None, {"regions": values})
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
                "factors": [amount(rate * draw.uniform(*ends), dims(s=-1)) for ends in ((0, 30), (1, 50))],
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
            change = draw.uniform(-50, 50) / (self.span or 1.0)
            ambient = Load(
                self.level * draw.uniform(0.8, 1.2) + T * (0 if self.still else change),
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
        """Return what convection and radiation let out in a state, with the surroundings of a time."""
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
            return (
                []
                if abs(given + fed - out) <= loose * size
                else [f"steady: {given} + {fed} - {out} = {given + fed - out}"]
            )
        wrong = []
        for (t0, first), (t1, last) in zip(found.history, found.history[1:], strict=False):
            stored = (self._stored(last) - self._stored(first)) / (t1 - t0)
            at, theta = t0 + self.theta * (t1 - t0), self.theta
            given = sum(load.total(at, True) for load in self.loads)
            out = theta * self._out(last, at) + (1 - theta) * self._out(first, at)
            if self.cures:
                done = sum(self.capacity[k] * (last[f"cured_{k}"] - first[f"cured_{k}"]) for k in self.keys)
                given += self.released / self.c * done / (t1 - t0)
            size = abs(stored) + abs(given) + abs(out) + self._exchanged(last)
            if not abs(stored - given + out) <= loose * size:
                wrong.append(
                    f"t = {t0}..{t1}: stored {stored}, given {given}, out {out}: {stored - given + out}"
                )
        return wrong

    def _exchanged(self, values: dict[str, float]) -> float:
        """Return the size of what is exchanged, of which the flows are differences."""
        glow = sum(SIGMA * self.glow[side][0] * values[f"fourth_{side}"] for side in self.glowing)
        return glow + sum(h * abs(values[f"warmth_{side}"]) for side, h, _ in self.convected)


def work(seed: int) -> Budget:
    """Return an elastic body under all kinds of loads: reactions balance them, work is twice the energy."""
    return _Work(seed).case()


class _Work:
    def __init__(self, seed: int):
        draw = self.draw = random.Random(f"work{seed}")
        self.seed = seed
        self.geometry = draw.choice(("solid", "plane_strain", "plane_stress", "axisymmetric", "bar"))
        self.radial = self.geometry == "axisymmetric"
        self.dim = {"solid": 3, "bar": 1}.get(self.geometry, 2)
        body = shape(
            draw, self.dim, regions=not self.radial, radial=self.radial, most={3: 2}.get(self.dim, 4)
        )
        self.thickness = 10 ** draw.uniform(-3, 1) if self.dim < 3 and not self.radial else 1.0
        measure = X * (2 * math.pi) if self.radial else Poly.of(self.thickness)
        self.body = replace(body, measure=measure)
        self.keys: list[Any] = body.regions or [None]
        self.young = 10 ** draw.uniform(6, 11)
        self.push = self.young * 10 ** draw.uniform(-7, -3)
        self.reach = max(t[-1] - t[0] for t in body.ticks)
        # what acts: force of each load along each axis, and the quantities whose sum times it is work
        self.forces: list[list[float]] = []
        self.works: list[tuple[float, str]] = []
        self.springs: list[tuple[int, float, str]] = []
        self.quantities: Tree = {"energy": {"type": "integral", "of": "energy_density"}}

    def case(self) -> Budget:
        """Return the case."""
        draw, body = self.draw, self.body
        degree = draw.choice((1, 2))
        material: Tree = {"young_modulus": amount(self.young, PASCAL), "poisson_ratio": draw.uniform(0, 0.45)}
        if len(self.keys) > 1:
            young = {key: amount(self.young * draw.uniform(0.2, 5), PASCAL) for key in self.keys}
            material["young_modulus"] = {"regions": young}
        physics: Tree = {
            "type": "elasticity",
            "degree": degree,
            "geometry": self.geometry,
            "material": material,
        }
        if degree == 2 and self.dim > 1 and draw.random() < 0.2 and self.geometry != "plane_stress":
            physics["locking"] = "b_bar"
        if self.dim < 3 and not self.radial:
            physics["thickness"] = amount(self.thickness, M)
        self._weights(physics, material)
        deck: Tree = {"plexus": 1, "mesh": body.block(), "physics": physics}
        deck["solver"] = {"default": {"preconditioner": draw.choice(("lu", "lu", "gamg")), "rtol": 1e-12}}
        deck["boundary"] = self._boundary()
        deck["quantities"] = self.quantities
        found = Budget(self.seed, "work", deck, body, degree, units={"displacement": M})
        found.judge = self.judge
        return found

    def _axes(self) -> range:
        return range(self.dim)

    def _ask(self, name: str, block: Tree) -> str:
        self.quantities[name] = block
        return name

    def _weights(self, physics: Tree, material: Tree) -> None:
        """Add loads of the volume."""
        draw, body = self.draw, self.body
        force = dims(-2, 1, -2)
        if draw.random() < 0.5:
            b = [self.push / self.reach * draw.uniform(-1, 1) for _ in self._axes()]
            physics["body_force"] = [amount(v, force) for v in b]
            self._volume(b, "body")
        rho = self.push / (10 * self.reach)
        kind = draw.choice(("", "gravity", "rotation"))
        if not kind:
            return
        material["density"] = amount(rho, dims(-3, 1))
        if kind == "gravity":
            g = [draw.uniform(-10, 10) for _ in self._axes()]
            physics["gravity"] = [amount(v, dims(1, 0, -2)) for v in g]
            self._volume([rho * v for v in g], "weight")
        elif self.dim == 3 or self.radial:
            # about the z axis of a solid, the y axis of a body of revolution
            speed = draw.uniform(0.5, 3) / math.sqrt(self.reach)
            block: Tree = {"speed": amount(speed, dims(s=-1))}
            if self.dim == 3:
                block |= {"axis": [0, 0, 1]}
            physics["rotation"] = block
            turned = AXES[: 1 if self.radial else 2]
            pull = [
                rho * speed**2 * body.volume(Poly.variable(a)) if a in turned else 0.0
                for a in AXES[: self.dim]
            ]
            self.forces.append(pull)
            of = " + ".join(f"{a}*displacement_{a}" for a in turned)
            self.works.append((rho * speed**2, self._ask("turned", {"type": "integral", "of": of})))

    def _volume(self, b: list[float], name: str) -> None:
        volume = over_body(self.body, dict.fromkeys(self.keys, Poly.of(1.0)))
        self.forces.append([v * volume for v in b])
        for i, v in enumerate(b):
            block = {"type": "integral", "of": f"displacement_{AXES[i]}"}
            self.works.append((v, self._ask(f"{name}_{AXES[i]}", block)))

    def _boundary(self) -> list[Tree]:
        draw, body = self.draw, self.body
        sides = draw.sample(body.sides, len(body.sides))
        if self.radial and body.ticks[0][0] == 0:
            sides.remove("left")
        held, rest = sides[:1], sides[1:]
        found: list[Tree] = [{"on": held[0], "displacement": [amount(0.0, M) for _ in self._axes()]}]
        self.held = held
        for side in rest:
            kind = draw.choice(("none", "traction", "pressure", "spring", "force", "roller", "component"))
            block = self._load(kind, side)
            if block:
                found.append({"on": side, **block})
        if self.dim > 1 and not self.radial and draw.random() < 0.3:
            found += self._point(found)
        for i in self._axes():
            block = {"type": "reaction", "of": "displacement", "on": self.held, "component": AXES[i]}
            self._ask(f"held_{AXES[i]}", block)
        return found

    def _point(self, found: list[Tree]) -> list[Tree]:
        """Return a force on a corner that nothing holds."""
        draw, body = self.draw, self.body
        points = body.points(1)
        place = points[draw.randrange(len(points))]
        at = [amount(float(v), M) for v in place]
        force = [self.push * self.reach**2 * draw.uniform(-1, 1) for _ in self._axes()]
        self.forces.append(force)
        for i, v in enumerate(force):
            block = {"type": "value", "of": f"displacement_{AXES[i]}", "at": at}
            self.works.append((v, self._ask(f"point_{AXES[i]}", block)))
        return [{"at": at, "force": [amount(v, NEWTON) for v in force]}]

    def _load(self, kind: str, side: str) -> Tree:
        draw, body = self.draw, self.body
        n = body.normal(side)
        area = over_side(body, dict.fromkeys(touching(body, side), Poly.of(1.0)), side)
        if kind == "roller" and self.dim > 1:
            self.held.append(side)
            return {"normal": amount(0.0, M)}
        if kind == "component" and self.dim > 1:
            self.held.append(side)
            return {f"displacement_{AXES[draw.randrange(self.dim)]}": amount(0.0, M)}
        if kind == "force" and not self.radial and area > 0:
            force = [self.push * area * draw.uniform(-1, 1) for _ in self._axes()]
            self._surface([f / area for f in force], side, area)
            return {"force": [amount(v, NEWTON) for v in force]}
        if kind == "traction":
            pull = [self.push * draw.uniform(-1, 1) for _ in self._axes()]
            self._surface(pull, side, area)
            return {"traction": [amount(v, PASCAL) for v in pull]}
        if kind == "pressure":
            press = self.push * draw.uniform(-1, 1)
            self._surface([-press * float(v) for v in n], side, area)
            return {"pressure": amount(press, PASCAL)}
        if kind == "spring":
            self._spring(side, n)
            return {"spring": self.stiff}
        return {}

    def _surface(self, pull: list[float], side: str, area: float) -> None:
        self.forces.append([v * area for v in pull])
        for i, v in enumerate(pull):
            block = {"type": "integral", "of": f"displacement_{AXES[i]}", "on": side}
            self.works.append((v, self._ask(f"on_{side}_{AXES[i]}", block)))

    def _spring(self, side: str, n: Any) -> None:
        draw = self.draw
        along, across = (self.young / self.reach * draw.uniform(0.01, 1) for _ in range(2))
        unit = dims(-2, 1, -2)
        self.stiff = {"normal": amount(along, unit), "tangential": amount(across, unit)}
        straight = " + ".join(f"({float(n[i])!r})*displacement_{AXES[i]}" for i in self._axes())
        square = " + ".join(f"displacement_{AXES[i]}^2" for i in self._axes())
        for part, stiff, of in (("all", across, square), ("normal", along - across, f"({straight})^2")):
            self.works.append(
                (-stiff, self._ask(f"spring_{side}_{part}", {"type": "integral", "of": of, "on": side}))
            )
        for i in self._axes():
            of = f"{across!r}*displacement_{AXES[i]} + ({along - across!r})*({float(n[i])!r})*({straight})"
            name = self._ask(f"spring_{side}_{AXES[i]}", {"type": "integral", "of": of, "on": side})
            self.springs.append((i, -1.0, name))

    def judge(self, found: Outcome) -> list[str]:
        """Return what does not balance."""
        wrong, q = [], found.quantities
        done = [v * q[name] for v, name in self.works]
        twice, size = 2 * q["energy"], sum(map(abs, done)) + abs(2 * q["energy"])
        # (u_r/r)² is no polynomial: the energy is integrated by a finer rule than the equations
        if not abs(twice - sum(done)) <= (1e-2 if self.radial else 1e-6) * size:
            wrong.append(f"twice the energy {twice}, work {sum(done)}")
        scale = sum(abs(v) for force in self.forces for v in force) + sum(
            abs(q[name]) for *_, name in self.springs
        )
        for i in self._axes():
            if self.radial and i == 0:
                continue
            loads = sum(force[i] for force in self.forces) + sum(
                s * q[name] for j, s, name in self.springs if j == i
            )
            if not abs(loads + q[f"held_{AXES[i]}"]) <= 1e-6 * scale:
                wrong.append(f"along {AXES[i]}: loads {loads}, reactions {q[f'held_{AXES[i]}']}")
        return wrong
