"""A process that stores messages and applies them, telling each acknowledged one, until it is killed."""

import sys

from gateway.store.engine import open_store
from gateway.store.values import State
from tests.store.make import arrival, version, work


def main(url: str) -> None:
    """Store and apply without end; print `number pid` after each commit."""
    store = open_store(url)
    number = 0
    while True:
        number += 1
        batch = [arrival(f"message {number}-{n}", control_id=f"{number}-{n}") for n in range(5)]
        for receipt in store.inbox.append(batch):
            print("stored", receipt.id, flush=True)
        with store.write() as tx:
            pid = tx.allocate(1)[0]
            tx.put([version(pid, f"fid{number}")])
            tx.work_put([work(receipt.id, State.APPLIED)])
        print("applied", pid, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
