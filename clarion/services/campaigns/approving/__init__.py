"""A division's part of a campaign is let go by who answers for the division: looked at, approved, rejected, stopped."""
