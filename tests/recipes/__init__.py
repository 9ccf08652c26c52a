"""Every recipe, run in front of everybody: `make recipes`."""
