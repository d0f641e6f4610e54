"""Mailboxes that get nothing more: looked up, added and removed by staff, and carried in and out as files."""
