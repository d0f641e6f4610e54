"""What makes a whole import impossible, in words for the person who started it."""


class UnreadableFile(Exception):
    """A file cannot be taken as what it was given for: missing, empty, another encoding or without a needed column."""
