"""Wordings of mail that staff write: sandboxed sources of which one becomes both HTML and text, kept by version."""
