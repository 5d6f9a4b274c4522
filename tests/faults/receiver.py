"""The receive process under test: a real store, the feeds of the tests, the options named on the command line."""

import argparse
import logging
import sys
from pathlib import Path

from gateway.listeners.options import GateOptions, MllpOptions, ReceiveOptions
from gateway.listeners.process import run_receive
from gateway.store.engine import open_store
from tests.faults.books import book


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--url", default="")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--failpoint", default="")
    parser.add_argument("--max-frame", type=int, default=32 * 1024 * 1024)
    parser.add_argument("--synchronous", default="")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    store = open_store(chosen.url or f"sqlite:///{chosen.data / 'gateway.db'}", chosen.data)
    store.migrate()
    options = ReceiveOptions(
        data=chosen.data,
        mllp=(MllpOptions(port=chosen.port, max_frame=chosen.max_frame),),
        gate=GateOptions(min_free_bytes=1, min_free_share=0),
        failpoint=chosen.failpoint,
        ready_file=chosen.data / "ready",
    )
    try:
        return run_receive(options, store, book())
    finally:
        store.close()


if __name__ == "__main__":
    sys.exit(main())
