"""Every outcome that the gates can have: gate, code and detail; documents and texts are checked against this list."""

from typing import NamedTuple

from gateway.community.recognition.reasons import RECOGNISED


class Outcome(NamedTuple):
    """A gate (empty where all are passed), the code that statistics count, and the detail that texts go by."""

    gate: str
    code: str
    detail: str


def _some(gate: str, code: str, details: str) -> list[Outcome]:
    return [Outcome(gate, code, detail) for detail in details.split()]


OUTCOMES: tuple[Outcome, ...] = (
    *_some("", RECOGNISED, "equal covered"),
    *_some("G1", "ID_UNSURE", "not-certain other-person"),
    *_some("G2", "NOT_FINAL", "preliminary withdrawn unknown"),
    *_some("G3", "ITEM_DIFF", "order-unmapped result-unmapped other-item specimen method modality part contrast side"),
    *_some("G4", "NOT_LISTED", "issuer-unknown no-list not-on-list level"),
    *_some("G5", "NO_QC", "suspended not-joined unproven"),
    *_some("G5", "MARK_SCOPE", "other-scope unknown-scope"),
    *_some("G6", "EXPIRED", "no-time no-window too-old later"),
    *_some("G7", "NOT_USABLE", "no-value unit no-range specimen unreachable"),
    *(Outcome("G8", code, "justified") for code in ("E1", "E2", "E3", "E4", "E5", "E6")),
)
"""In the order of the gates (china.md §4.3)."""
