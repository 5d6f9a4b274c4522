"""Numbers people and houses carry: resident IDs, institution codes, phones, and the ways they are spoiled."""

from datetime import date

AREA = "519927"  # never given to a county, so no real person holds a number under it
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def resident_id(birth: date, order: int, sex: str) -> str:
    """Return an 18-character resident ID number under area 519927 (GB 11643); odd sequence numbers are men's."""
    body = f"{AREA}{birth:%Y%m%d}{order * 2 + (sex == '1'):03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + _CHECKS[total % 11]


def fifteen(number: str) -> str:
    """Return the old 15-digit form of an ID of somebody born in the 20th century."""
    return number[:6] + number[8:17]


def society_code(body: str) -> str:
    """Return the 18-character social credit code for its first 17 characters (GB 32100)."""
    total = sum(_USCC.index(letter) * weight for letter, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return body + _USCC[(31 - total % 31) % 31]


def phone(number: int) -> str:
    """Return an 11-digit mobile number beginning 100, which no Chinese number does."""
    return f"100{number:08d}"


def masked(text: str, head: int, tail: int) -> str:
    """Return the text with its middle starred, as print-outs show it."""
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :] if text else ""


def exponent(number: str) -> str:
    """Return the ID as Excel shows it in a column of numbers; its digits are lost for good."""
    return f"{number[0]}.{number[1:6]}E+17"


def zeroed(number: str) -> str:
    """Return the ID as Excel saves it: the last three digits have become noughts."""
    return number[:15] + "000"


def wide(text: str) -> str:
    """Return the text in full-width characters."""
    return text.translate(_WIDE)
