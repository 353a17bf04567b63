"""What can go wrong with the embedded servers, in words for the person at the terminal."""


class EmbeddedError(RuntimeError):
    """The embedded servers cannot do what was asked; the message says why and what to do."""
