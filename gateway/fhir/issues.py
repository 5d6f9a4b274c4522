"""Issues: data faults as values, in OperationOutcome's terms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.errors import Category, GatewayError

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: `code` is of FHIR's issue-type, `where` is a v2 field, a row/column or a FHIRPath."""

    severity: Severity
    code: str
    text: str
    where: str = ""


class Invalid(GatewayError):
    """Content that cannot be taken, with every finding that stands against it (HTTP 422)."""

    category = Category.UNPROCESSABLE

    def __init__(self, issues: Sequence[Issue]) -> None:
        first = next((issue for issue in issues if issue.severity in ("fatal", "error")), issues[0])
        super().__init__(first.text, where=first.where)
        self.issues = list(issues)


def has_errors(issues: Iterable[Issue]) -> bool:
    """Say whether any issue is an error or fatal."""
    return any(issue.severity in ("fatal", "error") for issue in issues)


def operation_outcome(issues: Iterable[Issue]) -> dict[str, Any]:
    """Return the issues as an OperationOutcome resource (R4, http://hl7.org/fhir/R4/operationoutcome.html)."""
    return {"resourceType": "OperationOutcome", "issue": [_entry(issue) for issue in issues]}


def _entry(issue: Issue) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.code,
        "details": {"text": issue.text},
        "diagnostics": f"{issue.where}: {issue.text}" if issue.where else issue.text,
    }
    if issue.where:
        entry["expression"] = [issue.where]
    return entry
