"""Members of kind ``reduction``: what `plexus reduce` makes of a deck's run."""
