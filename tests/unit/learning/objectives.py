"""Losses whose minima are known, and a way to go down them."""

import torch

from plexus import registry
from plexus.learning.objective import Objective
from plexus.learning.team import Team


class Function(Objective):
    """A sum of squares of some residuals of one vector."""

    def __init__(self, residuals, start):
        self.residuals, self.values = residuals, []
        self.x = torch.tensor(start, dtype=torch.float64, requires_grad=True)

    def rows(self, step):
        found = self.residuals(self.x)
        self.values.append(float(found.detach().square().sum()))
        return found

    def evaluations(self, level):
        """Return how many evaluations it took to come below a level for the first time."""
        return next((n for n, value in enumerate(self.values, 1) if value <= level), 10**6)

    def part(self, step):
        return self.rows(step).square().sum()


def rosenbrock(x):
    """Return 10 (x_(2i) - x_(2i-1)²) and 1 - x_(2i-1); zero at ones."""
    return torch.cat([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


def powell(x):
    """Return the residuals of Powell's singular function; zero at zero, where the Hessian is singular."""
    return torch.stack([x[0] + 10 * x[1], 5**0.5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2,
                        10**0.5 * (x[0] - x[3]) ** 2])  # fmt: skip


def exponentials(x):
    """Return a misfit of two exponentials to exact data of exp(-t) and 0.5 exp(-4 t)."""
    t = torch.linspace(0, 3, 31, dtype=torch.float64)
    return x[0] * torch.exp(-x[1] * t) + x[2] * torch.exp(-x[3] * t) - (-t).exp() - 0.5 * (-4 * t).exp()


def stiff(x):
    """Return residuals of a quadratic bowl of condition 1e8 with a weak quartic."""
    weights = torch.logspace(0, 4, len(x), dtype=torch.float64)
    return torch.cat([weights * (x - 1), 0.1 * (x - 1) ** 2])


def made(name, objective, **given):
    """Return a started optimiser."""
    member = registry.component("optimizer", name)
    optimizer = member.cls(member.params.model_validate(given))
    optimizer.start({"x": objective.x}, Team())
    return optimizer


def descended(name, objective, steps, **given):
    """Return the losses of some steps."""
    optimizer, found = made(name, objective, **given), []
    for step in range(steps):
        found.append(optimizer.step(objective, step, steps))
        if optimizer.settled:
            break
    return found
