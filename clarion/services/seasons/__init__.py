"""Long streams of updates made from a seed, and what legislation and campaigns make of them."""
