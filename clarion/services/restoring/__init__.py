"""After a restore: nothing that may have been sent since the dump is sent again, and nothing is lost in silence."""
