"""A site's record by merges, unlinks and results as a few dicts: what messages in any order must come to.

The rules, in the words of docs/identity.md: a number names the record it was given out for. A merge points that record
at another one; an unlink takes the pointer away. What is said of a person goes to the record of the number it is said
under; what has a number of its own, such as a report, stays with whom it was first filed, and new ones are filed with
the record at the end of the pointers.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Message:
    """One message: `number` is whom it is about, `other` the retired (A40) or second one (A37), `at` its minute."""

    event: str
    number: str
    at: int
    said: dict = field(default_factory=dict)
    other: str = ""
    report: str = ""
    status: str = ""
    value: str = ""

    @property
    def keys(self):
        """Return the numbers it names, the first one first."""
        return tuple(dict.fromkeys(filter(None, (self.number, self.other))))


class Record:
    """The reference: tell it messages in the order they came."""

    def __init__(self):
        self.people = {}
        self.into = {}
        self.reports = {}
        self.results = {}
        self.blocked = set()

    def tell(self, message):
        """Return what becomes of a message: applied, held, or parked with its reason."""
        if self.blocked.intersection(message.keys):
            return "held"
        reason = self._refuses(message)
        if reason:
            self.blocked.add(message.number)
            return f"parked {reason}"
        getattr(self, "_" + message.event.lower())(message)
        return "applied"

    def chain(self, number):
        """Return a number and those it was merged into, one after the other."""
        found = [number]
        while found[-1] in self.into:
            found.append(self.into[found[-1]])
        return found

    def end(self, number):
        """Return the number whose record new results of a number are filed with."""
        return self.chain(number)[-1]

    def one(self, number, other):
        """Say whether two numbers are one person."""
        return self.end(number) == self.end(other)

    def _refuses(self, message):
        number, other = message.number, message.other
        if message.event == "ORU":
            known = self.reports.get(message.report)
            return "" if known is None or self.one(known["owner"], number) else "key-reused"
        if message.event == "A37":
            return "refused" if number == other else ""
        if message.event == "A40" and not self._told_before(message):
            circle = other in self.chain(number)
            elsewhere = other in self.into and not self.one(number, other)
            return "refused" if circle or elsewhere else ""
        return ""

    def _told_before(self, message):
        return message.number in self.chain(message.other)[1:]

    def _a04(self, message):
        self._say(message.number, message)

    _a08 = _a04

    def _a40(self, message):
        self._say(message.number, message)
        if not self.one(message.number, message.other):
            self.people.setdefault(message.other, {"since": 0})
            self.into[message.other] = message.number

    def _a37(self, message):
        number, other = message.number, message.other
        if number in self.people and other in self.people and self.one(number, other):
            del self.into[number if other in self.chain(number) else other]
        self._say(number, message)
        self._say(other, Message("A37", other, message.at))

    def _oru(self, message):
        self._say(message.number, message, fill=True)
        owner = self.end(message.number)
        self._snapshot(self.reports, message, {"status": message.status, "owner": owner})
        self._snapshot(self.results, message, {"status": message.status, "owner": owner, "value": message.value})

    def _say(self, number, message, *, fill=False):
        person = self.people.setdefault(number, {"since": message.at})
        fill = fill or message.at < person["since"]
        after = {**message.said, **person} if fill else {**person, **message.said}
        if any(after[word] != person.get(word) for word in after):
            self.people[number] = after | {"since": max(message.at, person["since"])}

    def _snapshot(self, kept, message, said):
        known = kept.get(message.report)
        if known is None:
            kept[message.report] = said | {"since": message.at}
            return
        said["owner"] = known["owner"]
        if message.at >= known["since"] and said != {word: known[word] for word in said}:
            kept[message.report] = said | {"since": message.at}
