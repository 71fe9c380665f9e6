"""How the experts of different tiles are one field, one way per file."""
