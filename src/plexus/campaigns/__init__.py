"""Campaigns: draws of a random field marched by one reduced model, with a row of numbers for each."""
