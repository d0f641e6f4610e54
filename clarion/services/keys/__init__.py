"""API keys: made, listed and revoked, at the command line and on a page for administrators."""
