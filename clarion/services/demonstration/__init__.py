"""`clarion demo`: what Clarion does, shown once on an embedded stack of its own and checked mail by mail."""
