"""Reduced models: what their files tell, and pictures of it."""
