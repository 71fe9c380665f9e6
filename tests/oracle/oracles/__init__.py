"""Decks whose right answers are worked out without the program, and what judges their runs."""
