"""The wordings of mail for staff: looked at, edited, tried out; and any mail as its sender would write it."""
