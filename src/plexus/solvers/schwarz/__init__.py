"""Additive Schwarz on subdomains that know no ranks, with a coarse space."""
