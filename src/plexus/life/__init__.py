"""Members of kind ``life``: how many cycles of load a material bears."""
