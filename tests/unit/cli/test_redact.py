from hypothesis import given
from hypothesis import strategies as st

from gateway.cli import redact


def test_a_value_broken_over_two_lines_does_not_pass_for_a_segment_name():
    raw = "PID|1||8899||张三|||||城关镇\n朝阳路12号|100".encode()
    assert "朝阳路" not in redact.message(raw)
    assert "12" not in redact.message(raw).splitlines()[1]


def test_lines_without_fields_are_masked_whole():
    assert redact.message("李珅 11010519491231002X".encode()) == "某某 99999999999999999x"


def test_z_segments_keep_their_name_only():
    assert redact.message(b"ZPI|LI SHEN|8") == "ZPI|xx xxxx|9"


def test_a_kept_field_that_holds_a_number_or_a_name_is_masked():
    assert redact.message(b"MSH|^~\\&|A|B|C|D|1||ADT^A01^519927196803120151|1|P|2.4").count("519927") == 0
    assert "张三" not in redact.message("OBX|张三|NM".encode())


def test_gb18030_is_read():
    assert redact.message("PID|1||1||李珅".encode("gb18030")) == "PID|9||9||某某"


def test_a_sentence_loses_whatever_stands_in_the_message():
    raw = b"PID|1||P7||SHEN^LI||19680312"
    text = "patient SHEN of 'Li' is known as \"Lee\", 1968, number 19680312, in PID-5"
    told = redact.sentence(text, raw)
    assert told == "patient xxxx of 'xx' is known as \"xxx\", 9999, number 99999999, in PID-5"


@given(st.text(alphabet="|^~\\&\r\n张李三AZ019 ", max_size=80))
def test_no_ideograph_and_no_run_of_digits_passes(text):
    shown = redact.message(text.encode())
    assert not {"张", "李", "三"} & set(shown)
    assert len(shown) <= len(text)
