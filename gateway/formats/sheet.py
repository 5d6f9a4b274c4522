"""The front door for tables: the bytes, never the file's name, say which reader takes them."""

from gateway.formats import delimited
from gateway.formats.sheet_model import NotATable, Row, Sheet

__all__ = ["NotATable", "Row", "Sheet", "read"]


def read(raw: bytes, *, charset: str | None = None, delimiter: str | None = None) -> list[Sheet]:
    """Return every sheet that holds cells; `charset` and `delimiter` are the feed's, for text.

    Raises NotATable when the bytes hold no table, GatewayError when the feed names an unknown charset or delimiter.
    """
    return [delimited.read(raw, charset, delimiter)]
