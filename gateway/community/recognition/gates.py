"""The eight gates of recognition in their order; the first that fails gives the reason (china.md §4.3, R12, R13).

Pure and total: any input has an advice, nothing is read or written, nothing is raised. Access has been decided before
(R13): a result that the user may not see never comes here.
"""

from collections.abc import Callable
from typing import NamedTuple

from gateway.community.recognition import same, usable
from gateway.community.recognition.advice import Advice, Show
from gateway.community.recognition.case import DAY_US, Case, case
from gateway.community.recognition.facts import Context, Order, Result
from gateway.community.recognition.knowledge import Knowledge
from gateway.community.recognition.reasons import RECOGNISED

CERTAIN = frozenset({"same", "certain"})
FINAL = frozenset({"final", "amended", "corrected", "appended"})
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
PRELIMINARY = frozenset({"registered", "partial", "preliminary"})


class Fault(NamedTuple):
    """Why a gate failed: code and detail of outcomes.py, and the word concerned."""

    code: str
    detail: str
    what: str = ""


def judge(order: Order, result: Result, context: Context, knowledge: Knowledge) -> Advice:
    """Return the advice on an order and one earlier result; never raises, never blocks (china.md §4.1)."""
    asked = case(order, result, context, knowledge)
    passed: list[str] = []
    for gate, test in GATES:
        fault = test(asked)
        if fault is not None:
            return _advice(asked, gate, fault, tuple(passed))
        passed.append(gate)
    return _advice(asked, "", Fault(RECOGNISED, "covered" if asked.cover else "equal"), tuple(passed))


def identity(asked: Case) -> Fault | None:
    """G1: the same person, and certainly so; else someone must ask."""
    told = asked.result.identity
    if told in CERTAIN:
        return None
    return Fault("ID_UNSURE", "other-person" if told == "certainly-not" else "not-certain")


def final(asked: Case) -> Fault | None:
    """G2: result and report are final, neither preliminary nor withdrawn."""
    told = {asked.result.status, asked.result.report_status} - {""}
    if told & WITHDRAWN:
        return Fault("NOT_FINAL", "withdrawn")
    if told & PRELIMINARY:
        return Fault("NOT_FINAL", "preliminary")
    return None if told and told <= FINAL else Fault("NOT_FINAL", "unknown")


def item(asked: Case) -> Fault | None:
    """G3: equal item, specimen and method or modality, part, contrast and side; or covered by the cover table."""
    found = same.difference(asked)
    return Fault("ITEM_DIFF", *found) if found is not None else None


def listed(asked: Case) -> Fault | None:
    """G4: listed for issuer and receiver on the day of the order; inside one community by default."""
    if asked.ordered is None or not (asked.issuer.code or asked.issuer.area):
        return Fault("NOT_LISTED", "issuer-unknown")
    why = asked.knowledge.policy.listed(
        asked.ordered, asked.parts(asked.ordered), asked.issuer, asked.context.receiver, asked.ordered_on
    )
    return Fault("NOT_LISTED", why) if why else None


def quality(asked: Case) -> Fault | None:
    """G5: EQA or IQC passed and not suspended on the day of sampling, or an accepted mark.

    A mark is forbidden to those who did not join its scope's evaluation (china.md §4.2), so it does not count for them.
    """
    stand = asked.standing
    if stand.state == "suspended":
        return Fault("NO_QC", "suspended")
    scopes = [(mark, asked.knowledge.policy.scopes.of(mark, asked.issuer)) for mark in asked.marks]
    reaching = [
        scope for _, scope in scopes if scope is not None and scope.reaches(asked.issuer, asked.context.receiver)
    ]
    if stand.state == "passed" or any(scope.id not in stand.outside for scope in reaching):
        return None
    if reaching or not scopes:
        return Fault("NO_QC", "not-joined" if reaching else "unproven")
    told = next((mark for mark, scope in scopes if scope is not None), None)
    return (
        Fault("MARK_SCOPE", "other-scope", told.text)
        if told
        else Fault("MARK_SCOPE", "unknown-scope", scopes[0][0].text)
    )


def window(asked: Case) -> Fault | None:
    """G6: not older than the window since specimen or examination; a missing time is never made up from another."""
    age, row = asked.age_us, asked.window()
    if age is None:
        return Fault("EXPIRED", "no-time")
    if row is None:
        return Fault("EXPIRED", "no-window")
    if age < 0:
        return Fault("EXPIRED", "later")
    return Fault("EXPIRED", "too-old") if age > row.days * DAY_US else None


def use(asked: Case) -> Fault | None:
    """G7: a value in a unit that can be converted, a range, a sound specimen; pictures within reach."""
    if asked.found is None:
        return Fault("NOT_USABLE", "no-value")
    detail, what = usable.fault(asked.knowledge.catalogue, asked.found, asked.result)
    return Fault("NOT_USABLE", detail, what) if detail else None


def exceptions(asked: Case) -> Fault | None:
    """G8: none of E1 to E6 (china.md §4.4)."""
    told = asked.order.circumstances | ({"emergency"} if asked.emergency else set())
    if asked.ordered is None:
        return None
    row = asked.knowledge.policy.exception(asked.ordered, asked.parts(asked.ordered), told)
    return Fault(row.code, "justified") if row is not None else None


GATES: tuple[tuple[str, Callable[[Case], Fault | None]], ...] = (
    ("G1", identity), ("G2", final), ("G3", item), ("G4", listed),
    ("G5", quality), ("G6", window), ("G7", use), ("G8", exceptions),
)  # fmt: skip
"""The gates in their order; the first that fails decides."""


def _advice(asked: Case, gate: str, fault: Fault, passed: tuple[str, ...]) -> Advice:
    row, age = asked.window(), asked.age_us
    days = age // DAY_US if age is not None else None
    left = (row.days * DAY_US - age) // DAY_US if row is not None and age is not None else None
    numbers = {"age": _text(days), "days": _text(row.days if row else None), "left": _text(left)}
    zh, en = asked.knowledge.reasons.tell(
        fault.code, fault.detail, _words(asked, fault, "zh") | numbers, _words(asked, fault, "en") | numbers
    )
    return Advice(
        recognised=fault.code == RECOGNISED,
        gate=gate,
        code=fault.code,
        detail=fault.detail,
        zh=zh,
        en=en,
        show=_show(asked, gate, fault),
        counted=not asked.emergency,
        item=asked.ordered.id if asked.ordered else "",
        found=asked.found.id if asked.found else "",
        issuer=asked.issuer.code,
        cover=asked.cover.source if asked.cover else "",
        quality=(asked.standing.by or "mark") if "G5" in passed else "",
        age=days,
        window=row.days if row else None,
        window_source=row.source if row else "",
        left=left if left is not None and left >= 0 else None,
        passed=passed,
        hints=asked.hints,
        knowledge=asked.knowledge.version,
    )


def _show(asked: Case, gate: str, fault: Fault) -> Show:
    """Say how to show it: an emergency is never interrupted; of an unsure person nothing but the question is shown."""
    if gate == "G1":
        return Show.NOTHING if asked.emergency or fault.detail == "other-person" else Show.IDENTITY
    if fault.detail == "withdrawn":
        return Show.NOTHING
    return Show.INFORMATION if gate else Show.PROMPT


def _words(asked: Case, fault: Fault, language: str) -> dict[str, str]:
    def called(one: object, other: str) -> str:
        return str(getattr(one, language)) if one is not None else other

    return {
        "item": called(asked.ordered, asked.order.name),
        "found": called(asked.found, asked.result.name),
        "issuer": asked.issuer.name or asked.issuer.code,
        "mark": fault.what,
        "what": fault.what,
    }


def _text(number: int | None) -> str:
    return "-" if number is None else str(number)
