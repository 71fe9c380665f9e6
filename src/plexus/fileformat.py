"""Names inside the files that Plexus writes; shared by the writers and by ``plexus_post``.

This module imports nothing, so that results can be read where there is no MPI, PETSc or torch.
"""

FORMAT_VERSION = 1
"""Raised when a reader of the previous version would misread a file."""

META = "/plexus"
"""Group beside ``/VTKHDF`` (and root of our own files) that holds metadata and provenance."""

DECK, SUMMARY, PROGRESS, LOG = "deck.yaml", "summary.json", "progress.json", "log.txt"
LOG_VIEW = "log_view.txt"
"""PETSc's own log with a stage per phase, on request."""
LOCK = ".lock"
"""Locked by the process that writes into a run folder, for as long as it lives; holds its host's name."""
FIELDS, XDMF, SERIES = "fields.vtkhdf", "fields.xdmf", "series.h5"
CHECKPOINT = "checkpoint_{step:08d}.h5"
TRAINING = "training.safetensors"
"""The checkpoint of a training."""
SWEEP, MEMBER = "sweep.json", "member_{index:04d}"
"""What a sweep consists of, and the folder of each of its runs."""
PARTIAL = ".partial"
"""Suffix of a file that is still being written; a rename removes it when the file is complete."""
