"""What several fields tell together or take back: a period by its start and length, an element that is undone."""

from datetime import datetime, timedelta

from gateway.mapping import scalars
from gateway.mapping.cell import Note
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
