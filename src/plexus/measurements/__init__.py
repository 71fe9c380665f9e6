"""Members of kind ``measurement``: what a run is compared with where controls are fitted."""
