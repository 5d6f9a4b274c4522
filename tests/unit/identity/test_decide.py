"""Whether two records are one person: each rule by its code, and what must hold whatever the records say."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import model as models
from gateway.identity import rules
from gateway.identity.agreement import births, names
from gateway.identity.decide import Decision, Verdict, decide
from gateway.identity.evidence import Evidence, Name
from gateway.identity.rules import HEIGHT
from gateway.settings import shipped

ID, OTHER_ID, NEAR_ID = "11010519491231002X", "440524188001010014", "110105194912310038"
MODEL = models.shipped()


def name(text: str, sound: str = "", *, damaged: bool = False) -> Name:
    return Name(text, text[:1], text[1:], sound or text, damaged)


WANG = name("王建国", "wang jian guo")
BROTHER = name("王建军", "wang jian jun")
HOMOPHONE = name("王剑国", "wang jian guo")
LI = name("李小红", "li xiao hong")


def record(site: str = "a", **values: Any) -> Evidence:
    told: dict[str, Any] = {"names": (WANG,), "sex": "male", "birth": "1949-12-31"}
    return Evidence(site, **{**told, **values})


HOME: dict[str, Any] = {"phones": ("10000000001",), "address": "东山镇李村3组12号", "area": "东山镇李村"}
PHONE = HOME["phones"]
PLACE = {key: HOME[key] for key in ("address", "area")}
OUYANG = (name("欧阳建国", "ou yang jian guo"),)


def decided(a: Evidence, b: Evidence) -> Decision:
    found = decide(a, b, MODEL)
    assert decide(b, a, MODEL) == found
    return found


@dataclass
class Case:
    code: str
    verdict: str
    a: Evidence
    b: Evidence


CASES = [
    Case("same-resident-id", "same", record(resident=ID), record("b", resident=ID)),
    Case("same-resident-id", "same", record(resident=ID), record("b", resident=ID, names=(HOMOPHONE,))),
    Case(
        "same-resident-id",
        "same",
        record(resident=ID),
        record("b", resident=ID, names=(name("王建�", damaged=True),), birth="", sex=""),
    ),
    Case("same-resident-id-in-conflict", "review", record(resident=ID), record("b", resident=ID, names=(LI,))),
    Case("same-resident-id-in-conflict", "review", record(resident=ID), record("b", resident=ID, names=(BROTHER,))),
    Case("same-resident-id-in-conflict", "review", record(resident=ID), record("b", resident=ID, sex="female")),
    Case("same-resident-id-in-conflict", "review", record(resident=ID), record("b", resident=ID, birth="1975-03-04")),
    Case("no-name", "review", record(resident=ID), record("b", resident=ID, names=())),
    Case("borrowed-id", "review", record(resident=ID), record("b", resident=ID, flags=("borrowed-id",))),
    Case(
        "same-resident-id-unreadable-name",
        "same",
        record(resident=ID),
        record("b", resident=ID, names=(name("锟斤拷", damaged=True),)),
    ),
    Case("newborn-name", "review", record(resident=ID, flags=("newborn-name",)), record("b", resident=ID)),
    Case(
        "newborn-under-a-parents-id",
        "contradicted",
        record(resident=ID),
        record("b", resident=ID, names=(name("王建国之子"),), birth="2026-01-01", flags=("newborn-name",)),
    ),
    Case(
        "borrowed-resident-id",
        "contradicted",
        record(resident=ID),
        record("b", resident=ID, names=(LI,), birth="1975-03-04", flags=("borrowed-id",)),
    ),
    Case(
        "same-national-number-name-near",
        "same",
        record(national=("insured-person|1",)),
        record("b", national=("insured-person|1",), names=(HOMOPHONE,)),
    ),
    Case("nameless-with-id", "review", record(resident=ID), record("b", resident=ID, flags=("nameless",))),
    Case("nameless", "apart", record(**HOME), record("b", flags=("nameless",), **HOME)),
    Case("test-record", "apart", record(resident=ID), record("b", resident=ID, flags=("test",))),
    Case("other-resident-id", "contradicted", record(resident=ID, **HOME), record("b", resident=OTHER_ID, **HOME)),
    Case(
        "other-id-of-fifteen-digits",
        "review",
        record(resident=ID, **HOME),
        record("b", resident=OTHER_ID, flags=("fifteen-digits",), **HOME),
    ),
    Case("near-resident-id", "review", record(resident=ID), record("b", resident=NEAR_ID)),
    Case(
        "near-resident-id-other-name",
        "contradicted",
        record(resident=ID),
        record("b", resident=NEAR_ID, names=(BROTHER,)),
    ),
    Case(
        "near-resident-id-other-birth",
        "contradicted",
        record(resident=ID),
        record("b", resident=NEAR_ID, birth="1960-03-04"),
    ),
    Case(
        "near-resident-id-other-sex", "contradicted", record(resident=ID), record("b", resident=NEAR_ID, sex="female")
    ),
    Case("same-local-number", "same", record(local=("s|1",)), record(local=("s|1",), birth="")),
    Case("same-local-number-in-conflict", "review", record(local=("s|1",)), record(local=("s|1",), birth="1990-02-03")),
    Case("same-local-number-in-conflict", "review", record(local=("s|1",)), record(local=("s|1",), names=(LI,))),
    Case(
        "other-name-and-birth",
        "contradicted",
        record(local=("s|1",)),
        record(local=("s|1",), names=(LI,), birth="1990-02-03"),
    ),
    Case(
        "same-national-number",
        "same",
        record(national=("health-record|1",)),
        record("b", national=("health-record|1",)),
    ),
    Case(
        "same-national-number-in-conflict",
        "review",
        record(national=("health-record|1",)),
        record("b", national=("health-record|1",), birth="1990-02-03"),
    ),
    Case(
        "other-name-and-birth",
        "contradicted",
        record(national=("health-record|1",), **HOME),
        record("b", national=("health-record|1",), names=(LI,), birth="1975-03-04", **HOME),
    ),
    Case("same-document", "same", record(documents=("passport|E1",)), record("b", documents=("passport|E1",))),
    Case(
        "same-document-in-conflict",
        "review",
        record(documents=("passport|E1",)),
        record("b", documents=("passport|E1",), sex="female"),
    ),
    Case("other-name-and-sex", "contradicted", record(**HOME), record("b", names=(LI,), sex="female", **HOME)),
    Case("other-birth-and-sex", "contradicted", record(**HOME), record("b", birth="1975-03-04", sex="female", **HOME)),
    Case("score-birth-and-another", "same", record(**HOME), record("b", **HOME)),
    Case("score-and-two-groups", "same", record(birth="", **HOME), record("b", **HOME)),
    Case("score-phone-without-birth", "same", record(birth="", phones=PHONE), record("b", phones=PHONE)),
    Case(
        "score-though-names-differ",
        "review",
        record(mother=OTHER_ID, **HOME),
        record("b", mother=OTHER_ID, names=(HOMOPHONE,), **HOME),
    ),
    Case(
        "score-for-a-person",
        "review",
        record(resident=ID, **HOME),
        record("b", resident=OTHER_ID, flags=("fifteen-digits",), **HOME),
    ),
    Case(
        "score-for-a-person-without-birth",
        "review",
        record(birth="", names=OUYANG, phones=PHONE, mother=ID),
        record("b", names=OUYANG, phones=PHONE, mother=OTHER_ID),
    ),
    Case(
        "newborn-of-the-same-mother",
        "review",
        Evidence("a", names=(name("李梅之子"),), birth="2026-01-02", mother=OTHER_ID, flags=("newborn-name",)),
        Evidence("b", names=(WANG,), birth="2026-01-02", mother=OTHER_ID),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}-{case.verdict}")
def test_each_rule_is_told_by_its_code(case: Case) -> None:
    found = decided(case.a, case.b)
    assert found.verdict == case.verdict
    assert case.code in [one.code for one in found.reasons]
    assert found.grade in {"same": ["certain"], "review": ["probable", "possible"], "apart": ["possible"]}.get(
        case.verdict, ["certainly-not"]
    )


def test_every_rule_has_a_case() -> None:
    told = rules.read(shipped("profiles") / "identity" / "rules.yaml")
    seen = {one.code for case in CASES for one in decide(case.a, case.b, MODEL).reasons}
    assert {one.code for one in (*told.limits, *told.grants)} <= seen


def test_a_name_and_a_village_alone_never_link_however_rare_the_name() -> None:
    told: dict[str, Any] = {"names": OUYANG, **PLACE}
    assert decided(record(birth="", **told), record("b", **told)).verdict == Verdict.APART
    assert decided(record(birth="", phones=PHONE, **told), record("b", phones=PHONE, **told)).verdict == Verdict.SAME


def test_name_and_birth_date_alone_never_link() -> None:
    rare = name("欧阳喆玥", "ou yang zhe yue")
    assert decided(record(names=(rare,)), record("b", names=(rare,))).verdict != Verdict.SAME


def test_nothing_in_common_is_not_worth_a_score() -> None:
    found = decided(record(), record("b", names=(LI,)))
    assert (found.verdict, found.bits, found.parts) == (Verdict.APART, 0.0, ())


def test_a_link_tells_its_score_and_model() -> None:
    found = decided(record(**HOME), record("b", **HOME))
    assert found.bits == pytest.approx(sum(part.bits for part in found.parts))
    assert found.bits >= MODEL.thresholds["auto"]
    assert found.model == MODEL.version
    assert {"name-same", "birth-same", "phone-same", "place-same"} <= {one.code for one in found.reasons}


def test_a_review_above_the_threshold_is_probable_and_below_possible() -> None:
    a, b = record(**HOME), record("b", **{**HOME, "names": (HOMOPHONE,)})
    bits = decide(a, b, MODEL).bits
    assert decide(a, b, msgspec.structs.replace(MODEL, thresholds={"auto": bits, "review": 0})).grade == "probable"
    low = msgspec.structs.replace(MODEL, thresholds={"auto": bits + 1, "review": 0, "unlike": 0})
    assert decide(a, b, low).grade == "possible"


def test_a_threshold_the_model_lacks_is_the_automatic_one() -> None:
    a, b = record(**HOME), record("b", **{**HOME, "names": (HOMOPHONE,)})
    high = msgspec.structs.replace(MODEL, thresholds={"auto": decide(a, b, MODEL).bits + 1, "review": 0})
    assert decide(a, b, high).verdict == Verdict.APART


def test_no_reason_tells_anything_of_the_person() -> None:
    found = decided(record(resident=ID, **HOME), record("b", resident=ID, **HOME))
    told = " ".join(f"{one.code} {one.text} {one.zh}" for one in found.reasons)
    assert not any(value in told for value in (ID, "王", "1949", "1000", "东山"))


TWIN_NAMES = [BROTHER, HOMOPHONE, name("王建�", damaged=True), name("王�", damaged=True)]


@pytest.mark.parametrize("other", TWIN_NAMES, ids=lambda one: one.text)
def test_twins_are_never_linked_without_their_ids(other: Name) -> None:
    found = decided(record(mother=OTHER_ID, **HOME), record("b", names=(other,), mother=OTHER_ID, **HOME))
    assert found.verdict != Verdict.SAME


def test_newborns_of_one_mother_are_never_linked() -> None:
    child = name("李梅之子", "li mei zhi zi")
    one = record(names=(child,), birth="2026-01-02", mother=OTHER_ID, flags=("newborn-name", "multiple-birth"), **HOME)
    assert decided(one, msgspec.structs.replace(one, site="b")).verdict == Verdict.REVIEW


# What must hold for any two records.

PHONES = st.lists(st.sampled_from(["10000000001", "10000000002"]), max_size=2, unique=True).map(tuple)
FLAGS = [
    "newborn-name",
    "twin-name",
    "nameless",
    "borrowed-id",
    "fifteen-digits",
    "conflicting-birth",
    "test",
    "deceased",
    "multiple-birth",
]
OF_AN_ID = {"borrowed-id", "fifteen-digits", "two-ids", "conflicting-birth", "conflicting-sex"}


def possible(made: Evidence) -> Evidence:
    """Return the record without what is said of an ID it does not bear."""
    flags = made.flags if made.resident else tuple(one for one in made.flags if one not in OF_AN_ID)
    return msgspec.structs.replace(made, flags=flags)


RECORDS = st.builds(
    Evidence,
    site=st.sampled_from(["a", "b"]),
    resident=st.sampled_from(["", "", ID, OTHER_ID, NEAR_ID]),
    damaged_resident=st.sampled_from(
        ["", "", "110105194912310021", "110***********002X", "110105194912310000", "不详"]
    ),
    documents=st.sampled_from([(), ("passport|E1",), ("passport|E2",), ("permit|H1",)]),
    national=st.sampled_from([(), ("health-record|1",), ("health-record|2",), ("insured-person|1",)]),
    local=st.sampled_from([(), ("s|1",), ("s|2",)]),
    names=st.lists(st.sampled_from([WANG, BROTHER, HOMOPHONE, LI, *TWIN_NAMES, name("")]), max_size=2).map(tuple),
    sex=st.sampled_from(["", "male", "female"]),
    birth=st.sampled_from(["", "1949", "1949-12-31", "1949-12-13", "1975-03-04", "1975-04-03", "农历", "0000-00-00"]),
    phones=PHONES,
    address=st.sampled_from(["", "东山镇李村3组12号", "东山镇李村3组13号", "西河乡"]),
    area=st.sampled_from(["", "东山镇李村", "西河乡"]),
    mother=st.sampled_from(["", ID, OTHER_ID]),
    flags=st.lists(st.sampled_from(FLAGS), max_size=2, unique=True).map(tuple),
).map(possible)
DISAGREEMENTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"resident": ID}, {"resident": OTHER_ID}),
    ({"sex": "male"}, {"sex": "female"}),
    ({"birth": "1963-02-09"}, {"birth": "1988-10-25"}),
    ({"names": (WANG,)}, {"names": (LI,)}),
    ({"phones": ("10000000001",)}, {"phones": ("10098765432",)}),
    ({"address": "东山镇李村3组12号", "area": "东山镇"}, {"address": "西河乡赵村1组2号", "area": "西河乡"}),
    ({"mother": ID}, {"mother": OTHER_ID}),
    ({"documents": ("passport|E1",)}, {"documents": ("passport|E2",)}),
    ({"national": ("health-record|1",)}, {"national": ("health-record|2",)}),
]


@settings(max_examples=300, deadline=None)
@given(RECORDS, RECORDS)
def test_the_order_of_the_records_does_not_matter(a: Evidence, b: Evidence) -> None:
    decided(a, b)


@settings(max_examples=300, deadline=None)
@given(RECORDS, RECORDS, st.sampled_from(DISAGREEMENTS))
def test_a_disagreement_never_raises_the_verdict(
    a: Evidence, b: Evidence, values: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    before = decide(a, b, MODEL)
    after = decide(msgspec.structs.replace(a, **values[0]), msgspec.structs.replace(b, **values[1]), MODEL)
    assert HEIGHT[after.verdict] <= HEIGHT[before.verdict]


@settings(max_examples=300, deadline=None)
@given(RECORDS, RECORDS)
def test_what_must_never_be_linked_is_not(a: Evidence, b: Evidence) -> None:
    found = decide(a, b, MODEL)
    if found.verdict == Verdict.SAME:
        assert not {"newborn-name", "twin-name", "nameless", "borrowed-id", "test"} & {*a.flags, *b.flags}
        assert not (a.resident and b.resident) or a.resident == b.resident
        assert not (a.sex and b.sex) or a.sex == b.sex
        assert not (a.birth and b.birth) or births(a.birth, b.birth) != "apart"
        assert names(a.names, b.names) in ("same", "sound", "damaged", "partial")
        shared = set(a.national) & set(b.national) or a.resident == b.resident != ""
        assert shared or names(a.names, b.names) == "same"
        assert found.grade == "certain"


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_name_and_birth_date_are_all_that_is_left(whole: Evidence) -> None:
    bare = Evidence("a", names=whole.names, sex=whole.sex, birth=whole.birth)
    assert decide(bare, msgspec.structs.replace(bare, site="b"), MODEL).verdict != Verdict.SAME
