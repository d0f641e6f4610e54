"""Webinars and other events: seats, waiting list, and an answer to every request."""
