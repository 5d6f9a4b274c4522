"""The one place that turns a category of failure into an HTTP status and an OperationOutcome."""

from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.fhir.issues import Issue, operation_outcome

# category: (HTTP status, FHIR issue-type)
STATUS: dict[Category, tuple[int, str]] = {
    Category.INVALID: (400, "invalid"),
    Category.NOT_FOUND: (404, "not-found"),
    Category.GONE: (410, "deleted"),
    Category.CONFLICT: (409, "conflict"),
    Category.PRECONDITION: (412, "conflict"),
    Category.UNSUPPORTED: (405, "not-supported"),
    Category.REFUSED: (401, "login"),
    Category.TOO_LARGE: (413, "too-long"),
    Category.BUSY: (503, "throttled"),
    Category.UNAVAILABLE: (503, "transient"),
}


def status(fault: GatewayError) -> int:
    """Return the HTTP status of a failure (http://hl7.org/fhir/R4/http.html)."""
    return STATUS[fault.category][0]


def outcome(fault: GatewayError) -> bytes:
    """Return the failure as an OperationOutcome text."""
    issue = Issue("error", STATUS[fault.category][1], fault.text, fault.where)
    return resource.dumps(operation_outcome([issue]))
