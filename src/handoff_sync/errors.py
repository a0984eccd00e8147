"""The error tree: the class says who must act, the message what to do.

Nothing in a message may hold a secret, a request body or words of a customer.
"""


class HandoffError(Exception):
    """Anything that this product raises on purpose."""


# --- the operator must act -------------------------------------------------------------------


class ConfigurationError(HandoffError):
    """A setting is wrong or missing. `problems` lists every one, each with its fix."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class VendorAuthError(HandoffError):
    """The helpdesk refused our credentials or scopes (401, 403). Stops the connection until someone acts."""


class NotReady(HandoffError):
    """A service that we need (database, disk) cannot take work now. The caller may repeat."""

    def __init__(self, message: str, retry_after_s: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


# --- time will help: try again ----------------------------------------------------------------


class VendorDown(HandoffError):
    """The helpdesk did not do it and said so (5xx before any effect, refused connection). Safe to repeat."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(VendorDown):
    """A limit was reached; nothing was executed.

    `scope` says whose: `ticket` parks one lane, `connection` pauses the whole connection.
    """

    def __init__(self, message: str, retry_after_s: float, scope: str = "connection") -> None:
        super().__init__(message, retry_after_s)
        self.retry_after_s: float = retry_after_s
        self.scope = scope


class OutcomeUnknown(HandoffError):
    """A write was sent and no believable answer came. Look before repeating."""


# --- nobody can make this call succeed: permanent ----------------------------------------------


class VendorRejected(HandoffError):
    """The helpdesk refused this very request (400, 422). Repeating it cannot help."""


class TicketGone(VendorRejected):
    """The ticket is deleted or was never there (404, 410)."""


class TicketClosed(VendorRejected):
    """The ticket is final and takes no more comments; a follow-up ticket can."""


class TicketFull(VendorRejected):
    """The ticket cannot hold another comment; a follow-up ticket can."""


class FileUnavailable(HandoffError):
    """A file cannot be had or passed on, and time will not help. `reason` goes on after "not attached: "."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The file cannot be had: {reason}.")
        self.reason = reason


class FileTooLarge(FileUnavailable):
    """More bytes than are allowed came, or were announced."""


# --- something came in that we do not understand or accept --------------------------------------


class UnrecognisedPayload(HandoffError):
    """A payload has a shape or a value that we do not know; the message names the path."""


class WebhookRefused(HandoffError):
    """A webhook is not authentic. `reason` is safe to log and to answer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DestinationRefused(HandoffError):
    """An outgoing call would have reached an address that is not allowed."""


class NotFound(HandoffError):
    """Nothing of that name in this workspace."""


class Refused(HandoffError):
    """The state does not allow the action. `code` is stable; the message says what does."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
