"""Laboratory reports as a county's LIS sends them: 20 results each, many invented patients, corrections, repeats."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

ANALYTES = [
    (f"{4000 + n}", f"项目{n:03d}", unit, low, high)
    for n, (unit, low, high) in enumerate(
        [("mmol/L", 3.5, 5.3), ("g/L", 110, 160), ("U/L", 7, 40), ("umol/L", 44, 133), ("10^9/L", 3.5, 9.5)] * 80
    )
]
_HEAD = "MSH|^~\\&|LIS|BENCH|GW|QH|{time}||ORU^R01|{control}|P|2.4||||||UNICODE UTF-8"
_PID = "PID|1||B{patient:06d}^^^^LocalID||张{patient:06d}^ZHANG||19{year:02d}0{month}15|{sex}"
_OBR = (
    "OBR|1|O{report}|R{report}|PANEL{panel:02d}^生化全套{panel:02d}^L|||{time}|||||||{time}||{doctor}^王{doctor}"
    "||||||{time}|||{status}"
)
_OBX = (
    "OBX|{n}|NM|{code}^{name}^L||{value}|{unit}|{low}-{high}|{flag}|||{status}|||{time}|BENCH|{performer}^李{performer}"
)


@dataclass(slots=True)
class Reports:
    """An endless stream of reports: 10 % corrections of earlier ones, 1 % exact repeats, the rest new."""

    seed: int = 1
    patients: int = 20_000
    results: int = 20
    _random: random.Random = field(init=False)
    _count: int = field(default=0, init=False)
    _told: list[tuple[int, int, int, bytes]] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.next()

    def next(self) -> bytes:
        """Return the next message."""
        chance = self._random.random()
        if self._told and chance < 0.01:
            return self._random.choice(self._told)[3]
        if self._told and chance < 0.11:
            report, patient, panel, _ = self._random.choice(self._told)
            return self._message(report, patient, panel, "C")
        self._count += 1
        report = self.seed * 100_000_000 + self._count
        patient, panel = self._random.randrange(self.patients), self._random.randrange(40)
        message = self._message(report, patient, panel, "F")
        if len(self._told) < 20_000:
            self._told.append((report, patient, panel, message))
        else:
            self._told[self._random.randrange(20_000)] = (report, patient, panel, message)
        return message

    def _message(self, report: int, patient: int, panel: int, status: str) -> bytes:
        chance = self._random
        time = f"202611{report % 28 + 1:02d}{report % 24:02d}{report % 60:02d}00"
        common = {"time": time, "status": status, "report": report, "panel": panel, "patient": patient}
        lines = [
            _HEAD.format(control=f"B{self.seed}-{report}-{chance.getrandbits(40):x}", **common),
            _PID.format(year=patient % 90 + 10, month=patient % 9 + 1, sex="MF"[patient % 2], **common),
            _OBR.format(doctor=f"{1000 + report % 53}", **common),
        ]
        lines += [self._result(n, panel, common) for n in range(self.results)]
        return ("\r".join(lines) + "\r").encode()

    def _result(self, n: int, panel: int, common: dict[str, object]) -> str:
        code, name, unit, low, high = ANALYTES[(panel * 10 + n) % len(ANALYTES)]
        value = round(self._random.uniform(low * 0.7, high * 1.3), 2)
        flag = "L" if value < low else "H" if value > high else ""
        performer = 2000 + panel % 37
        return _OBX.format(
            n=n + 1,
            code=code,
            name=name,
            unit=unit,
            low=low,
            high=high,
            value=value,
            flag=flag,
            performer=performer,
            **common,
        )
