"""Proposals: what a new feed's definitions may look like, told from samples, for a person to finish."""
