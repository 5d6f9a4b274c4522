"""What a hospital engineer expects of decoding: the right characters, or a reason, never a replacement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.formats import charset, charset_evidence, hl7v2

SPELLINGS = ["GB18030", "GBK", "GB2312", "CP936", "GB 18030-2000", "", "ASCII", "UNICODE", "8859/1"]
DELIMITERS = b"|^~\\"


def message(name: str, declared: str = "", country: str = "") -> str:
    return (
        f"MSH|^~\\&|HIS|县人民医院|GW|YG|20240101||ADT^A04|1|P|2.4|||||{country}|{declared}\r"
        f"EVN|A04|20240101\rPID|1||P1||{name}||19800101|M\r"
    )


def delimiter_ideographs() -> list[str]:
    """Every GBK ideograph whose second byte is a delimiter."""
    found = []
    for lead in range(0x81, 0xFF):
        for trail in DELIMITERS:
            try:
                char = bytes((lead, trail)).decode("gbk")
            except UnicodeDecodeError:
                continue
            if "\u4e00" <= char <= "\u9fff":
                found.append(char)
    return found


def test_all_ideographs_ending_in_a_delimiter_byte_survive_every_spelling():
    chars = delimiter_ideographs()
    assert len(chars) == 464
    for declared in SPELLINGS:
        for char in chars:
            raw = message("李" + char, declared).encode("gb18030")
            decoded = charset.decode(raw, declared=charset.sniff_hl7(raw))
            pid = hl7v2.parse(decoded.text).first("PID")
            assert (decoded.encoding, pid.raw(5), pid.raw(7)) == ("gb18030", "李" + char, "19800101")


@pytest.mark.parametrize("declared", SPELLINGS)
def test_utf8_is_read_as_utf8_whatever_the_header_says(declared):
    raw = message("张三", declared).encode("utf-8")
    decoded = charset.decode(raw, declared=declared)
    assert (decoded.encoding, decoded.text) == ("utf-8", message("张三", declared))


@pytest.mark.parametrize("name", ["䶮", "张䶮", "€", "王\U00020087", "喆", "堃", "镕", "旻", "𠮷"])
def test_characters_outside_gb2312_and_gbk_are_read(name):
    raw = message(name).encode("gb18030")
    assert charset.decode(raw, declared="GB2312").text == message(name)
    assert charset.decode(raw, pinned="CP936").text == message(name)


def test_dragon_is_fe9f_and_not_the_private_use_character_of_gbk():
    assert charset.decode(b"\xd5\xc5\xfe\x9f", declared="GBK").text == "张䶮"


@pytest.mark.parametrize("name", ["女", "血压", "药"])
@pytest.mark.parametrize("declared", ["", "GB2312", "UNICODE", "ASCII"])
def test_short_gbk_that_is_also_valid_utf8_is_not_read_as_cyrillic(name, declared):
    raw = b"OBX|1|ST|||" + name.encode("gb18030") + b"|"
    raw.decode("utf-8")  # the trap
    assert charset.decode(raw, declared=declared).text == f"OBX|1|ST|||{name}|"


@pytest.mark.parametrize("text", ["5 µmol/L", "37.2 °C", "10×3 mm²", "José|García", "Ñandú"])
@pytest.mark.parametrize("declared", ["", "UNICODE UTF-8", "8859/1"])
def test_units_and_accents_in_utf8_stay_what_they_are(text, declared):
    assert charset.decode(text.encode(), declared=declared).text == text


def test_declared_latin1_is_believed_only_where_it_is_not_chinese():
    assert charset.decode("Müller^José".encode("latin-1"), declared="8859/1").text == "Müller^José"
    assert charset.decode("王小明|江畔县".encode("gb18030"), declared="8859/1").text == "王小明|江畔县"
    with pytest.raises(charset.Undecodable, match="Pin the charset"):
        charset.decode("|镕|".encode("gb18030"), declared="8859/1")


def test_undeclared_latin1_is_never_guessed():
    with pytest.raises(charset.Undecodable, match="GB18030 and as 8859/1") as caught:
        charset.decode("Müller|José|M".encode("latin-1"))
    assert caught.value.offset == 1


@pytest.mark.parametrize("text", ["é", "á"])
def test_a_lone_letter_that_could_be_two_things_is_ambiguous(text):
    with pytest.raises(charset.Undecodable, match="can be read as UTF-8 and as GB18030"):
        charset.decode(b"|" + text.encode() + b"|")


@pytest.mark.parametrize("declared", ["GBK", "", "UNICODE", "8859/1"])
def test_a_text_cut_inside_a_character_is_undecodable_with_its_place(declared):
    raw = "PID|1|双向转诊".encode("gb18030")[:-1] + b"\r"
    with pytest.raises(charset.Undecodable) as caught:
        charset.decode(raw, declared=declared)
    assert caught.value.offset == len(raw) - 2
    assert f"offset {len(raw) - 2}" in caught.value.text
    assert caught.value.where == f"byte {len(raw) - 2}"


def test_pinned_wins_over_header_and_evidence():
    raw = "Ñ".encode()
    assert charset.decode(raw, pinned="GBK", declared="UTF-8").encoding == "gb18030"
    assert charset.decode("漢字".encode("big5"), pinned="BIG-5").text == "漢字"
    assert charset.decode("漢字".encode("big5"), declared="BIG-5").text == "漢字"
    with pytest.raises(charset.Undecodable, match="not UTF-8"):
        charset.decode("张三".encode("gbk"), pinned="UTF-8")
    with pytest.raises(GatewayError, match="'KLINGON', which is not known"):
        charset.decode(b"x", pinned="KLINGON")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_obeyed_and_removed(encoding):
    decoded = charset.decode(message("张三").encode(encoding))
    assert decoded.text == message("张三")


def test_utf16_without_a_mark_needs_the_header():
    raw = message("张三").encode("utf-16-le")
    assert charset.decode(raw, declared="UTF-16LE").text == message("张三")
    assert charset.decode(b"\xff\xfe" + raw, pinned="UTF-16LE").text == message("张三")


def test_a_header_that_lies_is_told():
    issues = charset.decode(message("张三", "GBK").encode(), declared="GBK").issues
    assert [issue.text for issue in issues] == [
        "The header declares 'GBK', but the bytes are UTF-8; it was read as that."
    ]


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("寮犱笁", "张三"),
        ("鍚寸孩", "吴红"),
        ("鐜嬪皬鏄", "王小"),
        ("张三".encode().decode("latin-1"), "张三"),
        ("张三".encode("gbk").decode("latin-1"), "张三"),
        ("锟斤拷锟斤拷", ""),
        ("张\ufffd", ""),
    ],
)
def test_text_read_wrongly_before_us_is_flagged_with_what_it_was(seen, meant):
    issues = charset.decode(message(seen).encode()).issues
    assert len(issues) == 1
    assert (issues[0].severity, meant in issues[0].text) == ("warning", True)
    assert charset_evidence.garbled(seen)


@pytest.mark.parametrize(
    "text",
    [
        "阿卜杜·热合曼",
        "张  三",
        "×10⁹/L",
        "右肺上叶见磨玻璃结节，约5mm",
        "寮步镇",
        "涓涓细流",
        "Größe",
        "犱",
        "浣熊",
        "é",
        "plain",
    ],
)
def test_rare_but_right_text_is_not_flagged(text):
    assert not charset_evidence.garbled(text)


def test_only_the_first_garbles_are_listed():
    assert len(list(charset_evidence.garbles("寮犱笁|" * 50))) == 5


@pytest.mark.parametrize(
    ("header", "declared"),
    [
        (message("x", "UNICODE UTF-8"), "UNICODE UTF-8"),
        (message("x", "", "GB2312"), "GB2312"),
        (message("x", "UNICODE", "CHN"), "UNICODE"),
        (message("x", "ASCII~GB 18030-2000", "CHN"), "GB 18030-2000"),
        (message("x", "ASCII"), "ASCII"),
        (message("x", "", "CHN"), None),
        ("MSH|^~\\&|A\rPID|1", None),
        ("MSH$%~\\&$A$B$C$D$2024$$ADT%A01$1$P$2.4$$$$$$GBK", "GBK"),
        ("\x0bMSH|^~\\&|||||||||||||||GBK", "GBK"),
        ("PID|1", None),
        ("", None),
    ],
)
def test_the_declared_charset_is_found_where_senders_put_it(header, declared):
    assert charset.sniff_hl7(header.encode("gbk")) == declared


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("GB 18030-2000", "gb18030"),
        ("unicode utf-8", "utf-8"),
        ("8859/15", "iso8859-15"),
        ("ISO-8859-1", "iso8859-1"),
        ("???", None),
        (None, None),
    ],
)
def test_names_of_charsets(name, codec):
    assert charset.canonical(name) == codec


@given(st.text(st.characters(codec="gb18030", exclude_categories=["Cs"]), max_size=40))
def test_a_pinned_charset_returns_what_was_sent(text):
    assert charset.decode(text.encode("gb18030"), pinned="GBK").text == text


@given(st.text(st.sampled_from("王李张小明县人民医院血压女男药一检查结果|^~\\&\r19"), max_size=60))
def test_everyday_chinese_is_recognised_in_both_charsets(text):
    assert charset.decode(text.encode("gb18030")).text == text
    assert charset.decode(text.encode("utf-8")).text == text


@given(st.binary(max_size=200), st.sampled_from([None, "GBK", "UTF-8", "8859/1", "BIG5", "UTF-16", "ASCII", "?"]))
def test_any_bytes_give_text_or_a_place(raw, declared):
    try:
        decoded = charset.decode(raw, declared=declared)
    except charset.Undecodable as fault:
        assert 0 <= fault.offset <= len(raw)
    else:
        assert isinstance(decoded.text, str)
        if not decoded.encoding.startswith("utf-16"):
            body = raw.removeprefix(b"\xef\xbb\xbf") if decoded.encoding == "utf-8" else raw
            assert decoded.text.encode(decoded.encoding) == body
