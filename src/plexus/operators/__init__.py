"""Operators: maps from fields to fields, learned or fitted, that stand for what a solver computes."""
