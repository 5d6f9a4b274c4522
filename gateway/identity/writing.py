"""A model as the text of its file: what gateway.identity.model reads, in an order that a person can follow."""

from typing import Any

import msgspec
import yaml

from gateway.identity.model import Model

_HEAD = """\
# How much each field says about two records being of one person (docs/identity.md, "The score and its model").
# Each level has m, its share among pairs of one person, and u, its share among pairs of strangers: log2(m / u) bits.
"""
_ORDER = (
    "format", "name", "made", "note", "trained", "prior", "thresholds", "training", "frequencies", "fields",
)  # fmt: skip


class _Dumper(yaml.SafeDumper):
    """Writes what stands deepest on one line, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: each value is written where it stands."""
        return True


def text(model: Model) -> str:
    """Return a model as YAML; what has its default value is left out, and so is the digest."""
    told = msgspec.to_builtins(model, builtin_types=(type(model.made),))
    left = {word: _plain(told[word]) for word in _ORDER if told[word] not in ("", None)}
    body: str = yaml.dump(left, Dumper=_Dumper, allow_unicode=True, sort_keys=False, default_flow_style=None, width=118)
    return _HEAD + body


def _plain(value: Any) -> Any:
    """Return a value without the empty ones in it."""
    if isinstance(value, dict):
        kept = {name: _plain(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in ("", None, {}, []) or name == "values"}
    return [_plain(one) for one in value] if isinstance(value, (list, tuple)) else value
