"""Lifts: fields that have the starting and boundary values of a problem, one family per file."""
