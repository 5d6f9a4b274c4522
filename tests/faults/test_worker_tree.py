"""F2: the whole tree of `gateway serve` is killed at a moment of no meaning, and started again."""

import time

import pytest

from tests.faults.harness import Client, Ledger, Sender, check, message, msa
from tests.faults.worker_site import Site, chance
from tests.faults.worker_tree import Tree


class Bursts(Sender):
    """Sends eight messages at once, then pauses, so that every kill finds messages on their way."""

    def __init__(self, tree, ledger, ids, pause):
        super().__init__(tree, ledger, ids, window=8)
        self.pause = pause

    def _session(self):
        with Client(self._receiver.port, timeout=10) as client:
            while self._left:
                self._burst(client, self._left[: self._window])
                self.giving_up.wait(self.pause)

    def _burst(self, client, group):
        for control_id in group:
            payload = message(control_id)
            self._ledger.sending(control_id, payload)
            client.send(payload)
        for control_id in group:
            code, echoed = msa(client.answer())
            assert echoed == control_id
            self._ledger.answer(control_id, code)
            self._left.remove(control_id)


def first_answer(tree):
    """Start the tree again; return the seconds until a message was answered."""
    began = time.monotonic()
    tree.start()
    while True:
        try:
            with Client(tree.port, timeout=5) as client:
                client.ask(message("FIRST"))
            return time.monotonic() - began
        except (OSError, EOFError):
            assert time.monotonic() - began < 60, tree.log()
            time.sleep(0.01)


def killed_at_random(tmp_path, url, kills, *, connections, messages, luck):
    """Kill the tree again and again while senders go on; return the violations and the waits for a first answer."""
    tree = Tree(tmp_path / "site", url).start().ready()
    ledger = Ledger(tmp_path / "ledger")
    ids = [[f"C{conn}-{n}" for n in range(messages)] for conn in range(connections)]
    senders = [Bursts(tree, ledger, mine, 1.0 if kills > 10 else 0.05) for mine in ids]
    for sender in senders:
        sender.start()
    waits = []
    for _ in range(kills):
        time.sleep(luck.uniform(0, 2 if kills > 10 else 0.2))
        tree.kill()
        waits.append(first_answer(tree))
    tree.ready()
    for sender in senders:
        sender.join(240)
        assert not sender.is_alive()
        assert sender.fault is None, sender.fault
    site = Site(tmp_path / "site", url)
    site.process = tree.process
    site.drained(240)
    found = site.violations()
    inbox = check(tmp_path / "site", ledger, url)
    reports = site.count("DiagnosticReport")
    assert tree.stop() == 0
    site.store.close()
    total = connections * messages
    assert found == []
    assert (len(ledger.answered), inbox.stored, reports) == (total, total + 1, total + 1)
    return len(found) + inbox.violations, waits, found


def told(name, violations, waits):
    slowest = max(waits)
    return (
        f"F2  kill -9 of the whole tree at random times, {name}: {len(waits)} kills: {violations} violations, "
        f"restart to first ACK {sorted(waits)[len(waits) // 2]:.1f} s, at most {slowest:.1f} s"
    )


def test_the_tree_is_killed_at_random_times(tmp_path, report):
    violations, waits, found = killed_at_random(tmp_path, "", 3, connections=4, messages=40, luck=chance("tree"))
    report(told("SQLite", violations, waits))
    assert violations == 0, found


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("database", "kills"), [("SQLite", 100), ("PostgreSQL", 25)])
def test_the_tree_is_killed_at_random_times_many_times(tmp_path, report, server, database, kills):
    url = server.create("worker_tree") if database == "PostgreSQL" else ""
    luck = chance(f"tree {database}")
    violations, waits, found = killed_at_random(tmp_path, url, kills, connections=8, messages=1000, luck=luck)
    report(told(database, violations, waits))
    assert violations == 0, found
    assert sorted(waits)[len(waits) // 2] <= 5
