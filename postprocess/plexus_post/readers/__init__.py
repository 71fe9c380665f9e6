"""Results as arrays: files, meshes, histories, runs and sweeps."""
