"""Resources as XML, read back by our own short reader (every type, every digit) and by that of fhir.resources."""

import json

import pytest
from fhir.resources.R4B import get_fhir_model_class

from gateway.errors import GatewayError
from gateway.fhir import resource, types, xml
from tests.support import generated, xml_reader

EVERY = sorted(types.RESOURCE_TYPES)
FEW = ["Bundle", "Observation", "Parameters"]
SOME = [
    pytest.param(name, marks=[] if name in FEW or not number % 9 else [pytest.mark.long])
    for number, name in enumerate(EVERY)
]


def patient(**given):
    return {"resourceType": "Patient", "id": "p1", **given}


@pytest.mark.parametrize("name", SOME)
def test_every_element_of_every_type_comes_back(name):
    for each in generated.full(name)[:2]:
        body = resource.loads(generated.spoken({**each, "id": "x1"}))
        assert xml_reader.comparable(xml_reader.read(xml.dumps(body))) == xml_reader.comparable(body)


def without_ids(node):
    """The reader of fhir.resources passes over the ids of elements; those of resources it reads."""
    if isinstance(node, list):
        return [without_ids(each) for each in node]
    if isinstance(node, dict):
        return {key: without_ids(each) for key, each in node.items() if key != "id" or _is_resource(node)}
    return node


def _is_resource(node):
    return "resourceType" in node and "resourceId" not in node  # ExampleScenario.instance has an element of that name


def judge(name):
    model = get_fhir_model_class(name)
    for each in generated.full(name)[:2]:
        each.pop("_import", None)  # of StructureMap: its reader trips over Python's word
        text = generated.spoken({**without_ids(each), "id": "x1"})
        try:
            expected = model.model_validate_json(text)
        except ValueError:
            continue  # R4B differs from R4 here
        read = model.model_validate_xml(xml.dumps(resource.loads(text)))
        told = read.model_dump_json().replace("&#19968;", "一")
        assert without_ids(json.loads(told)) == without_ids(json.loads(expected.model_dump_json()))


@pytest.mark.parametrize("name", FEW)
def test_fhir_resources_reads_the_same(name):
    judge(name)


@pytest.mark.long
@pytest.mark.parametrize("name", EVERY)
def test_fhir_resources_reads_the_same_of_every_type(name):
    try:
        get_fhir_model_class(name)
    except (ValueError, KeyError):
        pytest.skip("a type that R4B no longer has")
    judge(name)


def test_how_it_looks():
    text = xml.dumps(
        patient(
            name=[{"family": "张", "given": ["三", "<四>"]}],
            _birthDate={"id": "b", "extension": [{"url": "http://e", "valueCode": "x"}]},
            birthDate="1990",
            multipleBirthInteger=2,
            active=True,
            contained=[{"resourceType": "Basic", "id": "c", "code": {"text": "t"}}],
        )
    )
    assert text.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="p1"/>'
        '<contained><Basic><id value="c"/><code><text value="t"/></code></Basic></contained><active value="true"/>'
        '<name><family value="张"/><given value="三"/><given value="&lt;四&gt;"/></name>'
        '<birthDate id="b" value="1990"><extension url="http://e"><valueCode value="x"/></extension></birthDate>'
        '<multipleBirthInteger value="2"/></Patient>'
    )


def test_indented_for_people():
    text = xml.dumps(patient(name=[{"family": "张"}]), indent=True).decode()
    assert text.splitlines()[1:] == [
        '<Patient xmlns="http://hl7.org/fhir">',
        '  <id value="p1"/>',
        "  <name>",
        '    <family value="张"/>',
        "  </name>",
        "</Patient>",
    ]


@pytest.mark.parametrize("number", ["72.50", "1e2", "0.0000001", "-3.0", "123456789012345.678901234567890"])
def test_numbers_keep_their_digits(number):
    text = f'{{"resourceType":"Observation","status":"final","code":{{}},"valueQuantity":{{"value":{number}}}}}'
    assert f'<value value="{number}"/>'.encode() in xml.dumps(resource.loads(text))


def test_white_space_in_a_value_stays():
    body = patient(name=[{"text": "a\tb\nc\rd  e"}])
    assert xml_reader.read(xml.dumps(body))["name"] == body["name"]


def narrative(div):
    return patient(text={"status": "generated", "div": div})


@pytest.mark.parametrize(
    ("div", "written"),
    [
        ('<div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div>', None),
        ("<div>a &amp; b &lt; c</div>", '<div xmlns="http://www.w3.org/1999/xhtml">a &amp; b &lt; c</div>'),
        (
            ' <div xmlns="http://www.w3.org/1999/xhtml">5&nbsp;&micro;g</div>\n',
            '<div xmlns="http://www.w3.org/1999/xhtml">5\xa0µg</div>',
        ),
        ('<h:div xmlns:h="http://www.w3.org/1999/xhtml"><h:b>x</h:b></h:div>', None),
        ('<div class="a"/>', '<div xmlns="http://www.w3.org/1999/xhtml" class="a"/>'),
    ],
)
def test_a_narrative_is_real_xhtml(div, written):
    text = xml.dumps(narrative(div))
    assert f'<text><status value="generated"/>{written or div}</text>'.encode() in text
    xml_reader.read(text.replace(b"h:", b"").replace(b":h=", b"=")) if b"h:" in text else xml_reader.read(text)


@pytest.mark.parametrize(
    "div",
    [
        "<div><p>a</div>",
        "text",
        "<p>a</p>",
        "<div>a</div><div>b</div>",
        "<div>&unknown;</div>",
        '<div xmlns="urn:other">a</div>',
        '<?xml version="1.0"?><div>a</div>',
        '<!DOCTYPE div [<!ENTITY a "b">]><div>&a;</div>',
        "<div><x:b>a</x:b></div>",
        "",
    ],
)
def test_what_is_no_xhtml_is_refused(div):
    with pytest.raises(GatewayError, match="narrative is not") as caught:
        xml.dumps(narrative(div))
    assert caught.value.where == "Patient.text.div"


@pytest.mark.parametrize("character", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_characters_xml_cannot_carry_are_refused_or_marked(character):
    body = patient(name=[{"text": "a"}, {"text": f"a{character}b"}])
    with pytest.raises(GatewayError, match=f"U\\+{ord(character):04X}") as caught:
        xml.dumps(body)
    assert caught.value.where == "Patient.name[1].text"
    assert xml_reader.read(xml.dumps(body, lenient=True))["name"][1] == {"text": "a\ufffdb"}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"resourceType": "Foo"}, "Foo"),
        ({}, "None"),
        (patient(colour="red"), "Patient"),
        (patient(_colour={"id": "x"}), "Patient"),
        (patient(name={"text": "x"}), "Patient.name"),
        (patient(name=["x"]), "Patient.name[0]"),
        (patient(active={}), "Patient.active"),
        (patient(_active="x", active=True), "Patient.active"),
        (patient(contained=[{"id": "x"}]), "Patient.contained[0]"),
        (patient(birthDate=1.5), "Patient.birthDate"),
    ],
)
def test_what_r4_does_not_define_is_refused_with_its_place(body, where):
    with pytest.raises(GatewayError) as caught:
        xml.dumps(body)
    assert caught.value.where == where
