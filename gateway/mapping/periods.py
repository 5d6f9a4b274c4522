"""What several fields tell together or take back: a period by its start and length, an element that is undone."""

from datetime import datetime, timedelta

from gateway.fhir.issues import Issue
from gateway.mapping import dates, paths, program, scalars, timing
from gateway.mapping.cell import Note
from gateway.mapping.definition import source
from gateway.mapping.draft import Draft
from gateway.mapping.making import Body, Making, Running, Step


def ended(making: Making) -> Step:
    """Make the step that ends `args: {period}` so many minutes after its start (guide PR1[Procedure], PR1-7).

    A start without time of day cannot have an end in minutes: it becomes `args: {moment}` instead.
    """
    period, moment = str(making.args["period"]), str(making.args["moment"])
    number = int(making.row.split("-")[1])

    def step(run: Running, body: Body, raw: str) -> None:
        start = str(body.get(period, {}).get("start", ""))
        minutes = scalars.integer(raw)
        run.note(number, minutes.notes)
        if not start:
            return
        if "T" not in start or minutes.value is None:
            del body[period]
            body[moment] = start
            run.note(number, (Note("no end: the start has no time of day, or this is no number", left=True),))
            return
        end = datetime.fromisoformat(start) + timedelta(minutes=minutes.value)
        body[period] = {"start": start, "end": end.isoformat()}

    return step


def cleared(making: Making) -> Step:
    """Make the step that takes `args: {element}` back, as a cancelled discharge does with the way of leaving."""
    element = str(making.args["element"])

    def step(run: Running, body: Body, raw: str) -> None:
        run.draft.clear = (*run.draft.clear, element)

    return step


def later(making: Making) -> Step:
    """Make the step that writes at `args: {to}` the moment so long after another (guide AIS-5, AIS-7 and their like).

    `args: {unit: AIS-8}` is where the unit stands; `{start: AIS-4}` where the moment stands, else `{element: start}`.
    """
    write, unit = paths.writer(str(making.args["to"])), source(str(making.args["unit"]))
    start, element = making.args.get("start"), str(making.args.get("element", ""))
    begin = source(str(start)) if start else None
    length, number = timing.minutes(making), int(making.row.split("/", maxsplit=1)[0].split("-")[1])

    def step(run: Running, body: Body, raw: str) -> None:
        measure = program.pick(run.peers.get(unit.name, []), unit)
        found = length(f"{raw}^{measure.split('^', 1)[0]}")
        told = program.pick(run.peers.get(begin.name, []), begin) if begin else ""
        moment = str(dates.date_time(told).value or "") if begin else str(body.get(element, ""))
        if found.value is None or "T" not in moment:
            why = "no unit of time" if found.value is None else "no start with a time of day"
            run.note(number, (Note(f"{why} beside this length of time; it was left out", left=True),))
            return
        write(body, (datetime.fromisoformat(moment) + timedelta(minutes=found.value)).isoformat())

    return step


def at_clock(making: Making) -> Step:
    """Make the step that writes at `args: {to}` the instant of a day and the time of day in `{clock: column}`."""
    write, clock = paths.writer(str(making.args["to"])), source(str(making.args["clock"]))
    number = int(making.row.split("/", maxsplit=1)[0].split("-")[1])

    def step(run: Running, body: Body, raw: str) -> None:
        hour = program.pick(run.peers.get(clock.name, []), clock).split("^", 1)[0]
        found = dates.instant(f"{raw} {hour}")
        run.note(number, found.notes)
        if found.value is not None:
            write(body, found.value)

    return step


def turned(draft: Draft) -> Issue | None:
    """Take the end out of a period that ends before it begins, and return the issue; None where all is well.

    FHIR forbids such a period (per-1), and which of the two is wrong nobody here knows: the original bytes keep both.
    """
    period = draft.body.get("period")
    if not isinstance(period, dict) or "start" not in period or "end" not in period:
        return None
    start, end = str(period["start"]), str(period["end"])
    if not _before(end, start):
        return None
    draft.body["period"] = {name: value for name, value in period.items() if name != "end"}
    text = f"it ends on {end}, before it begins on {start}; the end was left out: correct one of the two at the source"
    return Issue("warning", "business-rule", text, draft.name)


def _before(one: str, other: str) -> bool:
    """Say whether a date or time is surely before another, as far as both are told."""
    if "T" in one and "T" in other:
        return datetime.fromisoformat(one).timestamp() < datetime.fromisoformat(other).timestamp()
    told = min(len(one.partition("T")[0]), len(other.partition("T")[0]))
    return one[:told] < other[:told]
