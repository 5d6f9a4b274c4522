"""The envelope: who sent what, from bytes, however the header was written."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import hl7v2_envelope
from gateway.formats.hl7v2 import NotHl7

FULL = (
    "MSH|^~\\&|HIS^1.2^ISO|县人民医院|GW\\T\\1|YG|20240101080000+0800||ADT^A04^ADT_A01|M\\F\\1|T^A|2.5.1^CHN|77||AL|NE|CHN|{charset}\r"
    "PID|1||P1||张三\r"
)


@pytest.mark.parametrize(
    ("declared", "codec"), [("UNICODE UTF-8", "utf-8"), ("GBK", "gb18030"), ("", "gb18030"), ("", "utf-8")]
)
def test_all_values(declared, codec):
    envelope = hl7v2_envelope.read(FULL.format(charset=declared).encode(codec))
    assert (envelope.sending_app, envelope.sending_facility) == ("HIS", "县人民医院")
    assert (envelope.receiving_app, envelope.receiving_facility, envelope.time) == ("GW&1", "YG", "20240101080000+0800")
    assert (envelope.type, envelope.event, envelope.structure) == ("ADT", "A04", "ADT_A01")
    assert (envelope.control_id, envelope.processing_id, envelope.version) == ("M\\F\\1", "T", "2.5.1")
    assert (envelope.sequence, envelope.accept_ack, envelope.app_ack, envelope.charset) == ("77", "AL", "NE", declared)
    assert (envelope.field(3), envelope.field(99)) == ("HIS^1.2^ISO", "")


def test_facility_names_whose_bytes_look_like_delimiters_do_not_shift_fields():
    raw = "MSH|^~\\&|HIS|李珅诊所|GW|YG|2024||ADT^A04|7|P|2.4".encode("gbk")
    assert b"|" in "珅".encode("gbk")
    envelope = hl7v2_envelope.read(raw)
    assert (envelope.sending_facility, envelope.control_id, envelope.version) == ("李珅诊所", "7", "2.4")
    assert hl7v2_envelope.read(raw, pinned="GBK") == envelope


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\x0b", b"\r\n "])
@pytest.mark.parametrize("after", [b"", b"\r", b"\n", b"\r\n", b"\x1c\r", b"PID|1||P1||X", b"|PID|1||P1||X"])
def test_headers_with_rubbish_or_glue_around(before, after):
    envelope = hl7v2_envelope.read(before + b"MSH|^~\\&|HIS|YY|GW|YG|2024||ADT^A04|7|P|2.4" + after)
    assert (envelope.version, envelope.accept_ack, envelope.charset) == ("2.4", "", "")


def test_short_headers_and_other_delimiters():
    envelope = hl7v2_envelope.read(b"MSH|^~\\&|HIS")
    assert (envelope.sending_app, envelope.type, envelope.control_id) == ("HIS", "", "")
    other = hl7v2_envelope.read(b"MSH$%*!@$HIS%1.2$YY$$$$$ORU%R01$9$P$2.3")
    assert (other.sending_app, other.event, other.delimiters.component) == ("HIS", "R01", "%")
    assert hl7v2_envelope.read("MSH|^~\\&|HIS".encode("utf-16")).sending_app == "HIS"


def test_undecodable_names_travel_as_they_came():
    envelope = hl7v2_envelope.read(b"MSH|^~\\&|\xff\xff|YY|GW|YG|2024||ADT^A04|7|P|2.4")
    assert envelope.sending_app.encode("ascii", "surrogateescape") == b"\xff\xff"
    assert envelope.control_id == "7"


@pytest.mark.parametrize(
    ("raw", "says"), [(b"", "empty"), (b"GET / HTTP/1.1", "begins with MSH"), (b"MSH", "No field separator")]
)
def test_what_is_not_hl7(raw, says):
    with pytest.raises(NotHl7, match=says):
        hl7v2_envelope.read(raw)


@given(st.binary(max_size=120))
def test_any_header_is_read_or_refused(tail):
    for raw in (tail, b"MSH" + tail, b"MSH|^~\\&|" + tail):
        with contextlib.suppress(NotHl7):
            hl7v2_envelope.read(raw)
