"""What can go wrong at the edge, in the one tree of tap_api.errors."""

from tap_api.errors import TapError


class ClusterError(TapError):
    """The apiserver refused a request, or could not be asked.

    Attributes:
        status: The HTTP status; 0 where there was no answer.
        reason: One word, such as `Forbidden` or `Unreachable`.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        """Args: status and reason as the attributes say, and the apiserver's message."""
        self.status = status
        self.reason = reason
        super().__init__(message)


class LeaseLostError(TapError):
    """This replica may no longer act; it ends, and another one takes over."""
