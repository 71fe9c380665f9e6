"""Reading, plotting and comparing the results of Plexus runs, without MPI, PETSc or torch."""

from plexus_post.errors import PostError
from plexus_post.readers.run import Run, open

__all__ = ["PostError", "Run", "open"]
