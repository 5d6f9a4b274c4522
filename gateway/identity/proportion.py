"""How sure a counted share is: exact (Clopper-Pearson) bounds, without a library of statistics."""

from math import exp, lgamma, log

_STEPS = 200
_TINY = 1e-300


def bounds(hits: int, tries: int, doubt: float = 0.05) -> tuple[float, float]:
    """Return the exact bounds of a share counted as hits of tries; the true one lies outside with chance `doubt`."""
    if tries == 0:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else _quantile(doubt / 2, hits, tries - hits + 1)
    high = 1.0 if hits == tries else _quantile(1 - doubt / 2, hits + 1, tries - hits)
    return low, high


def _quantile(share: float, a: float, b: float) -> float:
    """Return where the beta distribution of a and b reaches a share, by halving."""
    low, high = 0.0, 1.0
    for _ in range(80):
        middle = (low + high) / 2
        if _beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    found = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return found


def _away(value: float) -> float:
    """Return a number that may stand under a fraction."""
    return value if abs(value) > _TINY else _TINY
