"""One attempt at a request's edits on one write transaction, in R4's order: deletes, creates, then changes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.fhir import json_patch, resource
from gateway.fhir.issues import Invalid, Issue
from gateway.record import conditional, content, revision, transaction
from gateway.record.ahead import resolved
from gateway.record.edits import Body, Check, Done, Rules
from gateway.record.incoming import Incoming, judged, questions
from gateway.record.naming import Naming
from gateway.record.removal import remove
from gateway.record.revision import Revision
from gateway.record.standing import placed
from gateway.record.transaction import Links, Pointed
from gateway.store.engine import WriteTx
from gateway.store.resources import visible
from gateway.store.values import Stored

_FIRST = ("create",)


class Attempt:
    """The edits of one request on one transaction; a lost race raises Conflict, and all of it is tried anew.

    `touched` holds every version that an edit made or found, for the audit trail.
    """

    def __init__(self, tx: WriteTx, actor: Actor, zone: str, check: Check, rules: Rules) -> None:
        self._tx = tx
        self._actor = actor
        self._zone = zone
        self._check = check
        self._rules = rules
        self._done: dict[int, Done] = {}
        self._names: set[tuple[str, str]] = set()
        self._standing: set[tuple[str, str]] = set()
        self._links = Links()
        self.touched: list[tuple[str, Stored]] = []

    def run(self, entries: Sequence[Incoming]) -> list[Done]:
        """Apply all edits; return what became of each, in their order."""
        naming = Naming(self._tx, self._actor)
        naming.hold(entries)
        for entry in entries:
            if entry.edit.action == "delete":
                with placed(entry):
                    self._delete(entry)
        revisions = naming.revisions(_ordered(entries))
        self._distinct(revisions)
        self._read(revisions)
        self._write(revisions)
        self._settled(revisions)
        naming.claim()
        self._tell(revisions)
        return [self._done[entry.number] for entry in entries]

    def _delete(self, entry: Incoming) -> None:
        done, made = remove(self._tx, self._actor, entry, self._rules.deletes_at_once)
        for each in made:
            self._once(each.type, each.fid)
        self._done[entry.number] = done
        self.touched += [("delete", each) for each in made]

    def _once(self, kind: str, fid: str) -> None:
        """Refuse a resource that a transaction changes twice (R4 http.html#trules)."""
        if (kind, fid) in self._names:
            raise GatewayError(f"{kind}/{fid} is changed by two entries of the transaction; which one counts?")
        self._names.add((kind, fid))

    def _distinct(self, revisions: Iterable[Revision]) -> None:
        """Give each resource its pid, and each entry's address the resource it stands for."""
        for one in revisions:
            with placed(one.entry):
                if one.writes:
                    self._once(*one.name)
        new = list(dict.fromkeys(one.name for one in revisions if one.head is None))
        pids = dict(zip(new, self._tx.allocate(len(new)), strict=True))
        self._standing = {one.name for one in revisions}
        for one in revisions:
            one.pid = one.head.pid if one.head else pids[one.name]
            if one.edit.full_url:
                with placed(one.entry):
                    self._links.add(one.edit.full_url, _pointed(one))

    # What each resource is to say.

    def _read(self, revisions: Sequence[Revision]) -> None:
        """Take over what clients sent, patches applied to what stands."""
        standing = {
            (one.head.pid, one.head.ver): one
            for one in revisions
            if one.writes and one.head is not None and not one.head.deleted
        }
        for version, text in self._tx.bodies(standing).items():
            standing[version].stored = resource.loads(text, strict=False)
        for one in revisions:
            if one.writes:
                with placed(one.entry):
                    self._content(one)

    def _content(self, one: Revision) -> None:
        if one.edit.action == "patch":
            body = self._patched(one)
            text = resource.dumps(body)
            one.entry = replace(one.entry, body=body, text=text, questions=questions(body, text))

    def _patched(self, one: Revision) -> Body:
        body = json_patch.apply(one.stored or {}, one.edit.patch)
        if (body.get("resourceType"), body.get("id")) != one.name:
            text = f"the patch would change resourceType or id of {one.kind}/{one.fid}; both stay what they are"
            raise Invalid([Issue("error", "business-rule", text, f"{one.kind}.id")])
        judged(body, self._check)
        return body

    # References, then versions: what refers by condition to what this very request makes is written after it.

    def _write(self, revisions: Sequence[Revision]) -> None:
        names = {one.name: one.pid for one in revisions}
        waiting = [one for one in revisions if one.writes]
        while waiting:
            ready = {one: None for one in waiting if self._answered(one)}
            if not ready:
                with placed(waiting[0].entry):
                    raise self._unanswered(waiting[0])
            self._put(list(ready), names)
            waiting = [one for one in waiting if one not in ready]

    def _put(self, ready: Sequence[Revision], names: Mapping[tuple[str, str], int]) -> None:
        for one in ready:
            with placed(one.entry):
                self._refer(one)
                one.writes = one.stored is None or not content.unchanged(one.stored, one.body)
        revision.write(self._tx, self._actor, [one for one in ready if one.writes], names, self._zone)

    def _answered(self, one: Revision) -> bool:
        """Say whether every reference by condition leads to a resource by now."""
        with placed(one.entry):
            answered = [self._answer(text) for text in one.entry.questions]
            return all(answered)

    def _answer(self, text: str) -> bool:
        if text in self._links.found:
            return True
        kind, asked = transaction.condition(text) or ("", "")
        condition = conditional.of_reference(kind, asked, self._zone)
        fids = conditional.matches(self._tx, condition, self._actor.scope)
        if len(fids) > 1:
            raise conditional.several(condition)
        if fids:
            self._links.found[text] = f"{kind}/{fids[0]}"
        return bool(fids)

    def _unanswered(self, one: Revision) -> GatewayError:
        text = next(text for text in one.entry.questions if text not in self._links.found)
        return GatewayError(f"the reference {text} matches nothing that you may see", category=Category.PRECONDITION)

    def _refer(self, one: Revision) -> None:
        """Resolve the references in a resource's text, unless that was done ahead."""
        if one.entry.questions or (self._links.entries and not one.entry.resolved):
            one.entry = resolved(one.entry, self._links, self._check)
        if self._rules.references_exist:
            self._check_targets(one)

    def _check_targets(self, one: Revision) -> None:
        wanted = {name for name in transaction.literals(one.body) if name not in self._standing}
        heads = self._tx.heads(wanted)
        for kind, fid in sorted(wanted):
            head = heads.get((kind, fid))
            if head is None or head.deleted or not visible(head, self._actor.scope):
                text = f"{kind}/{fid} is referred to and is not there; create it first, or in the same transaction"
                raise Invalid([Issue("error", "not-found", text, one.kind)])

    def _settled(self, revisions: Sequence[Revision]) -> None:
        """Refuse a condition that also matches what the transaction creates: R4 has updates look after creates."""
        created = {one.fid for one in revisions if one.edit.action == "create" and one.writes}
        for one in revisions if created else ():
            if one.entry.condition is not None and one.edit.action != "create":
                with placed(one.entry):
                    fids = conditional.matches(self._tx, one.entry.condition, self._actor.scope)
                    if created.intersection(fids):
                        raise conditional.several(one.entry.condition, at_least=len(fids))

    # What became of it.

    def _tell(self, revisions: Sequence[Revision]) -> None:
        made = {one.name: one.made for one in revisions if one.made is not None}
        old = [one.pid for one in revisions if one.name not in made]
        stored = self._tx.current(old)
        for one in revisions:
            stands = made.get(one.name) or stored[one.pid]
            created = one.writes and one.creates
            self._done[one.entry.number] = Done(one.edit, stands, created=created, changed=one.writes)
            found = one.edit.action == "create" and not one.writes
            self.touched.append(("read" if found else one.edit.action, stands))


def _ordered(entries: Iterable[Incoming]) -> list[Incoming]:
    """Return the edits that are no deletes: creates before updates and patches."""
    rest = [entry for entry in entries if entry.edit.action != "delete"]
    return sorted(rest, key=lambda entry: entry.edit.action not in _FIRST)


def _pointed(one: Revision) -> Pointed:
    """Return where references to an entry lead; of a resource named here a version is known."""
    named_here = one.edit.action == "create"
    return Pointed(one.kind, one.fid, one.ver if named_here else 0)
