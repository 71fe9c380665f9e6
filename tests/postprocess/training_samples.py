"""Hand-made folders of trainings: histories, validation and deck as `plexus train` writes them."""

import json

import h5py
import numpy as np

DECK = (
    "plexus: 1\nabout: {{title: Law}}\nclosure: {{type: net, width: {width}, seed: {seed}}}\n"
    "train:\n  seed: {seed}\n  data: {{type: kinetic, frames: {{every: {every}}}}}\n"
    "  stages: [{{type: fit, optimizer: {{type: adam}}}}, {{type: unrolled, optimizer: lbfgs}}]\n"
    "  validation: {{type: kinetic, frames: {{every: {judged}}}}}\n"
)


def rows(stages=(30, 10)):
    """Return the history of stages with so many rows: losses 1/step, gradients twice that."""
    step = np.arange(1.0, sum(stages) + 1)
    stage = np.repeat(np.arange(len(stages)), stages).astype(float)
    return {"step": step, "time": 0.1 * step, "stage": stage, "loss": 1 / step, "rate": 0 * step + 1e-3,
            "gradient": 2 / step}  # fmt: skip


def training(folder, error=0.02, samples=20, width=8, seed=0, judged=1, history=None, status="done"):
    """Write a folder of a training whose rival errs by 0.04 in f2 and 0.01 in f3; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deck.yaml").write_text(DECK.format(width=width, seed=seed, every=100 / samples, judged=judged))
    table = [
        {
            "case": {"alpha": -3.0, "seed": k},
            "metric": metric,
            "value": error,
            "baselines": {"bingham": rival},
        }
        for metric, rival in (("f2", 0.04), ("f3", 0.01))
        for k in (1, 2)
    ]
    figures = {"validation": error, "rival": 0.025, "validation.f2 error": error, "rival.f2 error": 0.04}
    told = {"status": status, "exit_code": 0, "frames": samples, "validation": table, "quantities": figures}
    (folder / "summary.json").write_text(json.dumps(told))
    with h5py.File(folder / "series.h5", "w") as file:
        for name, column in (rows() if history is None else history).items():
            file[f"training/{name}"] = column
        file["training/time"].attrs["unit"] = np.bytes_("s")
    return folder
