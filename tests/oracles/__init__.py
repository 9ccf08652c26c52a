"""Each update rule as a function of NumPy; `reference` puts them to use."""
