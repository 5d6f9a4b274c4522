"""Cards: what is shown to a doctor of an opinion on a draft order (CDS Hooks 2.0, Card Attributes)."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from gateway import clock
from gateway.fhir import temporal
from gateway.hooks import Opinion, Reason
from gateway.web.cds.request import Json

SUMMARY = 139
"""Characters a summary may have: less than 140."""

SOURCE: Json = {
    "label": "检查检验结果互认 Mutual recognition of exam results",
    "topic": {
        "system": "https://yigong.example/fhir/CodeSystem/decision-support-topic",
        "code": "mutual-recognition",
        "display": "检查检验结果互认 Mutual recognition of exam results",
    },
}
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+!|~&-])")
_LABELS = {"Observation": "查看结果 Result", "DiagnosticReport": "查看报告 Report", "ImagingStudy": "查看检查 Study"}
_IMAGES = 3
_LONGEST = 300


def card(opinion: Opinion, reasons: Sequence[Reason], base: str, zone: str) -> Json:
    """Return the card of an opinion; `base` is the public address of /fhir, times are shown in `zone`.

    Only a prompt is a warning with something to do about it; all else informs. Nothing of a result is shown where it is
    not certain whose it is.
    """
    prompt = opinion.show == "prompt"
    links = [*_values(opinion, base), *_images(opinion)]
    return {
        "uuid": clock.uuid4(),
        "summary": _summary(opinion),
        "detail": "\n".join(_detail(opinion, zone)),
        "indicator": "warning" if prompt else "info",
        "source": SOURCE,
        **(_instead(opinion) if prompt and opinion.draft else {}),
        **({"overrideReasons": [_coding(reason) for reason in reasons]} if prompt and reasons else {}),
        **({"links": links} if links else {}),
    }


def _summary(opinion: Opinion) -> str:
    told = opinion.zh if opinion.show == "prompt" else f"{opinion.item}：{opinion.zh}".removeprefix("：")
    line = " ".join(told.split())
    return line if len(line) <= SUMMARY else f"{line[: SUMMARY - 1]}…"


def _detail(opinion: Opinion, zone: str) -> Iterator[str]:
    """Yield the lines of the detail, which is Markdown: both sentences, then what the result is."""
    yield f"**{_plain(opinion.zh)}**"
    yield ""
    yield _plain(opinion.en)
    rows = (
        ("开单项目 Ordered", opinion.item),
        ("结果 Result", opinion.value),
        ("出具机构 Institution", opinion.source),
        ("互认标识 Mark", " ".join(opinion.marks)),
        ("采样/检查时间 Taken", _moment(opinion.taken, zone)),
        ("距今天数 Age in days", _number(opinion.age)),
        ("时限剩余天数 Days left", _number(opinion.left)),
    )
    told = [f"- {label}: {_plain(value)}" for label, value in rows if value]
    yield from ["", *told] if told else []


def _plain(text: str) -> str:
    """Return a text of the record so that it means nothing in Markdown or HTML, on one line."""
    line = " ".join(text[:_LONGEST].split())
    return _MARKUP.sub(r"\\\1", line).replace("<", "&lt;").replace(">", "&gt;")


def _number(days: int | None) -> str:
    return "" if days is None else str(days)


def _moment(taken: str, zone: str) -> str:
    """Return a FHIR dateTime as a person reads it, in the zone; a day, or what is none, as it is."""
    try:
        found = datetime.fromisoformat(taken)
    except ValueError:
        return taken
    if "T" not in taken:
        return taken
    local = found.astimezone(temporal.time_zone(zone)) if found.tzinfo else found
    return f"{local:%Y-%m-%d %H:%M}"


def _instead(opinion: Opinion) -> Json:
    """Return the suggestion to do without the order (2.0, Suggestion, Action)."""
    action = {"type": "delete", "description": f"取消{opinion.item} Remove this order", "resourceId": opinion.draft}
    label = "采用已有结果，取消本次开单 Use the earlier result, remove this order"
    return {
        "suggestions": [{"label": label, "uuid": clock.uuid4(), "actions": [action]}],
        "selectionBehavior": "at-most-one",
    }


def _coding(reason: Reason) -> Json:
    return {"code": reason.code, "system": reason.system, "display": f"{reason.code} {reason.zh} {reason.en}"}


def _values(opinion: Opinion, base: str) -> Iterator[Json]:
    for reference in opinion.values:
        label = _LABELS.get(reference.partition("/")[0], reference.partition("/")[0])
        yield {"label": label, "url": f"{base}/{reference}", "type": "absolute"}


def _images(opinion: Opinion) -> Iterator[Json]:
    """Yield where pictures can be looked at: web addresses only, for they come from other systems."""
    for address in [one for one in opinion.images if one.startswith(("https://", "http://"))][:_IMAGES]:
        yield {"label": "查看影像 Images", "url": address, "type": "absolute"}
