"""Trained models in one file: weights, what they were trained for, and how good they are."""
