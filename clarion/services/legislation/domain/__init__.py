"""The rules: what a statement says, what holds of several, and what of it readers are to be told."""
