"""Trained parts in one file: weights, what they were trained for, how good they are, and what they answer."""
