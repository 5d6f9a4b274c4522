"""The one place that turns a category of failure into an HTTP status and an OperationOutcome."""

from collections.abc import Mapping

from gateway.errors import Category, GatewayError, Gone
from gateway.fhir import resource
from gateway.fhir.bundle import etag
from gateway.fhir.issues import Invalid, Issue, operation_outcome

# category: (HTTP status, FHIR issue-type); http://hl7.org/fhir/R4/http.html#Status-Codes
STATUS: dict[Category, tuple[int, str]] = {
    Category.INVALID: (400, "invalid"),
    Category.UNPROCESSABLE: (422, "processing"),
    Category.NOT_FOUND: (404, "not-found"),
    Category.GONE: (410, "deleted"),
    Category.CONFLICT: (409, "conflict"),
    Category.PRECONDITION: (412, "conflict"),
    Category.UNSUPPORTED: (400, "not-supported"),
    Category.REFUSED: (401, "login"),
    Category.TOO_LARGE: (413, "too-long"),
    Category.BUSY: (503, "throttled"),
    Category.UNAVAILABLE: (503, "transient"),
}

# What a client must be told beside the status (RFC 9110 15.5.2, 15.6.4).
_HEADERS: dict[int, dict[str, str]] = {
    401: {"www-authenticate": 'Bearer realm="yigong"'},
    503: {"retry-after": "2"},
}


class HttpFault(GatewayError):
    """A failure of the request's own HTTP: a method, a media type, a caller's address."""

    def __init__(
        self, text: str, status: int, code: str, *, where: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text, where=where)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def status(fault: GatewayError) -> int:
    """Return the HTTP status of a failure (http://hl7.org/fhir/R4/http.html)."""
    return fault.status if isinstance(fault, HttpFault) else STATUS[fault.category][0]


def headers(fault: GatewayError) -> dict[str, str]:
    """Return the headers that belong to a failure's status."""
    own = fault.headers if isinstance(fault, HttpFault) else {}
    if isinstance(fault, Gone):
        own = {"etag": etag(fault.version)}
    return {**_HEADERS.get(status(fault), {}), **own}


def outcome(fault: GatewayError) -> bytes:
    """Return the failure as an OperationOutcome text; invalid content with each of its issues."""
    if isinstance(fault, Invalid):
        issues = [Issue(one.severity, one.code, _fit(one.text), _fit(one.where)) for one in fault.issues]
        return resource.dumps(operation_outcome(issues))
    code = fault.code if isinstance(fault, HttpFault) else STATUS[fault.category][1]
    return resource.dumps(operation_outcome([Issue("error", code, _fit(fault.text), _fit(fault.where))]))


def _fit(text: str) -> str:
    """Return text that UTF-8 can carry, whatever a client put into the value a sentence quotes."""
    return text.encode("utf-8", "replace").decode()
