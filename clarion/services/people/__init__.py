"""What is kept about a person, in all services at once: handing it out, and erasing it."""
