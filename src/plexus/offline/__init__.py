"""Making of reduced models: snapshots of a run, basis, cubature."""
