"""What can go wrong with the embedded servers, said so that the reader can act."""


class EmbeddedError(RuntimeError):
    """An embedded server cannot be set up or started; the message says what to do."""


class DataDirInUse(EmbeddedError):
    """Another running process holds the data directory; its pid is in the message when known."""


class PortTaken(EmbeddedError):
    """The port that was asked for is in use by another program."""
