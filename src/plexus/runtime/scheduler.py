"""What a batch system tells about the job that this process is part of."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime

END = "SLURM_JOB_END_TIME"
"""End of the job in seconds since the epoch; SLURM sets it from version 23 on, our job scripts set it too."""
JOB = "SLURM_JOB_ID"
PATIENCE = 20.0
"""Seconds that an overloaded scheduler has for its answer."""


def end_of_job() -> float | None:
    """Return when this job will be ended [s since the epoch]; None without a job or without a limit.

    The environment is asked first, then SLURM itself (``squeue``, one short process).
    """
    told = os.environ.get(END, "")
    if told.isdigit():
        return float(told)
    job = os.environ.get(JOB, "")
    return _ask(job) if job.isdigit() else None


def _ask(job: str) -> float | None:
    """Return the end of a job as ``squeue`` tells it, in local time; None if it does not."""
    command = ["squeue", "--noheader", "--jobs", job, "--format", "%e"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        # an array lists each of its tasks; a job id names one of them
        return datetime.fromisoformat(said.stdout.split()[0]).timestamp()
    # no SLURM commands on this node, no answer, or an end such as `N/A`: the deck's limit remains
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError):
        return None
