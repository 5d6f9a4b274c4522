"""Tells the kinds of workbook files apart, and refuses the ones that nobody could open without a password."""

from gateway.formats import charset as charsets
from gateway.formats import workbook_xls, workbook_xlsx
from gateway.formats.sheet_model import NotATable, Sheet

ZIP = b"PK"
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
# A worksheet stream without container starts with its BOF record (BIFF 2, 3, 4, 4W and 5).
_BARE = tuple(bytes((9, version, size, 0)) for version, size in ((0, 4), (2, 6), (4, 6), (8, 8), (8, 16), (0, 6)))
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_STREAMS = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book", "WORKBOOK", "BOOK"))


def is_workbook(raw: bytes) -> bool:
    """Say whether the bytes start as a ZIP archive, an OLE container or a bare BIFF stream does."""
    return raw.startswith((b"PK\x03\x04", b"PK\x05\x06", OLE, *_BARE))


def read(raw: bytes, charset: str | None = None) -> list[Sheet]:
    """Return the sheets of a workbook that hold text; `charset` serves workbooks too old for Unicode.

    Raises NotATable when it is protected, damaged, too large, or not a workbook at all.
    """
    if raw.startswith(ZIP):
        sheets = workbook_xlsx.read(raw)
    else:
        _check(raw)
        sheets = workbook_xls.read(raw, charsets.canonical(charset) or "gb18030")
    if not sheets:
        raise NotATable("The workbook holds no cells with text; ask the sender to export it again.")
    return sheets


def _check(raw: bytes) -> None:
    if _ENCRYPTED in raw:
        raise workbook_xls.protected()
    if raw.startswith(OLE) and not any(name in raw for name in _STREAMS):
        raise NotATable(
            "The file is an Office document without a workbook (cut off on its way, or Word); ask for CSV or XLSX."
        )
