"""Random edits of one client against a model in a dozen lines: same outcomes, same record, same versions, sound store."""

import json
import random
from dataclasses import dataclass, field

import pytest

from gateway.errors import Category, GatewayError
from gateway.record import fsck
from gateway.record.editing import Edit
from tests.unit.record.clients import COUNTY, NUMBER, by_number, editor, text
from tests.unit.record.make import ZONE
from tests.unit.record.test_editing import found


@dataclass
class Model:
    """What the record should hold: number and name of each Patient, and how many versions each id has."""

    held: dict[str, tuple[str, str]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)

    def numbered(self, number: str) -> list[str]:
        return [fid for fid, (known, _) in self.held.items() if known == number]

    def write(self, fid: str, said: tuple[str, str]) -> None:
        if self.held.get(fid) != said:
            self.held[fid] = said
            self.versions[fid] = self.versions.get(fid, 0) + 1

    def delete(self, fid: str) -> None:
        if self.held.pop(fid, None):
            self.versions[fid] += 1


def body_of(number, name, **more):
    return text("Patient", identifier=[{"system": NUMBER, "value": number}], name=[{"text": name}], **more)


def edit_of(rng):
    """Return a random edit with the id, number and name it is about."""
    fid, number, name = rng.choice("abc"), rng.choice("123"), rng.choice("xyz")
    renamed = ({"op": "replace", "path": "/name/0/text", "value": name},)
    edits = {
        "put": Edit("update", "Patient", fid, body_of(number, name, id=fid)),
        "post": Edit("create", "Patient", text=body_of(number, name)),
        "patch": Edit("patch", "Patient", fid, patch=renamed),
        "delete": Edit("delete", "Patient", fid),
        "create-if": Edit("create", "Patient", text=body_of(number, name), criteria=by_number(number)),
        "put-if": Edit("update", "Patient", text=body_of(number, name), criteria=by_number(number)),
        "patch-if": Edit("patch", "Patient", patch=renamed, criteria=by_number(number)),
        "delete-if": Edit("delete", "Patient", criteria=by_number(number)),
    }
    way = rng.choice(list(edits))
    return way, edits[way], fid, number, name


def expected(model, way, fid, number):
    """Return the category of the refusal a model expects, None where the edit is made."""
    matches = model.numbered(number)
    if way.endswith("-if") and len(matches) > 1:
        return Category.PRECONDITION
    if way == "patch-if" and not matches:
        return Category.NOT_FOUND
    if way == "patch" and fid not in model.held:
        return Category.GONE if fid in model.versions else Category.NOT_FOUND
    return None


def follow(model, way, done, fid, number, name):
    """Let the model do what the edit did."""
    matches = model.numbered(number)
    target = {"put": fid, "patch": fid, "delete": fid, "post": ""}.get(way, matches[0] if matches else "")
    if way.startswith("delete"):
        assert done.changed is (target in model.held)
        model.delete(target)
        return
    assert done.created is (target not in model.held)
    stored = done.stored.fid
    assert stored == target or (not target and stored not in model.versions)
    if way != "create-if" or not matches:
        model.write(stored, (model.held[target][0] if way.startswith("patch") else number, name))
    assert done.stored.ver == model.versions[stored]
    assert json.loads(done.stored.body)["meta"]["versionId"] == str(done.stored.ver)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)])
def test_random_edits_leave_what_a_model_holds(store, seed):
    rng, desk, model = random.Random(seed), editor(store), Model()
    for _ in range(60 if seed == 1 else 400):
        way, edit, fid, number, name = edit_of(rng)
        refusal = expected(model, way, fid, number)
        try:
            (done,) = desk.apply(COUNTY, [edit])
        except GatewayError as fault:
            assert fault.category is refusal, (way, fault.text)
        else:
            assert refusal is None, way
            follow(model, way, done, fid, number, name)
    for number in "123":
        matches = found(store, "Patient", identifier=f"{NUMBER}|{number}", _count="1000")
        assert sorted(matches) == sorted(model.numbered(number))
    with store.read() as tx:
        heads = tx.heads([("Patient", fid) for fid in model.versions]).values()
        assert len(tx.changes_since(0, 10_000)) == sum(model.versions.values())
    assert {head.fid: head.ver for head in heads} == model.versions
    assert {head.fid for head in heads if not head.deleted} == set(model.held)
    assert [finding for step in fsck.check(store, ZONE) for finding in step.findings] == []
