"""Training: the weights of a model estimated from records, off line; the run-time comparisons decide every level."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from gateway.errors import GatewayError
from gateway.identity.fields import Field
from gateway.identity.frequencies import Table
from gateway.identity.model import Model, Trained, Training
from gateway.identity.program import parts_of

# What is estimated: m and u of each level of each field.
Weights = Mapping[str, Mapping[str, tuple[float, float]]]
PAIRS = 1_000_000
_DIGITS = 4


class Sample(NamedTuple):
    """What an estimator gets: the model to start from, records, and how to go about it."""

    model: Model
    training: Training
    records: Sequence[Mapping[str, Any]]
    label: str  # value that tells the person, "" where nobody knows
    pairs: int  # pairs of strangers looked at
    seed: int


class Estimate(NamedTuple):
    """What an estimator found."""

    weights: Weights
    prior: float
    charts: Mapping[str, str]  # name: HTML


Estimator = Callable[[Sample], Estimate]


class Lesson(NamedTuple):
    """A trained model and the charts of its weights (HTML by name)."""

    model: Model
    charts: Mapping[str, str]


def train(
    model: Model,
    records: Sequence[Mapping[str, Any]],
    estimate: Estimator,
    *,
    source: str,
    today: date,
    label: str = "",
    pairs: int = PAIRS,
    seed: int = 1,
) -> Lesson:
    """Return a model with the fields, levels and thresholds of another and weights of its own.

    `label` names a value that records of one person share; without it the pairs are told apart by expectation
    maximisation. Raises GatewayError where the model does not say how it is trained.
    """
    if model.training is None:
        raise GatewayError(f"The model {model.name} has no `training`: it does not say by which rounds it is trained.")
    found = estimate(Sample(model, model.training, records, label, pairs, seed))
    fields = tuple(_weighed(field, found.weights[field.name]) for field in model.fields)
    trained = Trained(by="splink", data=source, records=len(records), note=_how(label, pairs))
    made = msgspec.structs.replace(
        model,
        made=today,
        prior=_rounded(found.prior),
        fields=fields,
        frequencies={name: _counted(name, table, model, records) for name, table in model.frequencies.items()},
        trained=trained,
        digest="",
    )
    return Lesson(made, found.charts)


def _how(label: str, pairs: int) -> str:
    known = f"pairs with the same {label}" if label else "expectation maximisation"
    return f"m by {known}, u by {pairs} random pairs without the true ones among them"


def _weighed(field: Field, told: Mapping[str, tuple[float, float]]) -> Field:
    """Return a field with estimated weights, which add up to one."""
    m = _adding_up({name: told[name][0] for name in field.levels})
    u = _adding_up({name: told[name][1] for name in field.levels})
    levels = {
        name: msgspec.structs.replace(level, m=_rounded(m[name]), u=_rounded(u[name]))
        for name, level in field.levels.items()
    }
    return msgspec.structs.replace(field, levels=levels)


def _adding_up(shares: Mapping[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}


def _counted(name: str, table: Table, model: Model, records: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table counted anew; what only one record has counts as the floor."""
    counts = Counter(value for record in records for value in _terms(name, table, model, record))
    total = counts.total() or 1
    common = {value: _rounded(count / total) for value, count in counts.most_common() if count > 1}
    return msgspec.structs.replace(table, values={v: share for v, share in common.items() if share > table.floor})


def _terms(name: str, table: Table, model: Model, record: Mapping[str, Any]) -> Iterable[str]:
    found = [
        value
        for field in model.fields
        for term in sorted({term for level in field.levels.values() for term, of in level.terms.items() if of == name})
        for value in parts_of(field, term, record)
    ]
    return [sign for value in found for sign in value] if table.by == "character" else found


def _rounded(share: float) -> float:
    return float(f"{share:.{_DIGITS}g}")
