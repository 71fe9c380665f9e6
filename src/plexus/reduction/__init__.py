"""Reduced-order modelling: bases of fields, cubature of what they span, and the file that keeps both."""
