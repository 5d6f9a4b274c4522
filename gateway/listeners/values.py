"""What a listener tells the intake about a sender, and what the intake tells it to answer."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Who:
    """The sender as the listener sees it; `feed` names the feed where the door does, `file` the file."""

    listener: str
    peer: str = ""
    certificate: str = ""
    feed: str = ""
    file: str = ""


class Verdict(StrEnum):
    """What became of received bytes."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    ANSWERED = "answered"  # a query: nothing is stored of it but its audit row
    IGNORED = "ignored"  # an acknowledgement, which is never acknowledged
    UNAVAILABLE = "unavailable"  # not stored, as far as we know: say nothing and close


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdict over one piece of bytes, with the messages to send back (none: stay silent)."""

    verdict: Verdict
    payloads: tuple[bytes, ...] = ()
    reasons: tuple[str, ...] = ()
    arrivals: tuple[int, ...] = ()
    feed: str = ""
    messages: int = 0


Done = Callable[[Answer], None]
Later = Callable[[bytes], None]
