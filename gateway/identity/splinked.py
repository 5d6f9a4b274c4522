"""splink as the estimator of training: it blocks, samples and runs EM, and asks our own comparisons for every level.

Only training imports this module, and only here is splink imported: `pip install 'yigong-gateway[train]'`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.errors import GatewayError
from gateway.identity.fields import Field
from gateway.identity.program import keys_of, leveller, levels_of
from gateway.identity.strangers import Strangers, believed
from gateway.identity.training import Estimate, Sample, Weights

_WANTED = (
    "Training needs splink and duckdb, which the gateway does not need to run: pip install 'yigong-gateway[train]'."
)
_ITERATIONS = (25, 8, 3)
_CHARTS = {"weights": "match_weights_chart", "shares": "m_u_parameters_chart"}


def estimate(sample: Sample) -> Estimate:
    """Return the weights of a model's fields, estimated by splink; raises GatewayError where splink is not there."""
    try:
        import splink  # noqa: PLC0415 - an extra that only training needs
        from splink.internals.duckdb.database_api import DuckDBAPI  # noqa: PLC0415
    except ImportError as fault:
        raise GatewayError(f"{_WANTED} ({fault.name} is missing)") from fault
    logging.getLogger("splink").setLevel(logging.ERROR)  # it tells of every level that a round does not have
    return _Bench(splink, DuckDBAPI, sample).estimate()


class _Bench:
    """The records in DuckDB, the comparisons as its functions, and splink's linkers over them."""

    def __init__(self, splink: Any, api: Any, sample: Sample) -> None:
        import duckdb  # noqa: PLC0415 - comes with splink

        self._splink = splink
        self._sample = sample
        self._strangers = Strangers(sample)
        connection = duckdb.connect(":memory:", config={"threads": 1})  # one thread: the same sums every time
        self._api = api(connection)
        for test, field in zip(sample.model.program, sample.model.fields, strict=True):
            _register(connection, f"agree_{field.name}", leveller(test, field), sample.records)
        self._table = self._api.register(_table(sample), dataset_display_name="records")

    def estimate(self) -> Estimate:
        """Return m, u, the prior and the charts: u of random pairs, then m, then u of strangers alone, and m again."""
        prior = self._prior(self._linker(self._sample.model.prior, {}))
        found = self._found(self._taught(prior, {}), prior)
        clean = self._strangers.shares(found, prior)
        told = {
            field: {name: (m, clean[field][name]) for name, (m, _) in levels.items()} for field, levels in found.items()
        }
        last = self._taught(prior, told)
        charts = {name: getattr(last.visualisations, made)().to_html(inline=True) for name, made in _CHARTS.items()}
        return Estimate(self._found(last, prior), prior, charts)

    def _taught(self, prior: float, weights: Weights) -> Any:
        """Return a linker that has learnt m, and u where no weights are given.

        Rounds of EM take a level that no true pair has ever nearer to nought, and splink refuses what is below 1e-300;
        then fewer rounds must do.
        """
        for most in _ITERATIONS:
            linker = self._linker(prior, weights, most)
            try:
                if not weights:
                    linker.training.estimate_u_using_random_sampling(
                        max_pairs=self._sample.pairs, seed=self._sample.seed, min_count_per_level=None
                    )
                self._learn_m(linker)
            except ValueError as fault:
                refused = fault
            else:
                return linker
        raise GatewayError(f"splink cannot estimate weights from these records: {refused}") from refused

    def _prior(self, linker: Any) -> float:
        """Return the share of pairs of one person: those that are surely so, and as many more as the model says."""
        training = self._sample.training
        if not training.sure:
            return self._sample.model.prior
        linker.training.estimate_probability_two_random_records_match(
            [_agreeing(names) for names in training.sure], recall=training.recall
        )
        prior: float = linker.misc.save_model_to_json()["probability_two_random_records_match"]
        return prior

    def _learn_m(self, linker: Any) -> None:
        """Estimate m from the pairs with one label, or where nobody knows the pairs, round by round."""
        if self._sample.label:
            linker.training.estimate_m_from_label_column("label")
            return
        for names in self._sample.training.rounds:
            linker.training.estimate_parameters_using_expectation_maximisation(
                _agreeing(names), estimate_without_term_frequencies=True
            )

    def _linker(self, prior: float, weights: Weights, iterations: int = 1) -> Any:
        settings = {
            "link_type": "dedupe_only",
            "unique_id_column_name": "row",
            "probability_two_random_records_match": prior,
            "comparisons": [_comparison(field, weights.get(field.name, {})) for field in self._sample.model.fields],
            "blocking_rules_to_generate_predictions": [],
            "retain_matching_columns": False,
            "max_iterations": iterations,
        }
        return self._splink.Linker(self._table, settings, log_level=None)

    def _found(self, linker: Any, prior: float) -> Weights:
        """Return m and u by field and level; of what the records are too few to see, what the model said or less."""
        told = {one["output_column_name"]: one for one in linker.misc.save_model_to_json()["comparisons"]}
        count, strange = len(self._sample.records), self._sample.pairs
        weights = {}
        for field in self._sample.model.fields:
            levels = {one["label_for_charts"]: one for one in told[field.name]["comparison_levels"]}
            true = prior * count * (count - 1) / 2 * self._strangers.told(field.name)
            weights[field.name] = {
                name: (
                    believed(true * levels[name].get("m_probability", 0.0), true, level.m),
                    max(levels[name].get("u_probability", 0.0), min(level.u, 1 / strange)),
                )
                for name, level in field.levels.items()
            }
        return weights


def _table(sample: Sample) -> Any:
    """Return the table splink works on: the record's number, and of each field the first text it agrees by."""
    import pyarrow  # noqa: PLC0415 - comes with splink

    columns: dict[str, Any] = {"row": pyarrow.array(range(len(sample.records)), pyarrow.int32())}
    for field in sample.model.fields:
        firsts = [next(iter(keys_of(field, record)), None) for record in sample.records]
        columns[f"of_{field.name}"] = pyarrow.array(firsts, pyarrow.string())
    if sample.label:
        told = [str(record.get(sample.label) or "") or None for record in sample.records]
        columns["label"] = pyarrow.array(told, pyarrow.string())
    return pyarrow.table(columns)


def _agreeing(names: Sequence[str]) -> str:
    return " and ".join(f"l.of_{name} = r.of_{name}" for name in names)


def _comparison(field: Field, weights: Mapping[str, tuple[float, float]]) -> dict[str, Any]:
    """Return a field as splink wants it: each level asks our comparison, and names the column it is about."""
    call = f"agree_{field.name}(row_l, row_r, of_{field.name}_l, of_{field.name}_r)"
    order = levels_of(field)
    levels: list[dict[str, Any]] = [
        {"sql_condition": f"{call} = -1", "label_for_charts": "missing", "is_null_level": True}
    ]
    for place, name in enumerate(order):
        condition = f"{call} = {place}" if place < len(order) - 1 else "ELSE"
        known = dict(zip(("m_probability", "u_probability"), weights.get(name, ()), strict=False))
        levels.append({"sql_condition": condition, "label_for_charts": name, **known})
    return {"output_column_name": field.name, "comparison_levels": levels}


def _register(connection: Any, name: str, level: Callable[[Any, Any], int], records: Sequence[Any]) -> None:
    """Give DuckDB a function of two columns of record numbers.

    splink asks once for each level, of the rows that no better level had; so the answers of the last whole chunk are
    kept, sorted by pair.
    """
    import numpy  # noqa: PLC0415 - DuckDB's functions need it
    import pyarrow  # noqa: PLC0415 - comes with splink

    last: list[Any] = [numpy.empty(0, numpy.int64), numpy.empty(0, numpy.int8)]
    count = len(records)

    def answers(left: Any, right: Any, _left_key: Any, _right_key: Any) -> Any:
        asked = numpy.asarray(left) * count + numpy.asarray(right)
        known, found = last
        places = numpy.minimum(numpy.searchsorted(known, asked), max(len(known) - 1, 0))
        if not len(known) or not (known[places] == asked).all():
            known, places = numpy.unique(asked, return_inverse=True)
            pairs = (divmod(pair, count) for pair in known.tolist())
            found = numpy.fromiter((level(records[a], records[b]) for a, b in pairs), numpy.int8, len(known))
            last[:] = known, found
        return pyarrow.array(found[places])

    types = ["BIGINT", "BIGINT", "VARCHAR", "VARCHAR"]
    connection.create_function(name, answers, types, "TINYINT", type="arrow", null_handling="special")
