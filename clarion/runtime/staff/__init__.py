"""Who acts for the association, what they may, and the record of what was done."""
