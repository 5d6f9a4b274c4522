"""The receive process under test: a real store, the feeds of the tests, the options named on the command line."""

import argparse
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

from gateway.listeners.options import FolderOptions, GateOptions, MllpOptions, ReceiveOptions
from gateway.listeners.process import run_receive
from gateway.store.engine import open_store
from gateway.store.sqlite import SqliteFile
from tests.faults.books import book


def weaken(level: str) -> None:
    """Open SQLite with a lesser promise: the negative control of the tests about power loss."""
    strong = SqliteFile._settings

    def settings(self: SqliteFile) -> Iterator[str]:
        for setting in strong(self):
            yield setting.replace("synchronous=FULL", f"synchronous={level}")

    SqliteFile._settings = settings  # type: ignore[method-assign]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--ready", type=Path, required=True)
    parser.add_argument("--url", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--failpoint", default="")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--max-frame", type=int, default=32 * 1024 * 1024)
    parser.add_argument("--synchronous", default="")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if chosen.synchronous:
        weaken(chosen.synchronous)
    store = open_store(chosen.url or f"sqlite:///{chosen.data / 'gateway.db'}", chosen.data)
    store.migrate()
    options = ReceiveOptions(
        data=chosen.data,
        mllp=(MllpOptions(port=chosen.port, max_frame=chosen.max_frame),),
        folders=(FolderOptions(chosen.folder, "faults", settle=0),) if chosen.folder else (),
        gate=GateOptions(min_free_bytes=1, min_free_share=0),
        failpoint=chosen.failpoint,
        ready_file=chosen.ready,
    )
    try:
        return run_receive(options, store, book())
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
