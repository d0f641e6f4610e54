"""Campaigns that somebody starts, and those that follow from what became of a bill."""
