"""Pictures of runs and sweeps.

Special pictures are found by their files, in the folders `fields` (of fields that mean more than their
numbers) and `histories` (of certain tables) of any room. `shapes` has a file for each dimension of meshes.
"""
