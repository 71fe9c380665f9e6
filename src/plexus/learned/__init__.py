"""Learned parts, whatever they stand for: ports, range, guard, fallback, bundle, checks before a run."""
