"""Orders and what becomes of them: tubes and exams, reports in their time, corrections, withdrawals, lost ones."""

from datetime import timedelta

from gateway.simulate import his, laboratory, lis, ris
from gateway.simulate.catalogue import book, rates
from gateway.simulate.desk import Desk
from gateway.simulate.laboratory import Result
from gateway.simulate.nasty import mark
from gateway.simulate.streams import Stream
from gateway.simulate.values import Mark, Order, Visit


class Ancillary:
    """The laboratory and the imaging department as the wards see them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._last: Order | None = None

    def order(self, visit: Visit, stream: Stream, *, always: bool = False) -> None:
        """Order what the visit needs, and let the reports come."""
        chances = rates()["chances"]
        if always or stream.chance(chances["lab"]):
            self._laboratory(visit, stream)
        if stream.chance(chances["imaging"]):
            self._imaging(visit, stream)

    def _laboratory(self, visit: Visit, stream: Stream) -> None:
        day, panels = (
            visit.start.date(),
            laboratory.panels_for(visit.person, stream, rates()["chances"]["second_panel"]),
        )
        group = self.desk.number("SQD", day, 4)
        orders: list[Order] = []
        for panel in panels:
            order = Order(
                visit, self.desk.number("SQ", day, 5), panel, visit.start + timedelta(minutes=stream.whole(5, 30))
            )
            order.at, order.group = orders[0].at if orders else order.at, group
            order.sampled = order.at + timedelta(minutes=stream.whole(8, 45))
            order.reported = order.sampled + timedelta(minutes=stream.whole(35, 260))
            order.report = self.desk.number("BG", day, 5)
            orders.append(order)
        case = self.desk.nasty.one(f"OML|{orders[0].number}", "21.result-first", "21.cancelled-late")
        marks: list[Mark] = []
        post = his.laboratory_order(orders, marks)
        if case == "21.result-first":
            post.at = max(order.reported or order.at for order in orders) + timedelta(minutes=12)
            marks.append(
                mark(
                    case,
                    "the order after its report: one order, active states do not go back",
                    resource="ServiceRequest",
                )
            )
        elif case:
            note = "cancelled without a message: the order stays as it is, nothing is invented"
            marks.append(mark(case, note, resource="ServiceRequest"))
        self.desk.post.put(post)
        for order in orders if case != "21.cancelled-late" else ():
            self._report(order, stream, alone=len(orders) == 1)

    def _report(self, order: Order, stream: Stream, *, alone: bool) -> None:
        when = order.reported or order.at
        results = laboratory.results(order.visit.person, order.code, order.sampled or when, self.desk.streams)
        key = f"ORU|{order.report}"
        other = alone and self._last is not None and self._last.visit.person is not order.visit.person
        case = self.desk.nasty.one(key, "20.value", *(["N4.message"] if other else []), "21.resent")
        if case == "N4.message" and self._last:
            self._reused(order, self._last)
            return
        marks: list[Mark] = []
        if case == "20.value":
            self._odd(results, order, marks)
        elif case == "21.resent":
            self._again(order, results, stream)
        self.desk.post.put(lis.report(order, results, marks))
        if case == "":
            self._changed(order, results, stream)
        self._last = self._last or order

    def _odd(self, results: list[Result], order: Order, marks: list[Mark]) -> None:
        for place in range(len(results)):
            results[place] = laboratory.odd(results[place], self.desk.turn("odd"))
            one = results[place]
            told = {"field": f"OBX[{place + 1}]-5", "value": one.value}
            note = f"{one.odd}: a comparator or text, never cut to a number"
            marks.append(mark("20.value", note, resource="Observation", **told))
            if place >= 2:
                break

    def _again(self, order: Order, results: list[Result], stream: Stream) -> None:
        later = (order.reported or order.at) + timedelta(minutes=stream.whole(40, 150))
        fixed = [laboratory.corrected(results[0], stream), *results[1:]]
        note = "the report again without status C: a new version, nothing doubled"
        told = mark("21.resent", note, resource="DiagnosticReport", report=order.report)
        self.desk.post.put(lis.report(order, fixed, [told], at=later))

    def _changed(self, order: Order, results: list[Result], stream: Stream) -> None:
        chances = rates()["chances"]
        later = (order.reported or order.at) + timedelta(minutes=stream.whole(30, 240))
        corrected = stream.chance(chances["corrected"]) or self.desk.turn("reports") == 2
        withdrawn = not corrected and (stream.chance(chances["withdrawn"]) or self.desk.turn("withdrawable") == 2)
        if corrected:
            fixed = [laboratory.corrected(results[0], stream)]
            told = mark(
                "21.corrected", "a new version of the same report", resource="DiagnosticReport", report=order.report
            )
            self.desk.post.put(lis.report(order, fixed, [told], status=lis.CORRECTED, at=later))
        elif withdrawn:
            note = "withdrawn: entered in error, readers are told"
            told = mark("21.withdrawn", note, resource="DiagnosticReport", report=order.report)
            self.desk.post.put(lis.report(order, results, [told], status=lis.WITHDRAWN, at=later))

    def _reused(self, order: Order, first: Order) -> None:
        """Send a report under the number of somebody else's earlier one."""
        note = "the number of another person's report: parked, that report is not touched"
        told = mark("N4.message", note, outcome="parked", reason="key-reused", report=first.report)
        order.report, order.code = first.report, first.code
        order.reported = max(order.reported or order.at, (first.reported or first.at) + timedelta(minutes=20))
        results = laboratory.results(order.visit.person, order.code, order.sampled or order.at, self.desk.streams)
        self.desk.post.put(lis.report(order, results, [told]))

    def _imaging(self, visit: Visit, stream: Stream) -> None:
        day = visit.start.date()
        code = stream.weighted({"CT0102": 4, "DR0101": 3, "US0201": 3, "MR0301": 1, "CT0103": 1})
        order = Order(visit, self.desk.number("SQ", day, 5), code, visit.start + timedelta(minutes=stream.whole(5, 35)))
        self.desk.post.put(his.imaging_order(order, []))
        if stream.chance(rates()["chances"]["order_cancelled"]) or self.desk.turn("exams") == 3:
            self.desk.post.put(his.imaging_order(order, [], control="CA"))
            return
        kind = book("clinic")["imaging"][code]["kind"]
        order.report = self.desk.number(kind, day, 5)
        order.sampled = order.at + timedelta(minutes=stream.whole(20, 120))
        order.reported = order.sampled + timedelta(minutes=stream.whole(15, 180))
        reader = self.desk.doctor("4005", stream)
        findings = stream.pick(book("clinic")["findings"])
        self.desk.post.put(ris.arrived(order), ris.report(order, reader, findings, []))
