"""Reads a population whose truth is known: evidence of every record in the order of arrival, and whose it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.errors import GatewayError
from gateway.identity.evidence import Evidence, of_patient

TRUTH = "truth.ndjson"
OWN = "own"


class Truth(msgspec.Struct, frozen=True):
    """What is true of one record: whose it is, when it arrived, what went wrong with it, who the relatives are."""

    id: str
    site: str
    person: int
    registered: str = ""
    number: str = ""
    errors: tuple[str, ...] = ()
    household: int = 0
    mother: int = 0
    father: int = 0
    twin: int = 0
    newborn: bool = False


class Population(NamedTuple):
    """The records by the number of their arrival, from 0: what the gateway may see, and what is true."""

    evidence: list[Evidence]
    truth: list[Truth]


def read(folder: Path) -> Population:
    """Return a folder of `gateway simulate --population`; raises GatewayError naming the file and what is wrong."""
    truth = {one.id: one for one in _truths(folder / TRUTH)}
    found: list[tuple[str, str, Evidence]] = []
    for path in sorted(folder.glob("*.ndjson")):
        if path.name != TRUTH:
            found += _records(path, truth)
    if len(found) != len(truth):
        text = f"{len(truth)} records have a truth, but {len(found)} were found"
        raise GatewayError(text, where=str(folder))
    found.sort(key=lambda one: (truth[one[1]].registered, one[0]))
    return Population([evidence for *_, evidence in found], [truth[name] for _, name, _ in found])


def _truths(path: Path) -> Iterator[Truth]:
    decode = msgspec.json.Decoder(Truth).decode
    for number, line in _lines(path):
        try:
            yield decode(line)
        except msgspec.MsgspecError as fault:
            raise GatewayError(f"line {number} tells no truth of a record: {fault}", where=str(path)) from fault


def _records(path: Path, truth: dict[str, Truth]) -> Iterator[tuple[str, str, Evidence]]:
    decode = msgspec.json.Decoder(dict).decode
    for number, line in _lines(path):
        try:
            body = decode(line)
        except msgspec.MsgspecError as fault:
            raise GatewayError(f"line {number} is no resource: {fault}", where=str(path)) from fault
        told = truth.get(str(body.get("id")))
        if told is None:
            raise GatewayError(f"nothing is known of the record in line {number}", where=str(path))
        yield _shuffled(told.id), told.id, of_patient(body, told.site)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
    except OSError as fault:
        text = f"this is no population: {path.name} cannot be read ({fault.strerror}); simulate --population makes one"
        raise GatewayError(text, where=str(path.parent)) from fault


def _shuffled(name: str) -> str:
    """Return what orders the records of one day: the running number first, so that no site comes before all others."""
    return name[::-1]
