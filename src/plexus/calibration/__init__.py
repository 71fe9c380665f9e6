"""Fitting the controls of a deck to measurements: misfit, methods, and what the data leave open."""
