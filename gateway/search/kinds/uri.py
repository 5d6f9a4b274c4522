"""URIs: compared literally (R4 search.html §3.1.1.4.13); a row is `(param, uri)`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.search.kinds.text import plain, wrong

Row = tuple[int, str]
Sink = list[Row]
Indexer = Callable[[int, Any, Sink], None]


def _uri(param: int, value: Any, sink: Sink) -> None:
    if value:
        sink.append((param, value))


INDEX: dict[str, Indexer] = dict.fromkeys(("uri", "url", "canonical", "oid", "uuid"), _uri)


@dataclass(frozen=True, slots=True)
class Uri:
    """What a query asks; `below` also takes every URI that continues it after a slash, `above` each it continues."""

    text: str
    below: bool = False
    above: bool = False

    @property
    def stem(self) -> str:
        """The prefix of everything below."""
        return self.text.rstrip("/") + "/"

    @property
    def texts(self) -> tuple[str, ...]:
        """The URIs that are taken literally: the one asked for, and those above it where they are wanted."""
        if not self.above:
            return (self.text,)
        cuts = [at for at, character in enumerate(self.text) if character == "/"]
        ends = [end for at in cuts for end in (at, at + 1)]
        return tuple(dict.fromkeys([self.text, *(self.text[:end] for end in ends if end)]))

    def matches(self, found: Row) -> bool:
        """Say whether a row satisfies this value."""
        return found[1] in self.texts or (self.below and found[1].startswith(self.stem))


def parse(name: str, text: str, modifier: str) -> Uri:
    """Return the value for no modifier, `below` or `above`; GatewayError for an empty text."""
    if not text:
        raise wrong(name, text, "a URI")
    return Uri(plain(text), modifier == "below", modifier == "above")
