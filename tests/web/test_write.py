"""Writing over HTTP as a clinic's system does it: statuses, headers, conditions, and what the client prefers."""

import base64
import gzip
import json
import zlib

import pytest

from tests.web.desk import FHIR, PATCH, issue, opened, patient, result


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("write")) as made:
        yield made


def test_a_create_tells_where_the_resource_is(desk):
    text = b'{ "resourceType": "Observation", "status":"final", "code":{"text":"K"},"valueQuantity":{"value":5.10} }'
    answer = desk.ask("POST", "/Observation", text)
    assert answer.status_code == 201
    fid = answer.json()["id"]
    assert answer.headers["location"] == f"http://127.0.0.1:8000/fhir/Observation/{fid}/_history/1"
    assert answer.headers["content-location"] == answer.headers["location"]
    assert answer.headers["etag"] == 'W/"1"'
    assert "last-modified" in answer.headers
    read = desk.ask("GET", f"/Observation/{fid}")
    assert read.content == answer.content
    assert b'"valueQuantity":{"value":5.10}' in read.content
    assert desk.ask("GET", f"/Observation/{fid}/_history/1").content == answer.content


def test_an_update_makes_the_next_version_and_a_repetition_none(desk):
    made = desk.create(patient("up"))
    changed = {**made, "gender": "male"}
    answer = desk.ask("PUT", f"/Patient/{made['id']}", changed)
    assert (answer.status_code, answer.headers["etag"]) == (200, 'W/"2"')
    assert "location" not in answer.headers
    again = desk.ask("PUT", f"/Patient/{made['id']}", changed)
    assert (again.status_code, again.headers["etag"], again.content) == (200, 'W/"2"', answer.content)


def test_an_update_may_create(desk):
    answer = desk.ask("PUT", "/Patient/own-id", patient("own", id="own-id"), if_none_match="*")
    assert (answer.status_code, answer.headers["location"][-26:]) == (201, "/Patient/own-id/_history/1")
    assert issue(desk.ask("PUT", "/Patient/own-id", patient("own", id="own-id"), if_none_match="*"), 412)
    both = desk.ask("PUT", "/Patient/own-id", patient("own", id="own-id"), if_none_match="*", if_match='W/"1"')
    assert issue(both, 400)["expression"] == ["If-None-Match"]
    assert issue(desk.ask("PUT", "/Patient/own-id", patient("own", id="own-id"), if_none_match='W/"1"'), 400)


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ('W/"1"', 200),
        ('"1"', 200),
        ("1", 400),
        ("*", 400),
        ('W/"1", W/"2"', 400),
        ('W/"7"', 412),
        ('W/"x"', 412),
        ("", 400),
    ],
)
def test_a_version_that_is_named_must_be_the_current_one(desk, tag, status):
    made = desk.create(patient("tag"))
    changed = {**made, "gender": "female"}
    assert desk.ask("PUT", f"/Patient/{made['id']}", changed, if_match=tag).status_code == status
    patched = desk.ask("PATCH", f"/Patient/{made['id']}", b"[]", if_match='W/"9"')
    assert issue(patched, 412)
    assert issue(desk.ask("DELETE", f"/Patient/{made['id']}", if_match='W/"9"'), 412)


def test_a_delete_leaves_the_past(desk):
    made = desk.create(patient("gone"))
    answer = desk.ask("DELETE", f"/Patient/{made['id']}")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", 'W/"2"')
    gone = desk.ask("GET", f"/Patient/{made['id']}")
    assert (issue(gone, 410)["code"], gone.headers["etag"]) == ("deleted", 'W/"2"')
    assert desk.ask("GET", f"/Patient/{made['id']}/_history/1").status_code == 200
    assert desk.ask("DELETE", f"/Patient/{made['id']}").status_code == 204
    told = desk.ask("DELETE", f"/Patient/{made['id']}", prefer="return=OperationOutcome")
    assert issue(told, 200)["severity"] == "information"
    assert (
        "nothing to delete"
        in issue(desk.ask("DELETE", "/Patient/never", prefer="return=OperationOutcome"), 200)["diagnostics"]
    )
    again = desk.ask("PUT", f"/Patient/{made['id']}", made)
    assert (again.status_code, again.headers["etag"]) == (201, 'W/"3"')


def test_what_a_client_prefers(desk):
    minimal = desk.ask("POST", "/Patient", patient("p1"), prefer="return=minimal")
    assert (minimal.status_code, minimal.content, minimal.headers["content-length"]) == (201, b"", "0")
    assert "content-type" not in minimal.headers
    assert minimal.headers["location"]
    told = desk.ask("POST", "/Patient", patient("p2"), prefer='handling=strict; return="OperationOutcome"')
    assert "was created" in issue(told, 201)["diagnostics"]
    fid = told.headers["location"].split("/")[-3]
    same = desk.ask("PUT", f"/Patient/{fid}", patient("p2", id=fid), prefer="return=OperationOutcome")
    assert "stays as it is" in issue(same, 200)["diagnostics"]
    new = desk.ask("PUT", f"/Patient/{fid}", patient("p3", id=fid), prefer="return=OperationOutcome")
    assert "was changed" in issue(new, 200)["diagnostics"]
    assert desk.ask("POST", "/Patient", patient("p4"), prefer="return=frob, respond-async").json()["id"]


def test_a_conditional_create_finds_what_is_there(desk):
    made = desk.create(patient("cc"), if_none_exist="identifier=urn:test:card|cc")
    answer = desk.ask("POST", "/Patient", patient("cc"), if_none_exist="?identifier=urn%3Atest%3Acard%7Ccc")
    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])
    assert "location" not in answer.headers
    named = patient("c3", name=[{"text": "张三"}])
    first = desk.create(named, if_none_exist="Patient?name=张三")
    assert desk.ask("POST", "/Patient", named, if_none_exist="name=%E5%BC%A0%E4%B8%89").json()["id"] == first["id"]
    for _ in range(2):
        desk.create(patient("many"))
    assert issue(desk.ask("POST", "/Patient", patient("many"), if_none_exist="identifier=urn:test:card|many"), 412)


@pytest.mark.parametrize("condition", ["", "_format=json", "identifier=", "frob=1", "_id", "name=%ff"])
def test_a_condition_that_names_nothing_is_refused(desk, condition):
    before = desk.web.fhir("Patient?_summary=count")["total"]
    assert desk.ask("POST", "/Patient", patient(), if_none_exist=condition).status_code in (400, 412)
    assert desk.ask("DELETE", f"/Patient?{condition}").status_code in (400, 412)
    assert desk.ask("PUT", f"/Patient?{condition}", patient()).status_code in (400, 412)
    assert desk.web.fhir("Patient?_summary=count")["total"] == before


def test_conditional_update_patch_and_delete(desk):
    query = "/Patient?identifier=urn:test:card|cu"
    made = desk.ask("PUT", query, patient("cu"))
    assert made.status_code == 201
    changed = desk.ask("PUT", query, patient("cu", gender="male"))
    assert (changed.status_code, changed.json()["id"]) == (200, made.json()["id"])
    patched = desk.ask("PATCH", query, [{"op": "replace", "path": "/gender", "value": "other"}])
    assert (patched.status_code, patched.json()["gender"]) == (200, "other")
    assert issue(desk.ask("PATCH", "/Patient?identifier=urn:test:card|nobody", []), 404)
    assert desk.ask("DELETE", query).status_code == 204
    assert desk.ask("GET", f"/Patient/{made.json()['id']}").status_code == 410
    assert desk.ask("DELETE", query).status_code == 204


def test_a_patch_keeps_digits_and_refuses_what_fhir_refuses(desk):
    made = desk.create(result("Patient/x", valueQuantity={"value": 1}))
    place = f"/Observation/{made['id']}"
    answer = desk.ask("PATCH", place, b'[{"op":"replace","path":"/valueQuantity/value","value":72.50}]')
    assert b'"value":72.50' in answer.content
    assert answer.headers["etag"] == 'W/"2"'
    wrong = issue(desk.ask("PATCH", place, [{"op": "add", "path": "/status", "value": "frob"}]), 422)
    assert wrong["expression"] == ["Observation.status"]
    assert issue(desk.ask("PATCH", place, [{"op": "remove", "path": "/frob"}]), 422)["expression"] == ["patch[0].path"]
    assert issue(desk.ask("PATCH", place, b"{}"), 400)["expression"] == ["patch"]
    assert desk.ask("PATCH", place, [{"op": "replace", "path": "/id", "value": "other"}]).status_code in (400, 422)


@pytest.mark.parametrize("media", [FHIR, "application/xml-patch+xml", "application/merge-patch+json", "text/plain", ""])
def test_other_patches_are_refused_politely(desk, media):
    answer = desk.ask("PATCH", "/Patient/own-id", b"[]", content_type=media)
    assert "application/json-patch+json" in issue(answer, 415)["diagnostics"]
    assert answer.headers["accept-patch"] == PATCH


@pytest.mark.parametrize(
    ("media", "status"),
    [
        (FHIR, 201),
        ("application/json", 201),
        ("application/fhir+json; charset=UTF-8", 201),
        ('application/fhir+json; charset="utf-8"; fhirVersion=4.0', 201),
        ("Application/FHIR+JSON", 201),
        ("application/fhir+json; fhirVersion=5.0", 415),
        ("application/fhir+json; charset=gbk", 415),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("", 415),
    ],
)
def test_content_types(desk, media, status):
    answer = desk.ask("POST", "/Patient", patient(), content_type=media)
    assert answer.status_code == status
    if status == 415:
        assert issue(answer, 415)["expression"] == ["Content-Type"]


@pytest.mark.parametrize(
    ("path", "body", "status", "where"),
    [
        ("/Patient", b"", 400, None),
        ("/Patient", b"  ", 400, None),
        ("/Patient", b"{", 400, None),
        ("/Patient", b"[]", 400, None),
        ("/Patient", b'{"resourceType":"Patient","id":"a","id":"b"}', 400, None),
        ("/Patient", b'{"resourceType":"Patient","name":[{"family":"\xff"}]}', 400, None),
        ("/Patient", {"resourceType": "Basic", "code": {}}, 400, "resourceType"),
        ("/Patient", {"name": []}, 400, None),
        ("/Patient", {"resourceType": "Patient", "gender": "x"}, 422, "Patient.gender"),
        ("/Patient", {"resourceType": "Patient", "frob": 1}, 422, "Patient"),
        ("/Patient", {"resourceType": "Patient", "birthDate": "2026-02-30"}, 422, "Patient.birthDate"),
        ("/Foo", {"resourceType": "Foo"}, 404, None),
        ("/Patient?name=x", {"resourceType": "Patient"}, 400, "name"),
    ],
)
def test_what_cannot_be_taken_says_where(desk, path, body, status, where):
    told = issue(desk.ask("POST", path, body), status)
    assert where is None or told["expression"] == [where]


def test_ids_of_updates(desk):
    assert issue(desk.ask("PUT", "/Patient/a", patient(id="b")), 400)
    assert issue(desk.ask("PUT", "/Patient/a", patient()), 400)
    assert issue(desk.ask("PUT", "/Patient/a_b", patient(id="a_b")), 400)
    assert issue(desk.ask("PUT", "/Patient", patient(id="a")), 400)["expression"] == ["url"]
    assert issue(desk.ask("POST", "/Patient/a", patient(id="a")), 405)


def test_deep_json_is_refused_by_setting(desk, tmp_path):
    body: dict = {"url": "urn:x", "valueString": "x"}
    for _ in range(20):
        body = {"url": "urn:x", "extension": [body]}
    with opened(tmp_path, max_nesting=10) as shallow:
        assert "10 are allowed" in issue(shallow.ask("POST", "/Patient", patient(extension=[body])), 400)["diagnostics"]
        assert shallow.ask("POST", "/Patient", patient()).status_code == 201
    assert desk.ask("POST", "/Patient", patient(extension=[body])).status_code == 201
    deep = b'{"resourceType":"Patient","name":' + b"[" * 5000 + b"]" * 5000 + b"}"
    assert issue(desk.ask("POST", "/Patient", deep), 400)


def test_large_bodies_are_refused(tmp_path):
    with opened(tmp_path, max_body_bytes=2000) as small:
        assert small.ask("POST", "/Patient", patient()).status_code == 201
        large = json.dumps(patient(text={"status": "generated", "div": "x" * 3000})).encode()
        assert issue(small.ask("POST", "/Patient", large), 413)["code"] == "too-long"
        assert issue(small.ask("POST", "/Patient", parts(large)), 413)
        bomb = gzip.compress(b" " * 1_000_000)
        assert len(bomb) < 2000
        assert issue(small.ask("POST", "/Patient", bomb, content_encoding="gzip"), 413)


async def parts(body):
    for at in range(0, len(body), 500):
        yield body[at : at + 500]


def test_bodies_in_gzip(desk):
    packed = gzip.compress(json.dumps(patient("gz")).encode())
    assert desk.ask("POST", "/Patient", packed, content_encoding="gzip").status_code == 201
    two = gzip.compress(b'{"resourceType":') + gzip.compress(b'"Patient"}')
    assert desk.ask("POST", "/Patient", two, content_encoding="GZIP").status_code == 201
    plain = json.dumps(patient()).encode()
    assert desk.ask("POST", "/Patient", plain, content_encoding="identity").status_code == 201
    assert issue(desk.ask("POST", "/Patient", plain, content_encoding="gzip"), 400)["expression"] == [
        "Content-Encoding"
    ]
    assert "too early" in issue(desk.ask("POST", "/Patient", packed[:-4], content_encoding="gzip"), 400)["diagnostics"]
    other = desk.ask("POST", "/Patient", zlib.compress(plain), content_encoding="deflate")
    assert (issue(other, 415)["expression"], other.headers["accept-encoding"]) == (["Content-Encoding"], "gzip")
    form = gzip.compress(b"identifier=urn:test:card|gz")
    found = desk.web.ask(
        "POST",
        "/fhir/Patient/_search",
        content=form,
        headers={"content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded"},
    )
    assert len(found.json()["entry"]) == 1


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("*", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("br", False),
    ],
)
def test_large_answers_are_packed_for_those_who_take_it(desk, accepted, packed):
    made = desk.create(patient("large", contact=[{"name": {"text": f"联系人{n}"}} for n in range(200)]))
    answer = desk.web.get(f"/fhir/Patient/{made['id']}", headers={"accept-encoding": accepted})
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.json() == made
    small = desk.web.get(f"/fhir/Patient/{desk.create(patient('small'))['id']}", headers={"accept-encoding": accepted})
    assert "content-encoding" not in small.headers


def test_a_binary_may_be_sent_as_its_bytes(desk):
    answer = desk.ask("POST", "/Binary", b"%PDF-1.4 x", content_type="application/pdf")
    assert answer.status_code == 201
    fid = answer.json()["id"]
    read = desk.web.get(f"/fhir/Binary/{fid}", headers={"accept": "*/*"})
    assert (read.content, read.headers["content-type"]) == (b"%PDF-1.4 x", "application/pdf")
    put = desk.ask("PUT", f"/Binary/{fid}", b"words", content_type="text/plain; charset=gbk")
    assert (put.status_code, put.json()["contentType"], put.headers["etag"]) == (200, "text/plain", 'W/"2"')
    body = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"own").decode()}
    for media in (FHIR, "application/json"):
        made = desk.ask("POST", "/Binary", body, content_type=media)
        assert base64.b64decode(made.json()["data"]) == b"own"
    plain = desk.ask("POST", "/Binary", b'{"a":1}', content_type="application/json")
    assert (plain.json()["contentType"], base64.b64decode(plain.json()["data"])) == ("application/json", b'{"a":1}')


def test_binaries_that_are_refused(desk):
    context = desk.ask("POST", "/Binary", b"x", content_type="text/plain", x_security_context="Patient/1")
    assert issue(context, 400)["expression"] == ["X-Security-Context"]
    assert issue(desk.ask("POST", "/Binary", b"x", content_type=""), 415)
    assert issue(desk.ask("POST", "/Binary", b"<Binary/>", content_type="application/fhir+xml"), 415)


def test_writing_needs_the_right_to(desk):
    closed = desk.web.ask("POST", "/fhir/Patient", json=patient(), client="192.0.2.7")
    assert issue(closed, 401)["code"] == "login"
    from tests.web.county import make

    shut = make(desk.web.store, desk.web.data, insecure_local=False)
    assert issue(shut.ask("POST", "/fhir/Patient", json=patient()), 401)
