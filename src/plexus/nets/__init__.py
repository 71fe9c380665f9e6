"""Pure torch networks: no physics, no files, no MPI."""
