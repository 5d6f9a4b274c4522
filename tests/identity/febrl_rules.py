"""FEBRL's records as evidence, decided as production decides: blocks, rules and score, nobody's sex or telephone told."""

from collections import Counter
from datetime import date
from itertools import combinations
from typing import NamedTuple

import msgspec

from gateway.identity import model as models
from gateway.identity import names, splinked, training
from gateway.identity.blocks import blocks
from gateway.identity.decide import Verdict, decide
from gateway.identity.evidence import Evidence
from gateway.identity.score import score
from tests.identity import febrl

# FEBRL tells no sex and no resident ID, so the rounds of the county's model would find no pair.
TRAINING = training.Training(
    rounds=(("birth",), ("names",), ("national",)), sure=(("names", "birth"), ("national", "birth")), recall=0.7
)


class Ruled(NamedTuple):
    """What became of the true pairs, and of the others."""

    true: int
    linked: int
    wrong: int
    review: int  # true pairs a person is asked about
    asked: int  # pairs a person is asked about

    def row(self, name):
        return (
            f"{name:30} true pairs {self.true:,}, linked {self.linked:,} (recall {self.linked / self.true:.4f}, "
            f"{self.wrong} wrong), for a person {self.asked:,} pairs, {self.review:,} of them true "
            f"({self.review / self.true:.4f})"
        )


def evidence(record):
    told = [{"family": record["surname"], "given": [record["given_name"]]}]
    street = " ".join(filter(None, (record["number"], record["street"], record["address"])))
    return Evidence(
        site=record["state"] or "nowhere",
        national=(f"insured-person|{record['insurance']}",) if record["insurance"] else (),
        names=names.of_names(told).names,
        birth=record["birth"],
        address=street.replace(" ", ""),
        area=(record["suburb"] + record["postcode"]).replace(" ", ""),
    )


def candidates(found):
    by_key = {}
    for place, one in enumerate(found):
        for key in blocks(one):
            by_key.setdefault(key, []).append(place)
    return {pair for places in by_key.values() for pair in combinations(places, 2)}


def trained(records):
    """The county's model with the weights of a set of records, and thresholds above its best false pair."""
    found = [evidence(record) for record in records]
    told = [msgspec.structs.asdict(one) for one in found]
    start = msgspec.structs.replace(models.shipped(), training=TRAINING)
    made = training.train(
        start, told, splinked.estimate, source="febrl3", today=date(2026, 11, 22), pairs=300_000
    ).model
    pairs = febrl.candidates(records)  # production's blocks hold no false pair of febrl3 at all
    false = [score(made, told[i], told[j]).bits for i, j in pairs if records[i]["person"] != records[j]["person"]]
    return msgspec.structs.replace(
        made, thresholds={"auto": max(false) + febrl.MARGIN, "review": max(false) - febrl.MARGIN}
    )


def ruled(model, records, true):
    found = [evidence(record) for record in records]
    counted = Counter()
    for i, j in candidates(found):
        counted[decide(found[i], found[j], model).verdict, (i, j) in true] += 1
    right, wrong = counted[Verdict.SAME, True], counted[Verdict.SAME, False]
    review = counted[Verdict.REVIEW, True]
    return Ruled(len(true), right, wrong, review, review + counted[Verdict.REVIEW, False])
