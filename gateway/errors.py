"""Error categories: what went wrong, told apart from how any protocol reports it."""

from enum import StrEnum


class Category(StrEnum):
    """The few kinds of failure; `web.errors` and `formats.hl7v2_ack` translate them."""

    INVALID = "invalid"
    UNPROCESSABLE = "unprocessable"
    NOT_FOUND = "not-found"
    GONE = "gone"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    TOO_LARGE = "too-large"
    BUSY = "busy"
    UNAVAILABLE = "unavailable"


class GatewayError(Exception):
    """A failure with a category, a sentence for a person, and where it is."""

    category: Category = Category.INVALID

    def __init__(self, text: str, *, where: str = "", category: Category | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        if category is not None:
            self.category = category


class Transient(GatewayError):
    """The store cannot answer now; the same call may succeed later."""

    category = Category.UNAVAILABLE


class Gone(GatewayError):
    """The resource has been deleted; `version` is the number its deletion has."""

    category = Category.GONE

    def __init__(self, text: str, *, version: int, where: str = "") -> None:
        super().__init__(text, where=where)
        self.version = version
