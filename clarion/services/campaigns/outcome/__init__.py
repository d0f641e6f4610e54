"""What came of a campaign so far: who was asked and reached, by division, committee member and city."""
