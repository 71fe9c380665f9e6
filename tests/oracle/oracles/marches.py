"""Oracle: ordinary differential equations marched here with the same steps, one run or an ensemble of them.

runge_kutta:  u_(n+1) = u_n + dt Σ b_i k_i
theta:        u_(n+1) = u_n + dt f(θ u_(n+1) + (1-θ) u_n)
bdf2:         (1+2ω)/(1+ω) u_(n+1) - (1+ω) u_n + ω²/(1+ω) u_(n-1) = dt f(u_(n+1)), the first step by Euler
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from oracles.budgets import Budget
from oracles.cases import Tree
from oracles.running import Outcome
from oracles.shapes import Shape

NOWHERE = Shape("line", ((0.0, 1.0),), ((1.0,),), (0.0,))
"""A body for a model that has none."""
Rates = Callable[[np.ndarray], np.ndarray]
TABLEAUS: dict[str, tuple[list[list[float]], list[float]]] = {
    "classical": ([[], [1 / 2], [0, 1 / 2], [0, 0, 1]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
    "bogacki_shampine": ([[], [1 / 2], [0, 3 / 4]], [2 / 9, 1 / 3, 4 / 9]),
    "dormand_prince": (
        [
            [], [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9],
            [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
            [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
        ],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ),
}  # fmt: skip


def marched(seed: int) -> Budget:
    """Return Lorenz's chain or van der Pol's oscillator."""
    return _Marched(seed).case()


class _Marched:
    def __init__(self, seed: int):
        draw = self.draw = random.Random(f"marched{seed}")
        self.seed, self.chain = seed, draw.random() < 0.7
        self.members = draw.choice((None, 1, 2, 5))
        self.n = draw.randint(4, 12) if self.chain else 1
        self.forcing, self.mu = draw.uniform(-2, 9), draw.uniform(0.2, 3)
        self.kind = draw.choice(("runge_kutta", "runge_kutta", "theta", "bdf2"))
        self.method = draw.choice(list(TABLEAUS))
        self.theta = draw.choice((1.0, 0.5, draw.uniform(0.5, 1)))
        self.level = [draw.uniform(-1, 1) for _ in range(3)]
        if not self.chain:
            self.level[1] = 0.0

    def case(self) -> Budget:
        """Return the case."""
        draw, (a, b, c) = self.draw, self.level
        physics: Tree = {"type": "lorenz96", "n": self.n, "forcing": self.forcing}
        if not self.chain:
            physics = {"type": "van_der_pol", "mu": self.mu}
        step = draw.uniform(0.01, 0.04)
        stepper: Tree = {"type": self.kind}
        stepper |= {"runge_kutta": {"method": self.method}, "theta": {"theta": self.theta}}.get(self.kind, {})
        deck: Tree = {"plexus": 1, "physics": physics}
        deck["time"] = {"stepper": stepper, "end": step * draw.uniform(3, 30), "step": step}
        if self.kind == "runge_kutta" and self.method != "classical" and draw.random() < 0.4:
            deck["time"]["adaptive"] = {"tolerance": 10 ** draw.uniform(-8, -3)}
        if self.members is not None:
            deck["ensemble"] = {"members": self.members}
        start = f"{a!r} + ({b!r})*x" + (f" + ({c!r})*y" if self.members is not None else "")
        self.fields = ["state"] if self.chain else ["position", "lienard"]
        deck["initial"] = dict.fromkeys(self.fields, start)
        deck["quantities"] = self._quantities()
        found = Budget(self.seed, "marched", deck, NOWHERE)
        found.judge = self.judge
        return found

    def _quantities(self) -> Tree:
        """Return every value of every member, and what is made of all of them."""
        found: Tree = {}
        for name in self.fields:
            for m in range(self.members or 1):
                for i in range(self.n):
                    at = [i] if self.members is None else [i, m]
                    found[f"{name}_{m}_{i}"] = {"type": "value", "of": name, "at": at}
            found[f"{name}_mean"] = {"type": "mean", "of": name}
            found[f"{name}_largest"] = {"type": "maximum", "of": name}
        return found

    def _rates(self, u: np.ndarray) -> np.ndarray:
        """Return du/dt of all members, (M, unknowns)."""
        if self.chain:
            ahead, back, far = (np.roll(u, shift, 1) for shift in (-1, 1, 2))
            return np.asarray((ahead - far) * back - u + self.forcing)
        x, w = u[:, 0], u[:, 1]
        return np.column_stack([self.mu * (x - x**3 / 3 - w), x / self.mu])

    def _start(self) -> np.ndarray:
        a, b, c = self.level
        members = np.arange(self.members or 1)[:, None] * (c if self.members is not None else 0.0)
        count = self.n if self.chain else 2
        return a + b * np.arange(count)[None, :] * (1.0 if self.chain else 0.0) + members

    def _march(self, times: list[float]) -> list[np.ndarray]:
        """Return the states at the times of a run."""
        states, f = [self._start()], self._rates
        for n, dt in enumerate(np.diff(times)):
            u = states[-1]
            if self.kind == "runge_kutta":
                rows, weights = TABLEAUS[self.method]
                k: list[np.ndarray] = []
                for row in rows:
                    k.append(f(u + dt * weighted(row, k)))
                states.append(u + dt * weighted(weights, k))
            elif self.kind == "theta":
                stage = solved(lambda v, u=u, dt=dt: v - u - self.theta * dt * f(v), u)
                states.append(u + (stage - u) / self.theta)
            elif n == 0:
                states.append(solved(lambda v, u=u, dt=dt: v - u - dt * f(v), u))
            else:
                w, before = dt / (times[n] - times[n - 1]), states[-2]
                known = (1 + w) * u - w**2 / (1 + w) * before
                lead = (1 + 2 * w) / (1 + w)
                states.append(solved(lambda v, k=known, s=lead, dt=dt: s * v - k - dt * f(v), u))
        return states

    def judge(self, found: Outcome) -> list[str]:
        """Return which values are others than those that were marched here."""
        states, wrong = self._march([t for t, _ in found.history]), []
        loose = 1e-9 if self.kind == "runge_kutta" else 1e-6
        for (t, values), state in zip(found.history, states, strict=True):
            for i, name in enumerate(self.fields):
                part = state if self.chain else state[:, i : i + 1]
                due = {f"{name}_mean": part.mean(), f"{name}_largest": part.max()}
                due |= {f"{name}_{m}_{j}": v for (m, j), v in np.ndenumerate(part)}
                size = loose * max(1.0, float(np.abs(state).max()))
                wrong += [
                    f"t = {t}: {key} is {values[key]} instead of {v}"
                    for key, v in due.items()
                    if not abs(values[key] - v) <= size
                ]
        return wrong


def weighted(weights: list[float], slopes: list[np.ndarray]) -> Any:
    """Return a sum of slopes with weights, 0 without any."""
    return sum(w * k for w, k in zip(weights, slopes, strict=True))


def solved(equations: Any, guess: np.ndarray) -> np.ndarray:
    """Return the root of equations of each row (M, n), by Newton's method with differences."""
    u, n = guess.copy(), guess.shape[1]
    for _ in range(50):
        left = equations(u)
        if np.abs(left).max() < 1e-13 * max(1.0, np.abs(u).max()):
            break
        step = 1e-7
        slopes = np.stack([(equations(u + step * e) - left) / step for e in np.eye(n)], axis=-1)
        u = u - np.linalg.solve(slopes, left[..., None])[..., 0]
    return u
