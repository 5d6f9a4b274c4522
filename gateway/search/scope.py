"""Scope: which part of the record a query may see; every query takes one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """Sites and hidden sensitivity labels of one actor; `None` sites means every site.

    `hidden` is a bit set of sensitivity labels the actor must not see; `test` asks for the test partition
    (MSH-11 T or D) instead of the record. Only fsck, reindex and publish may use `Scope.everything`.
    """

    sites: frozenset[str] | None
    hidden: int = 0
    test: bool = False

    @staticmethod
    def everything() -> "Scope":
        """Return the scope of maintenance work: all sites, nothing hidden."""
        return Scope(sites=None)
