"""The XHTML of a narrative: only what R4 lets a browser see (http://hl7.org/fhir/R4/narrative.html#xhtml)."""

from html.parser import HTMLParser

_TAGS = frozenset(
    """
    a abbr acronym address area b big blockquote br caption center cite code col colgroup dd del dfn div dl
    dt em font h1 h2 h3 h4 h5 h6 hr i img ins kbd li map menu ol p pre q s samp small span strike strong sub
    sup table tbody td tfoot th thead tr tt u ul var
    """.split()  # noqa: SIM905 - sixty words read better than sixty strings
)
_VOID = frozenset({"area", "br", "col", "hr", "img"})
_ATTRIBUTES = frozenset(
    """
    abbr accesskey align alt axis bgcolor border cellhalign cellpadding cellspacing cellvalign char charoff
    charset cite class colspan compact coords dir frame headers height href hreflang hspace id lang longdesc
    name nowrap prefix rel rev rowspan rules scope shape span src start style summary tabindex title type
    usemap valign value vspace width xml:lang xml:space xmlns
    """.split()  # noqa: SIM905 - sixty words read better than sixty strings
)


class _Look(HTMLParser):
    """Reads one narrative and keeps the first fault."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.fault = ""
        self.content = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self._seen(tag, attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that is empty."""
        self._seen(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """Note an element that closes."""
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.fault = self.fault or f"</{tag[:20]}> closes what is not open"

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.content = self.content or bool(data.strip())

    def handle_decl(self, decl: str) -> None:
        """Refuse a DOCTYPE."""
        self.fault = self.fault or f"<!{decl[:20]}> is not allowed"

    def handle_pi(self, data: str) -> None:
        """Refuse a processing instruction."""
        self.fault = self.fault or f"<?{data[:20]}> is not allowed"

    def _seen(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.content = self.content or tag == "img"
        strange = next((name for name, _ in attrs if name not in _ATTRIBUTES and not name.startswith("xmlns:")), "")
        runs = any((value or "").strip().lower().startswith("javascript:") for _, value in attrs)
        if tag not in _TAGS:
            self.fault = self.fault or f"<{tag[:20]}> is not allowed"
        elif strange or runs:
            self.fault = self.fault or f"{strange[:20] or 'a script'} in <{tag}> is not allowed"


def fault(div: str) -> str:
    """Return what is wrong with a narrative's XHTML in a few words, empty where nothing is."""
    look = _Look()
    look.feed(div)
    look.close()
    if not div.lstrip().startswith("<div"):
        return "it does not begin with <div>"
    return look.fault or (f"<{look.open[-1]}> is never closed" if look.open else "")


def empty(div: str) -> bool:
    """Say whether a narrative shows nothing: neither text nor picture."""
    look = _Look()
    look.feed(div)
    look.close()
    return not look.content
