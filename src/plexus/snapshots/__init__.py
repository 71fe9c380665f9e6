"""Members of kind ``snapshots``: where a reduction takes the displacements of its steps from."""
