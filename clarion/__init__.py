"""Clarion: an event-driven advocacy and grassroots-campaign engine for an association of cities."""
