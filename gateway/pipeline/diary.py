"""The worker's diary: which items it has in hand, so that one that kills workers is found out (promise K7)."""

import json
import os
from pathlib import Path


class Diary:
    """A small file beside the store; it survives the process, and after a power cut nothing is lost without it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside: list[int] = []

    def beside(self, item_ids: list[int]) -> None:
        """Note items that are in hand beside every batch, such as a large file that is being read."""
        if item_ids != self._beside:
            self._beside = item_ids
            self.close()

    def open(self, item_ids: list[int], deaths: int = 0) -> None:
        """Note the items now in hand and how often they have already been there when a worker died."""
        noted = dict.fromkeys(map(str, self._beside), 0) | {str(item_id): deaths for item_id in item_ids}
        self._path.write_text(json.dumps({"parent": os.getppid(), "items": noted}), encoding="ascii")

    def close(self) -> None:
        """Note that nothing is in hand, or only what is beside every batch."""
        if self._beside:
            self.open([])
        else:
            self._path.write_text("{}", encoding="ascii")

    def left(self) -> dict[int, int]:
        """Return the items in hand when the last worker died, each with its deaths.

        This death counts where the process that starts workers lived on; if it died too, nobody knows of what.
        """
        try:
            entry = json.loads(self._path.read_text(encoding="ascii"))
            alone = int(entry.get("parent", 0) == os.getppid())
            return {int(item_id): deaths + alone for item_id, deaths in entry.get("items", {}).items()}
        except (FileNotFoundError, ValueError):
            return {}
