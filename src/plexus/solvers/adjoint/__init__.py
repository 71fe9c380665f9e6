"""Gradients through solves: one node of torch's graph per solve, whatever solves it."""
