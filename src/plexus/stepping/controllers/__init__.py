"""Members of kind ``controller``: how long the next time step is."""
