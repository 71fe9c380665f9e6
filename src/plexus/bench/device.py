"""Spectral runs on the GPU, if there is one: steps per second, transfers per step, share of memory bandwidth.

The kinetic theory on 256² points and 256 angles and the moment models on 256² points, semi-implicit BDF2.
Without a GPU the same code runs in small on the CPU and says so. Transfers are copies between host and
device that a profiler sees in a steady step, beside those that Plexus itself counts; on one GPU there must be
none. The share of the memory bandwidth is what all operations of a step read and write, a transform once
per axis, over what a copy of a large array moves in the same time. On the CPU it says what torch would have
to move: compiled passes move less, and a small problem stays in the cache.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from plexus import registry
from plexus.bench.table import Row
from plexus.devices.binding import gpus
from plexus.devices.transfers import transfers
from plexus.models.suspension import pointwise
from plexus.spaces import transforms
from plexus.spaces.fourier import Fourier
from plexus.stepping import combine

BOX, STEP = 10.0, 0.001
MEDIUM = {"alpha": -3.0, "beta": 0.8, "zeta": 1.0, "d_T": 0.05, "d_R": 0.05}
CASES: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "kinetic": ("active_fluid_kinetic", {}, None),
    "hierarchy, 20 moments": ("active_fluid", {"order": 20}, None),
    "one moment, Bingham": ("active_fluid", {"order": 1}, "bingham"),
    "two moments, autoregressive": ("active_fluid", {"order": 2}, "autoregressive"),
}
"""Item -> (physics, its parameters, closure)."""


@dataclass(frozen=True)
class Place:
    """Where the runs take place, and their size."""

    device: str
    name: str
    cells: int
    angles: int
    steps: int


def run(place: Place | None = None) -> list[Row]:
    """Measure all cases on the first GPU; without one, or with a ``place`` of the caller's, there."""
    place = place or here()
    with torch.no_grad():
        ceiling = bandwidth(place)
        rows = [Row(f"{place.name}: copy of a large array", ceiling / 1e9, "GB/s")]
        for item in CASES:
            rows += measure(item, place, ceiling)
    return rows


def here() -> Place:
    """Return the first GPU with the full size, or the CPU with a small one."""
    found = gpus()
    if found:
        return Place("cuda:0", found[0].name, 256, 256, 200)
    return Place("cpu", "CPU, dry run", 48, 32, 10)


def measure(item: str, place: Place, ceiling: float) -> list[Row]:
    """Return the rows of one case."""
    n = place.cells
    label = f"{item}, {n}²" + (f" x {place.angles}" if item == "kinetic" else "")
    step = stepper_of(item, place)
    for _ in range(5):
        step()
    moved = traffic(step)
    copies = profiled_copies(step, place)
    before = transfers.to_device + transfers.to_host
    seconds = timed(step, place)
    counted = (transfers.to_device + transfers.to_host - before) / place.steps
    share = moved / seconds / ceiling
    return [
        Row(f"{label}: steps", 1 / seconds, "1/s", peer=place.name),
        Row(f"{label}: copies per step", copies + counted, "", 0, copies + counted == 0, "host and device"),
        Row(f"{label}: memory bandwidth", 100 * share, "%", peer=f"{moved / 1e6:.4g} MB per step"),
    ]


def stepper_of(item: str, place: Place) -> Callable[[], object]:
    """Return a function that advances a run by one step."""
    from plexus.stepping.march import march
    from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

    name, parameters, closure = CASES[item]
    if name == "active_fluid_kinetic":
        parameters = {"angles": place.angles}
    physics = registry.component("physics", name)
    fluid = physics.cls(physics.params.model_validate({**MEDIUM, **parameters}))
    closing = None
    if closure:
        member = registry.component("closure", closure)
        closing = member.cls(member.params.model_validate({}))
    model = fluid.model(Fourier((place.cells,) * 2, (BOX, BOX), device=place.device), closing)
    states = march(model, Sbdf2(Sbdf2Params()), model.initial(), STEP)
    next(states)  # the start
    return lambda: next(states)


def timed(step: Callable[[], object], place: Place) -> float:
    """Return the seconds of a steady step."""
    wait(place)
    start = time.perf_counter()
    for _ in range(place.steps):
        step()
    wait(place)
    return (time.perf_counter() - start) / place.steps


def wait(place: Place) -> None:
    """Let the device finish."""
    if place.device != "cpu":
        torch.cuda.synchronize(place.device)


def bandwidth(place: Place) -> float:
    """Return the bytes per second that a copy of a large array reads and writes, the best of ten."""
    source = torch.ones((1 << 30 if place.device != "cpu" else 1 << 27) // 8, dtype=torch.float64)
    source = source.to(place.device)
    target, best = torch.empty_like(source), math.inf
    for _ in range(10):
        wait(place)
        start = time.perf_counter()
        target.copy_(source)
        wait(place)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best


def profiled_copies(step: Callable[[], object], place: Place) -> float:
    """Return the copies between host and device per step that the profiler sees; 0 on the CPU."""
    if place.device == "cpu":
        return 0.0
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(4):
            step()
        wait(place)
    names = ("Memcpy HtoD", "Memcpy DtoH")
    return sum(e.count for e in profile.key_averages() if e.key.startswith(names)) / 4


def traffic(step: Callable[[], object]) -> float:
    """Return the bytes that the operations of one step read and write."""
    with by_torch(), Traffic() as found:
        step()
    return found.bytes


class Traffic(TorchDispatchMode):
    """Adds up the sizes of what operations read and write; views move nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0.0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation and count it."""
        result = function(*args, **(kwargs or {}))
        if not function.is_view and "empty" not in str(function):
            name, passes = str(function), 1
            if "_fft_" in name:
                passes = len(args[1])  # a transform goes through memory once per axis
            self.bytes += passes * (sum(tensors(args)) + sum(tensors(result)))
        return result


def tensors(value: Any) -> Iterator[int]:
    """Yield the bytes of all tensors in arguments or results; repeated values count once."""
    if isinstance(value, torch.Tensor):
        yield value.element_size() * math.prod(
            n for n, s in zip(value.shape, value.stride(), strict=True) if s
        )
    elif isinstance(value, list | tuple):
        for each in value:
            yield from tensors(each)


@contextmanager
def by_torch() -> Iterator[None]:
    """Let everything be operations of torch, which the mode can see."""
    modules: tuple[Any, ...] = (transforms, pointwise, combine)
    kept = [module._ready for module in modules]
    for module in modules:
        module._ready = lambda: False
    try:
        yield
    finally:
        for module, ready in zip(modules, kept, strict=True):
            module._ready = ready
