"""The operators' pages: what runs, what waits, what could not be handled; for whoever sits at this machine."""
