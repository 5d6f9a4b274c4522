"""Issues: data faults as values, in OperationOutcome's terms."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["fatal", "error", "warning", "information"]


@dataclass(frozen=True, slots=True)
class Issue:
    """One finding: `code` is of FHIR's issue-type, `where` is a v2 field, a row/column or a FHIRPath."""

    severity: Severity
    code: str
    text: str
    where: str = ""


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
