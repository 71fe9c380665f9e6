"""The block `train` as earlier versions wrote it, for kinetic runs alone, in words of today.

=================================== ============================================
earlier                             today
=================================== ============================================
`cases`, `frames`, `moments`        `data: {type: kinetic, cases, frames, moments}`
`validation: [...]`                 `validation: {type: kinetic, cases: [...]}`
`validation_frames`                 `validation: {frames}`
`mode: offline` of a stage          `type: fit`; the other modes keep their names
`rate`, `final_rate` of a stage     `optimizer: {type: adam, rate, final_rate}`
`balance` of a stage                `loss: {type: relative_l2, balance}`
=================================== ============================================
"""

from __future__ import annotations

from typing import Any

from plexus.deck.values import refuse

MOVED = ("cases", "frames", "moments")
VALIDATION = "validation_frames"
Block = dict[str, Any]


def former(train: Block) -> Block:
    """Return a block `train` in words of today; one that is so already is returned as it is.

    Raises
    ------
    PydanticCustomError
        With the new place of an earlier key that stands beside today's.
    """
    found = {key: train[key] for key in (*MOVED, VALIDATION) if key in train}
    if "data" in train:
        for key in found:
            new = "train.validation.frames" if key == VALIDATION else f"train.data.{key}"
            raise refuse(f"{key}: now stands at {new}")
        return train
    if not found:
        return train
    rest = {key: value for key, value in train.items() if key not in found}
    rest["data"] = {"type": "kinetic", **{key: found[key] for key in MOVED if key in found}}
    rest["validation"] = _validation(train.get("validation"), found.get(VALIDATION))
    if "stages" in train:
        stages = train["stages"]
        rest["stages"] = [_stage(stage) for stage in (stages if isinstance(stages, list) else [stages])]
    return rest


def _validation(cases: Any, frames: Any) -> Any:
    """Return the block of a list of cases, None for an empty one."""
    if not isinstance(cases, list):
        return cases
    return (
        {"type": "kinetic", "cases": cases, **({"frames": frames} if frames is not None else {})}
        if cases
        else None
    )


def _stage(stage: Any) -> Any:
    """Return a stage whose method was its `mode`."""
    if not isinstance(stage, dict) or "type" in stage:
        return stage
    mode = stage.get("mode", "offline")
    moved = ("mode", "rate", "final_rate", "balance")
    found = {"type": "fit" if mode == "offline" else mode} | {
        k: v for k, v in stage.items() if k not in moved
    }
    if (mode != "infer" and {"rate", "final_rate"} & stage.keys()) or mode == "unrolled":
        rates = {k: stage[k] for k in ("rate", "final_rate") if k in stage}
        clip = {"clip": 1.0} if mode == "unrolled" else {}
        found["optimizer"] = {"type": "adam", **rates, **clip}
    if "balance" in stage:
        found["loss"] = {"type": "relative_l2", "balance": stage["balance"]}
    return found
