"""Scaling studies: the points of finished runs, a model fitted to them, the picture of both."""
