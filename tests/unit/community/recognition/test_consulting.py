"""What a doctor's system is told: the reasons it may offer are those that are published."""

from gateway.community.recognition.consulting import OVERRIDES, Consultant
from gateway.fhir import resource
from gateway.settings import shipped
from tests.support.recognition import known


class Knowing:
    """A service that only knows."""

    knowledge = known()


def test_the_reasons_for_repeating_are_the_published_ones():
    path = shipped("profiles") / "codesystems" / "recognition-override.json"
    published = resource.loads(path.read_bytes())
    assert published["url"] == OVERRIDES
    told = [(one.code, one.zh, one.en) for one in Consultant(Knowing()).reasons]
    assert told == [(one["code"], one["display"], one["designation"][0]["value"]) for one in published["concept"]]
