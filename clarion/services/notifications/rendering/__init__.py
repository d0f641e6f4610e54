"""Mail as bytes: what all recipients share is rendered once, the rest per recipient."""
