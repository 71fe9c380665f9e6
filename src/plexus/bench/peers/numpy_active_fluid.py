"""One step of the active fluid with the Bingham closure, straightforward NumPy and pyFFTW; needs no plexus.

Usage: numpy_active_fluid.py JOB.json. The job holds medium, box, time step, numbers of steps, and the file of
a march under way: modes now and before, modes of the rates before, the two last strain rates. The last line
of output is a JSON object with the seconds of every timed step; the modes at the end go into the job's file
``result``. The scheme is the one that Plexus runs: semi-implicit BDF2, two-thirds rule, strain rate in the
stress from one sweep that starts from the two strain rates before. Without pyFFTW the transforms are NumPy's.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np

try:
    import pyfftw

    pyfftw.interfaces.cache.enable()
    pyfftw.interfaces.cache.set_keepalive_time(3600)
    pyfftw.config.NUM_THREADS = 1
    pyfftw.config.PLANNER_EFFORT = "FFTW_MEASURE"
    fft: Any = pyfftw.interfaces.numpy_fft
    LIBRARY = f"pyFFTW {pyfftw.__version__}"
except ImportError:
    fft, LIBRARY = np.fft, f"NumPy {np.__version__}"


def bessel_ratios(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return I_1/I_0 and I_2/I_0 by the trapezoidal rule, exact to rounding for periodic functions."""
    angle = np.arange(256) * (2 * np.pi / 256)
    weight = np.exp(np.minimum(x, 700)[:, None] * (np.cos(angle) - 1))
    total = weight.sum(1)
    return (weight * np.cos(angle)).sum(1) / total, (weight * np.cos(2 * angle)).sum(1) / total


class ActiveFluid:
    """Concentration and first moment on an n x n grid."""

    def __init__(self, job: dict[str, Any]):
        self.__dict__.update(job["medium"])
        n, length, self.dt = job["cells"], job["length"], job["step"]
        numbers = np.fft.fftfreq(n, 1 / n)
        kx, ky = np.meshgrid(*[numbers * 2 * np.pi / length] * 2, indexing="ij")
        self.ikx, self.iky, self.k2 = 1j * kx, 1j * ky, kx**2 + ky**2
        one = np.abs(numbers) * 3 < n
        self.mask = one[:, None] & one[None, :]
        inverse = np.where(self.k2 > 0, 1 / np.where(self.k2 > 0, self.k2, 1), 0) * self.mask
        self.inverse2, self.a, self.b = inverse**2, kx**2 - ky**2, 2 * kx * ky
        linear = np.stack([-self.d_T * self.k2, -self.d_T * self.k2 - 4 * self.d_R])
        self.linear, self.divisor = linear, 1 / (1.5 - self.dt * linear)
        lam = np.concatenate([np.linspace(0, 20, 4000), np.geomspace(20.01, 700, 4000)])
        self.table = bessel_ratios(lam)
        with np.load(job["state"]) as state:
            # the file's modes are means over the grid, NumPy's are sums
            self.hat, self.before, self.now = (n * n * state[key] for key in ("hat", "before", "rates"))
            self.e = [state["strain_before"], state["strain"]]

    def second_moment(self, c: np.ndarray, f1: np.ndarray) -> np.ndarray:
        """Return f_2 = c G(r) (f_1/|f_1|)²."""
        size = np.abs(f1)
        r = np.minimum(size / c, 1)
        return c * np.interp(r, *self.table) * (f1 / np.maximum(size, 1e-300)) ** 2

    def flow(self, stress: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return u, v, half the vorticity and the strain rate that a stress drives."""
        real, imaginary = fft.fft2(stress.real), fft.fft2(stress.imag)
        psi = (self.b * real + self.a * imaginary) * self.inverse2 / 2
        u = fft.ifft2(self.iky * psi).real
        v = fft.ifft2(-self.ikx * psi).real
        w = fft.ifft2(self.k2 / 2 * psi).real
        e = fft.ifft2(-self.b / 2 * psi).real - 1j * fft.ifft2(self.a / 2 * psi).real
        return u, v, w, e

    def explicit(self, hat: np.ndarray) -> np.ndarray:
        """Return the modes of advection and rotation."""
        c, f1 = fft.ifft2(hat[0]).real, fft.ifft2(hat[1])
        f2 = self.second_moment(c, f1)
        half, fixed = self.beta / 2, (self.alpha - self.zeta * self.beta / 2 * c) * f1

        def sweep(e: np.ndarray) -> tuple[np.ndarray, ...]:
            g = e + self.zeta * f1
            stress = fixed + half * (c * e + np.conj(g) * f2) - half * e
            return self.flow(stress / (1 + self.beta / 8))

        u, v, w, e = sweep(2 * self.e[1] - self.e[0])
        self.e = [self.e[1], e]
        g = e + self.zeta * f1
        rates = -self.ikx * fft.fft2(u * c) - self.iky * fft.fft2(v * c)
        rotation = fft.fft2(g * c - np.conj(g) * f2 - 2j * w * f1)
        rates1 = -self.ikx * fft.fft2(u * f1) - self.iky * fft.fft2(v * f1) + rotation
        return np.stack([rates, rates1]) * self.mask

    def step(self) -> None:
        """Take one step of the semi-implicit BDF2 method."""
        rates = self.explicit(self.hat)
        new = 2 * self.hat - self.before / 2 + self.dt * (2 * rates - self.now)
        self.before, self.now, self.hat = self.hat, rates, new * self.divisor


def main() -> None:
    """March and tell."""
    with open(sys.argv[1]) as file:
        job = json.load(file)
    fluid, seconds = ActiveFluid(job), []
    for n in range(job["steps"]):
        start = time.perf_counter()
        fluid.step()
        if n >= job["untimed"]:
            seconds.append(time.perf_counter() - start)
    np.save(job["result"], fluid.hat / job["cells"] ** 2)
    print(json.dumps({"seconds": seconds, "library": LIBRARY}))


main()
