"""Members of kind ``sample``: fields that are drawn at random, the same on any ranks and any mesh."""
