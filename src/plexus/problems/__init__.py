"""Members of kind ``problem``: linear systems A u = b."""
