"""Write what every feed's samples become: mappings/<site>/<feed>/samples/*.json. Read the difference before you commit.

Usage: python tools/make_golden.py [mappings]
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gateway.mapping import catalog
from gateway.mapping.samples import become, samples


def main(arguments: list[str]) -> int:
    """Write every expected file; returns the exit code."""
    folder = Path(arguments[0] if arguments else "mappings")
    book = catalog.load([folder])
    written = 0
    for feed in book.feeds:
        for sample in samples(folder / feed.site / feed.name):
            text = become(sample.message.read_bytes(), feed, book, sample.message.name)
            sample.expected.write_text(text, encoding="utf-8")
            written += 1
    print(f"{written} samples of {len(book.feeds)} feeds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
