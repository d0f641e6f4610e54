"""The console for campaigns: what is open, what waits for whom, and each division's wave, on pages for staff."""
