"""Looks at everything an installation stands on, changes nothing, sends nothing, and says what to do."""
