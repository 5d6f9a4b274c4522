"""Replay: map stored messages again and refold every resource they touched, in source order."""

from gateway import clock
from gateway.conformance import structure
from gateway.fhir.issues import Issue
from gateway.mapping.catalog import Catalog
from gateway.mapping.draft import Content
from gateway.pipeline import limits
from gateway.pipeline.commit import applied_row, parked_row
from gateway.pipeline.identify import refused, told_of
from gateway.pipeline.map import map_one
from gateway.pipeline.parse import read
from gateway.pipeline.shelf import Shelf
from gateway.pipeline.values import Drafted, Item, Parked
from gateway.record import write
from gateway.record.refold import Refolding
from gateway.record.states import KeyReused, NewAlias, Plan, Planned, Refused
from gateway.record.write import Effect, Making, Origin
from gateway.store.engine import ReadTx, Store
from gateway.store.values import WorkRow


class Replay:
    """One replay of applied items with the definitions now active."""

    def __init__(
        self, store: Store, catalog: Catalog, shelf: Shelf, secret: bytes, zone: str, mapping_id: int, making: Making
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._shelf = shelf
        self._secret = secret
        self._zone = zone
        self._mapping_id = mapping_id
        self._making = making

    def run(self, item: Item) -> None:
        """Refold what one item touched; a message that no longer maps is parked, and its versions stay."""
        with limits.processor_time():
            effects, row = self._replayed(item)
        self._write(effects, [row])

    def _replayed(self, item: Item) -> tuple[list[Effect], WorkRow]:
        outcome = self._drafted(item)
        if isinstance(outcome, Parked):
            return [], parked_row(outcome)
        try:
            effect, issues = self._settled(outcome)
        except (KeyReused, Refused) as fault:
            return [], parked_row(refused(outcome, fault))
        row = applied_row(outcome, (*effect.plan.issues, *issues), self._mapping_id, clock.now_us())
        return [effect], row

    def _settled(self, outcome: Drafted) -> tuple[Effect, list[Issue]]:
        """Refold what an item made versions of, then also what it would change now, until that is all of it.

        A message that only confirmed what was known made no version, and still has its place in the order of all.
        """
        with self._store.read() as tx:
            pids = {version.pid for version in tx.versions_of_item(outcome.item.item_id)}
            while True:
                effect, issues = self._refolded(tx, outcome, pids)
                more = {planned.state.pid for planned in effect.plan.versions} - pids - {0}
                if not more:
                    return effect, issues
                pids |= more

    def _refolded(self, tx: ReadTx, outcome: Drafted, pids: set[int]) -> tuple[Effect, list[Issue]]:
        histories = [versions for pid in sorted(pids) if (versions := tx.versions(pid))]
        told = [versions for versions in histories if all(version.item_id for version in versions)]
        others = {version.item_id for versions in told for version in versions} - {outcome.item.item_id}
        bench = Refolding(tx, self._secret, self._zone, {(versions[0].type, versions[0].fid) for versions in told})
        drafted = [outcome, *self._others(sorted(number for number in others if number))]
        return self._refold(bench, drafted, outcome.item)

    def _others(self, item_ids: list[int]) -> list[Drafted]:
        with self._store.read() as tx:
            rows = tx.work_rows(item_ids)
        picked = self._shelf.again(list(rows.values()), self._catalog.book())
        outcomes = [self._drafted(item) for item in picked.items]
        return [outcome for outcome in outcomes if isinstance(outcome, Drafted)]

    def _drafted(self, item: Item) -> Drafted | Parked:
        parsed = read(item)
        return parsed if isinstance(parsed, Parked) else map_one(parsed, self._catalog)

    def _refold(self, bench: Refolding, drafted: list[Drafted], item: Item) -> tuple[Effect, list[Issue]]:
        told = sorted((told_of(entry) for entry in drafted), key=lambda entry: (entry.source_us, entry.item_id))
        bench.prefetch(told)
        aliases: list[NewAlias] = []
        contents: list[Content] = []
        issues: list[Issue] = []
        for entry in told:
            try:
                plan = bench.plan(entry)
            except (KeyReused, Refused) as fault:
                if entry.item_id == item.item_id:
                    raise
                issues.append(Issue("warning", "business-rule", fault.text, fault.where))
                continue
            aliases.extend(plan.aliases)
            contents.extend(plan.contents)
            bench.adopt(plan)
        versions = [planned for planned in bench.changed() if structure.is_valid(planned.body)]
        issues.extend(_invalid(name) for name in _names(bench.changed()) - _names(versions))
        issues.extend(_untold(name) for name in bench.untold())
        origin = Origin(item.feed.site, item.feed.name, item.item_id, self._mapping_id, item.test)
        plan = Plan(versions, aliases, contents=contents)
        return write.prepare(plan, origin, clock.now_us(), self._making), issues

    def _write(self, effects: list[Effect], rows: list[WorkRow]) -> None:
        write.keep(self._store, effects)
        with self._store.write() as tx:
            write.write(tx, effects, rows, clock.now_us())


def _names(versions: list[Planned]) -> set[str]:
    return {planned.state.reference for planned in versions}


def _untold(name: str) -> Issue:
    return Issue("warning", "business-rule", f"{name} is no longer told by any message; it was left as it is", name)


def _invalid(name: str) -> Issue:
    return Issue("error", "invalid", f"{name} would not be valid FHIR by the active definitions; it was left", name)
