"""Sends the hospital's messages in the order of their times, and does to some what networks and interfaces do."""

import heapq
from collections import Counter
from datetime import datetime

from gateway.simulate import hl7, lis
from gateway.simulate.hl7 import Post
from gateway.simulate.nasty import Nasty, mark
from gateway.simulate.output import Box
from gateway.simulate.values import LIS, Mark

_ON_THE_WIRE = ("22.several", "22.storm", "22.open-frame", "22.same-number", "4.utf8-message")
_KINDS = {"ADT": "adt", "ORU": "oru", "ORM": "orm", "OML": "oml"}
DOCUMENT = 300_000  # bytes of a report with its picture


class Postbox:
    """Messages waiting for their time; `held` are the persons whose messages queue behind a parked one."""

    def __init__(self, box: Box, nasty: Nasty) -> None:
        self._box = box
        self._nasty = nasty
        self._waiting: list[tuple[datetime, int, Post]] = []
        self._put = 0
        self._numbers: Counter[str] = Counter()
        self._again: dict[str, str] = {}
        self._held: dict[int, str] = {}
        self.sent = 0

    def put(self, *posts: Post) -> None:
        """Take messages to be sent when their time comes."""
        for post in posts:
            self._put += 1
            heapq.heappush(self._waiting, (post.at, self._put, post))

    def send(self, until: datetime) -> None:
        """Send everything whose time is before `until`."""
        while self._waiting and self._waiting[0][0] < until:
            self._one(heapq.heappop(self._waiting)[2], until)

    def _one(self, post: Post, until: datetime) -> None:
        control = self._control(post)
        case = "" if post.broken else self._nasty.one(f"{control}|{self.sent}", *_ON_THE_WIRE)
        self._prepare(post, case, control)
        if case == "22.several" and self._next_of(post.feed, until):
            self._together(post, control, heapq.heappop(self._waiting)[2])
            return
        raw = hl7.render(post, control)
        name = f"{_KINDS[post.kind[:3]]}-{post.kind[4:7].lower()}"
        told = {"frame": "open"} if case == "22.open-frame" else {}
        file = self._box.message(post.feed, post.at, name, raw, **told)
        self._account(post, control, file)
        self._after(case, post, control, file)

    def _control(self, post: Post) -> str:
        again = self._again.pop(post.feed, "")
        if again:
            post.marks.append(mark("22.same-number", "the control number of another message: told apart by the bytes"))
            return again
        key = f"{post.feed[-3:].upper()}{post.at:%Y%m%d}"
        self._numbers[key] += 1
        return f"{key}{self._numbers[key]:05d}"

    def _prepare(self, post: Post, case: str, control: str) -> None:
        if case == "4.utf8-message":
            post.encoding, post.charset = "utf-8", self._nasty_charset(control)
            post.marks.append(mark(case, "one message in UTF-8 in a GB18030 stream: read as it is"))
        elif case == "22.same-number":
            self._again[post.feed] = control
        if post.feed == LIS and not post.marks and self._nasty.strikes("22.document", control):
            lis.document(post, DOCUMENT)
            post.marks.append(mark("22.document", "a big PDF in OBX-5: kept whole", resource="DiagnosticReport"))

    @staticmethod
    def _nasty_charset(control: str) -> str:
        return "UNICODE" if control[-1] in "02468" else "GB2312"

    def _next_of(self, feed: str, until: datetime) -> bool:
        return bool(self._waiting) and self._waiting[0][0] < until and self._waiting[0][2].feed == feed

    def _together(self, first: Post, control: str, second: Post) -> None:
        other = self._control(second)
        raw = hl7.render(first, control) + hl7.render(second, other)
        file = self._box.message(first.feed, second.at, "several", raw)
        for post, number in ((first, control), (second, other)):
            post.marks.append(mark("22.several", "two messages in one frame: both are read"))
            self._account(post, number, file)

    def _after(self, case: str, post: Post, control: str, file: str) -> None:
        if case == "22.storm":
            told = mark(
                case, "the same bytes again: the same answer, no second effect", outcome="ignored", reason="duplicate"
            )
            for _ in range(2 + int(control[-1]) % 3):
                self._box.send(post.feed, "mllp", file, post.at, repeat=True)
                self._box.truth(told, post.feed, file, post.person, control_id=control, repeat=True)
        elif case == "22.open-frame":
            told = mark(case, "no end of the frame: not answered", outcome="ignored", reason="aborted-frame")
            self._box.truth(told, post.feed, file, post.person, control_id=control)
            self._box.send(post.feed, "mllp", file, post.at)

    def _account(self, post: Post, control: str, file: str) -> None:
        self.sent += 1
        outcome = self._outcome(post)
        for one in post.marks:
            self._box.truth(one, post.feed, file, post.person, control_id=control)
        self._box.accounted(post.feed, file, "hl7", Counter({outcome: 1}), control_id=control, message=post.kind[:7])

    def _outcome(self, post: Post) -> str:
        """Return what becomes of a message; behind one of the same patient that is parked it waits."""
        worst = next((one for one in post.marks if one.outcome != "applied"), None)
        if post.person in self._held:
            post.marks[:] = [_waits(self._held[post.person])]
            return "waits"
        if worst is None:
            return "applied"
        if worst.reason == "key-reused":
            self._held[post.person] = worst.case
        return worst.outcome


def _waits(case: str) -> Mark:
    return mark(case, "behind a parked message of the same patient", outcome="waits", reason="held")
