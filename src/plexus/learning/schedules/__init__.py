"""Members of kind ``schedule``: how a learning rate changes over the steps of a stage."""
