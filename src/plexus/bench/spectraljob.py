"""What `plexus.bench.fft` starts in processes of their own: our side of its comparisons.

Usage: ``python -m plexus.bench.spectraljob transforms|march JOB``, JOB a JSON object. The last line of output
is a JSON object with the seconds of every repetition.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from typing import Any

import numpy as np
import torch

from plexus.fields.keys import Key
from plexus.models.suspension.passive import Memory
from plexus.spaces.fourier import Fourier
from plexus.stepping.march import march as march_states


def transforms(job: dict[str, Any]) -> dict[str, Any]:
    """Transform a batch of fields forth and back, on all ranks; seconds are those of the slowest one."""
    from mpi4py import MPI

    comm, real = MPI.COMM_WORLD, job["real"]
    space = Fourier(job["cells"], [1.0] * len(job["cells"]), comm, real=real)
    # a smooth function of the global index that has no symmetry
    index = [torch.arange(job["batch"], dtype=torch.float64)]
    index += [torch.arange(n, dtype=torch.float64) for n in job["cells"]]
    phase = sum((0.3 + 0.17 * i) * x for i, x in enumerate(torch.meshgrid(*index, indexing="ij")))
    assert isinstance(phase, torch.Tensor)
    whole = torch.cos(phase) if real else torch.complex(torch.cos(phase), torch.sin(1.3 * phase))
    u, seconds = space.own(whole).contiguous(), []
    for _ in range(job["repetitions"]):
        comm.Barrier()
        start = time.perf_counter()
        hat = space.forward(u)
        back = space.inverse(hat)
        seconds.append(comm.allreduce(time.perf_counter() - start, MPI.MAX))
    square = float(space.power(hat).sum())
    return {"seconds": seconds, "square": square, "error": float(space.max((back - u).abs()).max())}


def march(job: dict[str, Any]) -> dict[str, Any]:
    """March the active fluid with the Bingham closure, first to a state that the other side starts from."""
    from plexus import registry
    from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

    n, dt = job["cells"], job["step"]
    fluid, closure = registry.component("physics", "active_fluid"), registry.component("closure", "bingham")
    space = Fourier((n, n), (job["length"],) * 2)
    physics = fluid.cls(fluid.params.model_validate({"order": 1, **job["medium"]}))
    model = physics.model(space, closure.cls(closure.params()))
    stepper, seconds = Sbdf2(Sbdf2Params()), []
    states = march_states(model, stepper, model.initial(), dt)
    *_, state = islice(states, job["ahead"] + 1)
    memory = Memory.unpacked(model.memory()["strain"])
    _store(job["state"], state.values[model.unknown], stepper.history()[1], memory)
    for count in range(job["steps"]):
        start = time.perf_counter()
        state = next(states)
        if count >= job["untimed"]:
            seconds.append(time.perf_counter() - start)
    np.save(job["result"], state.values[model.unknown].numpy())
    return {"seconds": seconds}


def _store(path: str, hat: torch.Tensor, history: dict[Key, torch.Tensor], memory: Memory) -> None:
    """Write a march under way, as the peer reads it."""
    earlier = {key.label: array.numpy() for key, array in history.items()}
    np.savez(
        path, hat=hat.numpy(), before=earlier["value"], rates=earlier["explicit"],
        strain=memory.e.numpy(), strain_before=memory.e_before.numpy(),
    )  # fmt: skip


def main() -> None:
    """Do the job and tell."""
    torch.set_num_threads(1)
    job = json.loads(sys.argv[2])
    with torch.no_grad():
        facts = {"transforms": transforms, "march": march}[sys.argv[1]](job)
    from mpi4py import MPI

    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(facts))


if __name__ == "__main__":
    main()
