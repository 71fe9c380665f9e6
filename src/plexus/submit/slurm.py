"""SLURM's commands, called without a shell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from plexus.errors import InputError

PATIENCE = 60.0
"""Seconds that a busy scheduler has for its answer."""


def submit(
    script: Path | str, options: Sequence[str] = (), arguments: Sequence[str] = (), **more: str
) -> str:
    """Submit a job script with arguments and return the job's id; ``more`` are variables of its environment.

    Raises
    ------
    InputError
        If SLURM is not there or refuses the job, with its reason.
    """
    # the new job must not inherit what SLURM has said about the job that submits it
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_") or k == "SLURM_CONF"}
    said = _call(["sbatch", "--parsable", *options, str(script), *arguments], {**environment, **more})
    return said.strip().partition(";")[0]


def requeue(job: str) -> None:
    """Put a running job back into the queue; SLURM ends its processes.

    Raises
    ------
    InputError
        If SLURM refuses, e.g. because the site forbids it.
    """
    _call(["scontrol", "requeue", job], dict(os.environ))


def _call(command: Sequence[str], environment: dict[str, str]) -> str:
    """Return what a command of SLURM prints."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment
        )
    except FileNotFoundError:
        text = "SLURM is not installed here; --print shows the job script, --profile workstation runs it here"
        raise InputError(f"{command[0]} is not found: {text}") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"{command[0]} has not answered for {PATIENCE:g} s") from None
    if done.returncode:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise InputError(f"{command[0]} refuses: {reason.removeprefix(f'{command[0]}: error: ')}")
    return done.stdout
