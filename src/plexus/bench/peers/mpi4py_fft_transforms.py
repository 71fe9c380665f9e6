"""Forward and inverse transforms of batches of fields with mpi4py-fft on slabs; needs no plexus.

Usage: mpi4py_fft_transforms.py '{"cells": [...], "batch": n, "real": bool, "repetitions": n}', launched
or alone. Output and work arrays are made once, as the package recommends; plans are measured. The last line
of output is a JSON object with the seconds of every repetition (of the slowest rank), the mean square of the
modes and the largest error of the way back.
"""

from __future__ import annotations

import json
import math
import sys
import time

import mpi4py_fft
import numpy as np
from mpi4py import MPI


def main() -> None:
    """Measure and tell."""
    comm, job = MPI.COMM_WORLD, json.loads(sys.argv[1])
    cells, real = job["cells"], job["real"]
    axes = tuple(range(1, len(cells) + 1))
    plan = mpi4py_fft.PFFT(comm, (job["batch"], *cells), axes=axes, dtype=float if real else complex, slab=1)
    u, hat = mpi4py_fft.newDistArray(plan, False), mpi4py_fft.newDistArray(plan, True)
    back = mpi4py_fft.newDistArray(plan, False)
    x = np.meshgrid(*[np.arange(s.start, s.stop) for s in u.local_slice()], indexing="ij")
    # a smooth function of the global index that has no symmetry
    phase = sum((0.3 + 0.17 * i) * a for i, a in enumerate(x))
    u[:] = np.cos(phase) + (0 if real else 1j * np.sin(1.3 * phase))
    seconds = []
    for _ in range(job["repetitions"]):
        comm.Barrier()
        start = time.perf_counter()
        plan.forward(u, hat)
        plan.backward(hat, back)
        seconds.append(comm.allreduce(time.perf_counter() - start, MPI.MAX))
    # inside a halved axis a mode stands for two
    n = np.arange(hat.local_slice()[-1].start, hat.local_slice()[-1].stop)
    weight = np.where((n == 0) | (2 * n == cells[-1]) | (not real), 1, 2)
    square = comm.allreduce(float((np.abs(hat) ** 2 * weight).sum()))
    error = comm.allreduce(float(np.abs(back - u).max()), MPI.MAX)
    facts = {"seconds": seconds, "square": square, "error": error, "version": mpi4py_fft.__version__}
    if comm.rank == 0:
        print(json.dumps(facts | {"points": math.prod(cells)}))


main()
