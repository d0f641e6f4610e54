"""What services and integrations say to one another: events, topics and their attributes. Pure, no I/O."""
