"""Elastic bodies with polynomial displacements: supports, loads, springs and heat of every kind.

σ = λ (tr e + n) I + 2μ e,    e = sym ∇u - α (T - T_0) I,    n the strain normal to a section
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np

from oracles.cases import (
    Case,
    Pieces,
    Tree,
    at_points,
    at_time,
    by_region,
    everywhere,
    largest,
    mapped,
    on_side,
    over_body,
    over_side,
    random_field,
    solver,
    touching,
)
from oracles.leaves import JOULE, NEWTON, ONE, PASCAL, Amount, K, M, S, amount, dims, times
from oracles.polynomials import AXES, Poly
from oracles.shapes import Shape, shape

X, T = Poly.variable("x"), Poly.variable("t")
FORCE = dims(-2, 1, -2)
SPRING = dims(-2, 1, -2)


def solid(seed: int, geometry: str) -> Case:
    """Return a case of elasticity or thermoelasticity (``thermo``)."""
    return _Solid(seed, geometry).case()


class _Solid:
    def __init__(self, seed: int, family: str):
        draw = self.draw = random.Random(f"{family}{seed}")
        self.family, self.seed = family, seed
        self.coupled = family == "thermo"
        self.geometry = family
        if self.coupled:
            self.geometry = draw.choice(("solid", "plane_strain", "plane_stress", "axisymmetric", "bar"))
        self.radial = self.geometry == "axisymmetric"
        self.dim = {"solid": 3, "bar": 1}.get(self.geometry, 2)
        self.degree = draw.choice((1, 2))
        self.hot = self.coupled or draw.random() < 0.3
        body = self._body()
        self.thickness = (
            draw.choice((1.0, 10 ** draw.uniform(-3, 0))) if self.dim < 3 and not self.radial else 1.0
        )
        if self.radial:
            body = replace(body, measure=X * (2 * math.pi))
        elif self.thickness != 1.0:
            body = replace(body, measure=Poly.of(self.thickness))
        self.body = body
        self.keys: list[Any] = body.regions or [None]
        self.ramped = not self.coupled and draw.random() < 0.2
        self.start, self.end = 0.0, 10 ** draw.uniform(-1, 3) if self.ramped else 0.0
        self.young = {key: 10 ** draw.uniform(6, 11.5) for key in self.keys}
        if len(self.keys) > 1:
            self.young["b"] = self.young["a"] * 10 ** draw.uniform(-1, 1)
        self.nu = {key: draw.choice((draw.uniform(-0.2, 0.45), draw.uniform(0, 0.4))) for key in self.keys}
        self.normal_strain = (
            draw.choice((0.0, draw.uniform(-1e-3, 1e-3))) if self.geometry == "plane_strain" else 0.0
        )
        self.strain = 10 ** draw.uniform(-6, -2.5)
        self.alpha, self.cold = 10 ** draw.uniform(-6, -4.5), draw.uniform(260, 330)
        self.heat = Poly.of(draw.uniform(280, 600))
        # the strain of degree 1 cannot follow a temperature that varies
        if self.hot and self.degree == 2:
            self.heat = self.heat + random_field(draw, body, 1, self.radial) * 50
            if self.radial:
                self.heat = Poly.of(self.heat.at(x=0.0, y=0.0, z=0.0)) + Poly.variable("y") * (
                    30 / self._reach()
                )
        self.bare = False
        self.u = self._displacement()
        self.stress = {key: self._stress(key, self.u[key]) for key in self.keys}

    def _body(self) -> Shape:
        regions, most = not self.radial and not self.hot, {3: 2}.get(self.dim, 4)
        return shape(self.draw, self.dim, regions=regions, radial=self.radial, most=most)

    def _reach(self) -> float:
        return max(t[-1] - t[0] for t in self.body.ticks)

    def _displacement(self) -> dict[Any, list[Poly]]:
        draw, body = self.draw, self.body
        size = self.strain * self._reach()
        field = [
            random_field(draw, body, self.degree, self.radial, mixed=False) * size for _ in range(self.dim)
        ]
        if self.radial:
            # u_r = r q
            inner = Poly.of(draw.uniform(-1, 1))
            if self.degree == 2:
                inner = inner + Poly.variable("y") * (draw.uniform(-1, 1) / self._reach())
            field[0] = X * inner * self.strain
        if self.ramped:
            field = [f * T * (1 / self.end) for f in field]
        if len(self.keys) == 1:
            return {None: field}
        assert body.split is not None
        cut = body.ticks[0][body.split]
        self.jumps = body.file and draw.random() < 0.7
        if self.jumps:
            kink = [
                Poly.of(draw.uniform(-1, 1)) if self.degree == 1 else random_field(draw, body, 1, mixed=False)
                for _ in range(self.dim)
            ]
            kink = [k * self.strain * (T * (1 / self.end) if self.ramped else 1.0) for k in kink]
        else:
            # the acoustic tensor of a plane across x is diagonal
            gap = [
                (a - b).put(x=cut)
                for a, b in zip(self._stress("a", field)[0], self._stress("b", field)[0], strict=True)
            ]
            lam, mu = self._lame("b")
            kink = [g * (1 / (lam + 2 * mu if i == 0 else mu)) for i, g in enumerate(gap)]
        return {"a": field, "b": [f + (X - cut) * k for f, k in zip(field, kink, strict=True)]}

    def _lame(self, key: Any) -> tuple[float, float]:
        e, nu = self.young[key], self.nu[key]
        if self.geometry == "bar":
            return 0.0, e / 2
        mu = e / (2 * (1 + nu))
        lam = e * nu / ((1 + nu) * (1 - 2 * nu))
        if self.geometry == "plane_stress":
            lam = 2 * lam * mu / (lam + 2 * mu)
        return lam, mu

    def _strains(self, u: list[Poly]) -> tuple[list[list[Poly]], Poly | None]:
        """Return the elastic strain in the section and normal to it."""
        axes = AXES[: self.dim]
        swell = (self.heat - self.cold) * self.alpha if self.hot else Poly()
        e = [
            [(u[i].d(b) + u[j].d(a)) * 0.5 - (swell if i == j else 0.0) for j, b in enumerate(axes)]
            for i, a in enumerate(axes)
        ]
        if self.radial:
            return e, u[0].over("x") - swell
        if self.geometry == "plane_strain":
            return e, Poly.of(self.normal_strain) - swell
        return e, None

    def _stress(self, key: Any, u: list[Poly]) -> list[list[Poly]]:
        (lam, mu), (e, n) = self._lame(key), self._strains(u)
        trace = sum((e[i][i] for i in range(self.dim)), Poly()) + (n if n is not None else 0.0)
        return [
            [e[i][j] * (2 * mu) + (trace * lam if i == j else 0.0) for j in range(self.dim)]
            for i in range(self.dim)
        ]

    def _normal_stress(self, key: Any) -> Poly:
        (lam, mu), (e, n) = self._lame(key), self._strains(self.u[key])
        assert n is not None
        return (sum((e[i][i] for i in range(self.dim)), Poly()) + n) * lam + n * (2 * mu)

    def _force(self, key: Any) -> list[Poly]:
        """Return b = -∇·σ."""
        stress = self.stress[key]
        found = [-sum((stress[i][j].d(AXES[j]) for j in range(self.dim)), Poly()) for i in range(self.dim)]
        if self.radial:
            # (σ_rr - σ_θ)/r = 2μ (u_r,r - u_r/r)/r, of which the bracket has r as factor
            _, mu = self._lame(key)
            u = self.u[key]
            found[0] = found[0] - (u[0].d("x") - u[0].over("x")).over("x") * (2 * mu)
            found[1] = found[1] - stress[0][1].over("x")
        return found

    def case(self) -> Case:
        """Return the case."""
        draw, body = self.draw, self.body
        promised, tolerance = solver(draw, ["displacement"], ("gamg",))
        deck: Tree = {"plexus": 1, "mesh": body.block(), "physics": self._physics(), **promised}
        exact = {
            f"displacement_{AXES[i]}": {key: self.u[key][i] for key in self.keys} for i in range(self.dim)
        }
        units = {"displacement": M}
        if self.coupled:
            exact["temperature"] = {None: self.heat}
            units["temperature"] = K
        self.found = Case(
            self.seed, self.family, deck, body, self.degree, exact, tolerance=tolerance, units=units
        )
        deck["boundary"] = self._boundary()
        # a force on a bar acts on 1 m of width
        self.found.scalable = not self.bare
        if self.ramped:
            deck["time"] = {
                "stepper": "quasistatic", "end": amount(self.end, S),
                "step": amount(self.end / draw.uniform(1, 3), S),
            }  # fmt: skip
        self._quantities()
        return self.found

    def _physics(self) -> Tree:
        draw = self.draw

        def pieces(values: dict[Any, float], d: Any) -> Any:
            if None in values:
                return amount(values[None], d)
            return {"regions": {key: amount(v, d) for key, v in values.items()}}

        material: Tree = {
            "young_modulus": pieces(self.young, PASCAL), "poisson_ratio": pieces(self.nu, ONE),
        }  # fmt: skip
        physics: Tree = {
            "type": "thermoelasticity" if self.coupled else "elasticity", "degree": self.degree,
            "geometry": self.geometry, "material": material,
        }  # fmt: skip
        if self.hot:
            material["expansion"] = {
                "coefficient": amount(self.alpha, times(ONE, K, -1)), "reference": amount(self.cold, K, True),
                "data_reference": amount(draw.uniform(270, 300), K, True),
            }  # fmt: skip
            if self.coupled:
                self.conductivity = 10 ** draw.uniform(-1, 2)
                material["conductivity"] = amount(self.conductivity, dims(1, 1, -3, -1))
            else:
                physics["temperature"] = Amount(self.heat, K, True)
        if self.dim < 3 and not self.radial:
            physics["thickness"] = amount(self.thickness, M)
        if self.normal_strain:
            physics["normal_strain"] = amount(self.normal_strain)
        self._loads(physics, material)
        return physics

    def _loads(self, physics: Tree, material: Tree) -> None:
        """Add b, a part of it as weight at will."""
        draw = self.draw
        force = {key: self._force(key) for key in self.keys}
        if draw.random() < 0.2:
            rho = 10 ** draw.uniform(2, 4)
            g = [draw.uniform(-10, 10) for _ in range(self.dim)]
            if self.radial:
                g[0] = 0.0
            material["density"] = amount(rho, dims(-3, 1))
            physics["gravity"] = [amount(v, dims(1, 0, -2)) for v in g]
            force = {
                key: [f - rho * v for f, v in zip(parts, g, strict=True)] for key, parts in force.items()
            }
        if any(f.terms for parts in force.values() for f in parts):
            physics["body_force"] = [
                by_region(draw, {key: force[key][i] for key in self.keys}, self.body, FORCE)
                for i in range(self.dim)
            ]

    def pull(self, side: str) -> list[dict[Any, Poly]]:
        """Return σ n at a side."""
        n = self.body.normal(side)
        return [
            {
                key: sum((self.stress[key][i][j] * float(n[j]) for j in range(self.dim)), Poly())
                for key in touching(self.body, side)
            }
            for i in range(self.dim)
        ]

    def _boundary(self) -> list[Tree]:
        draw, body = self.draw, self.body
        sides = draw.sample(body.sides, len(body.sides))
        if self.radial and body.ticks[0][0] == 0:
            sides.remove("left")
        held = draw.randint(1, max(1, len(sides) - 1))
        self.held, self.free = sides[:held], sides[held:]
        whole = [everywhere({key: self.u[key][i] for key in self.keys}, body, M) for i in range(self.dim)]
        if draw.random() < 0.3:
            found = [{"on": self.held, f"displacement_{AXES[i]}": whole[i]} for i in range(self.dim)]
        else:
            found = [{"on": side, "displacement": whole} for side in self.held]
        found += [self._side(side, whole) for side in self.free]
        if self.coupled:
            found += self._warmth(sides)
        if len(self.keys) > 1 and self.jumps:
            found.append(self._interface())
        return draw.sample(found, len(found))

    def _warmth(self, sides: list[str]) -> list[Tree]:
        """Return what holds the temperature: one side by its value, the others by their flows."""
        draw, body = self.draw, self.body
        found: list[Tree] = []
        for i, side in enumerate(draw.sample(sides, len(sides))):
            n = body.normal(side)
            flow = sum(
                (self.heat.d(AXES[j]) * (self.conductivity * float(n[j])) for j in range(self.dim)), Poly()
            )
            if i == 0 or draw.random() < 0.3:
                found.append({"on": side, "temperature": Amount(self.heat, K, True)})
            else:
                found.append({"on": side, "flux": Amount(flow, dims(0, 1, -3))})
        return found

    def _interface(self) -> Tree:
        body = self.body
        assert body.split is not None
        cut = body.ticks[0][body.split]
        gap = [(a - b).put(x=cut) for a, b in zip(self.stress["a"][0], self.stress["b"][0], strict=True)]
        on = {"interface": "mid", "from": self.draw.choice("ab")}
        return {"on": on, "traction": [Amount(g, PASCAL) for g in gap]}

    def _side(self, side: str, whole: list[Any]) -> Tree:
        """Return what holds on a side that is not held altogether."""
        draw, body, dim = self.draw, self.body, self.dim
        n, pull = body.normal(side), self.pull(side)
        keys = touching(body, side)
        kind = draw.choice(("traction", "pressure", "spring", "component", "normal", "traction", "force"))
        block: Tree = {"on": side}
        rest = [dict(p) for p in pull]
        if kind == "force":
            flat = all(
                not f.varies or (self.ramped and not f.put(t=1.0).varies) for p in pull for f in p.values()
            )
            # the share of a node on a radius, or on both regions, is that of an even load
            if flat and len(keys) == 1 and not self.radial:
                area = over_side(body, {key: Poly.of(1.0) for key in keys}, side)
                if area > 0:
                    block["force"] = [Amount(next(iter(p.values())) * area, NEWTON) for p in pull]
                    self.bare = self.dim == 1
                    return block
            kind = "traction"
        if kind == "pressure":
            push = largest(body, 1, pull[0], self.end) * draw.uniform(0.2, 2) or 1.0
            press = Poly.of(push) * (T * (1 / self.end) if self.ramped else 1.0)
            block["pressure"] = Amount(press, PASCAL)
            rest = [mapped(lambda f, i=i: f + press * float(n[i]), p) for i, p in enumerate(pull)]
        if kind == "spring":
            stiff = max(self.young.values()) / self._reach()
            along, across = stiff * draw.uniform(0.01, 1), draw.choice((0.0, stiff * draw.uniform(0.01, 1)))
            block["spring"] = {"normal": amount(along, SPRING), "tangential": amount(across, SPRING)}
            for key in keys:
                u = self.u[key]
                un = sum((u[i] * float(n[i]) for i in range(dim)), Poly())
                for i in range(dim):
                    rest[i][key] = rest[i][key] + u[i] * across + un * ((along - across) * float(n[i]))
        if kind == "component" and dim > 1:
            i = draw.randrange(dim)
            block[f"displacement_{AXES[i]}"] = whole[i]
            rest[i] = {key: Poly() for key in keys}
        if kind == "normal" and dim > 1:
            outward = {
                key: sum((self.u[key][i] * float(n[i]) for i in range(dim)), Poly()) for key in self.keys
            }
            block["normal"] = everywhere(outward, body, M)
        if any(f.terms for p in rest for f in p.values()):
            block["traction"] = [on_side(draw, p, body, side, PASCAL) for p in rest]
        elif len(block) == 1:
            block["traction"] = [amount(0.0, PASCAL) for _ in rest]
        return block

    def _quantities(self) -> None:
        draw, body, case = self.draw, self.body, self.found
        u = {key: [f.put(t=self.end) for f in self.u[key]] for key in self.keys}
        stress = {key: [[f.put(t=self.end) for f in row] for row in self.stress[key]] for key in self.keys}
        ones = {key: Poly.of(1.0) for key in self.keys}
        volume = over_body(body, ones)
        size = max(largest(body, self.degree, {None: f}) for parts in u.values() for f in parts)
        strong = max(largest(body, 1, {None: f}) for rows in stress.values() for row in rows for f in row)
        i, j = draw.randrange(self.dim), draw.randrange(self.dim)
        ask = case.quantity
        mean = over_body(body, {key: u[key][i] for key in self.keys}) / volume
        ask("mean_u", {"type": "mean", "of": f"displacement_{AXES[i]}"}, mean, M, size)
        part: Pieces = {key: stress[key][i][j] for key in self.keys}
        ask(
            "mean_s",
            {"type": "mean", "of": f"stress_{AXES[i]}{AXES[j]}"},
            over_body(body, part) / volume,
            PASCAL,
            strong,
        )
        big = strong**2 / min(self.young.values()) * volume
        ask("energy", {"type": "integral", "of": "energy_density"}, *self._energy(u, stress), big)
        if self.radial or self.geometry == "plane_strain":
            normal = {key: self._normal_stress(key).put(t=self.end) for key in self.keys}
            ask(
                "mean_n",
                {"type": "mean", "of": "normal_stress"},
                over_body(body, normal) / volume,
                PASCAL,
                strong,
            )
        place = body.inside(draw)
        at = [amount(v, M) for v in place]
        key = body.region_at(place)
        value = float(at_points(body, {None: u[key][i]}, np.array([place]), 0.0)[0])
        ask("there", {"type": "value", "of": f"displacement_{AXES[i]}", "at": at}, value, M, size)
        value = float(at_points(body, {None: stress[key][i][j]}, np.array([place]), 0.0)[0])
        if len(self.keys) == 1:
            ask(
                "stress_there",
                {"type": "value", "of": f"stress_{AXES[i]}{AXES[j]}", "at": at},
                value,
                PASCAL,
                strong,
            )
        self._supports(strong)

    def _energy(self, u: Any, stress: Any) -> tuple[float, Any]:
        total: dict[Any, Poly] = {}
        for key in self.keys:
            e, n = self._strains(u[key])
            work = sum(
                (stress[key][i][j] * e[i][j] for i in range(self.dim) for j in range(self.dim)), Poly()
            )
            if n is not None:
                work = work + self._normal_stress(key).put(t=self.end) * n
            total[key] = work * 0.5
        # a bar is 1 m wide in any world
        return over_body(self.body, total), times(JOULE, M, -int(self.dim == 1))

    def _supports(self, strong: float) -> None:
        """Ask for the force of all that is held, where no other side holds anything."""
        case, body = self.found, self.body
        loose = all(
            not any(k.startswith("displacement") or k == "normal" for k in b)
            for b in case.deck["boundary"]
            if b["on"] in self.free
        )
        if not loose:
            return
        for i in range(self.dim):
            whole = sum(over_side(body, at_time(self.pull(side)[i], self.end), side) for side in self.held)
            size = sum(
                over_side(body, {key: Poly.of(strong) for key in touching(body, side)}, side)
                for side in body.sides
            )
            block = {"type": "reaction", "of": "displacement", "on": self.held, "component": AXES[i]}
            case.quantity(f"held_{AXES[i]}", block, whole, times(NEWTON, M, -int(self.dim == 1)), size)
