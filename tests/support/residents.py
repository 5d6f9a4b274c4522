"""Invented resident IDs: area 519927 was never assigned, so nobody bears them (GB 11643 check digit)."""

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def resident_id(birth: str = "19800101", sequence: int = 2, area: str = "519927") -> str:
    """Return the 18 characters with the right check digit; an odd sequence is a man's."""
    digits = f"{area}{birth}{sequence:03d}"
    return digits + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]
