"""Clusters of simulations by the angles between their fields, from one Gram matrix."""
