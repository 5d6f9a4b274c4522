"""Stored bodies come back byte for byte, from any thread, and say what is wrong when they cannot."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.store import bodies


@given(st.binary(max_size=5000))
def test_every_text_comes_back(text):
    assert bodies.unpack(bodies.pack(text)) == text


def test_the_dictionary_earns_its_place():
    text = (
        b'{"resourceType":"Observation","id":"abc-obx1","meta":{"versionId":"1","lastUpdated":"2026-01-02T03:04:05.000'
        b'+08:00"},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-'
        b'category","code":"laboratory"}]}],"valueQuantity":{"value":72.50,"unit":"g/L"}}'
    )
    assert len(bodies.pack(text)) < len(text) / 3


def test_bodies_without_a_dictionary_are_read():
    import zstandard

    assert bodies.unpack(b"\0" + zstandard.ZstdCompressor().compress(b"plain")) == b"plain"


def test_threads_do_not_share_contexts():
    texts = [bytes([n]) * 3000 for n in range(40)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: bodies.unpack(bodies.pack(text)), texts)) == texts


def test_says_which_dictionary_is_missing():
    with pytest.raises(GatewayError, match=r"dictionary 250.*newer gateway"):
        bodies.unpack(b"\xfa123")


def test_says_a_body_is_damaged():
    packed = bodies.pack(b"some text of a patient" * 9)
    with pytest.raises(GatewayError, match="gateway fsck"):
        bodies.unpack(packed[:9])
