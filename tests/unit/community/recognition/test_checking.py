"""Knowledge that does not hang together is refused, with the entry and what is wrong."""

import pytest

from gateway.community.recognition import knowledge
from gateway.community.recognition.shelf import WrongKnowledge
from gateway.settings import shipped

HEAD = "source: a test\napproved: {by: 王某, on: 2026-11-20}\n"
ITEM = "{id: new, zh: 新, en: New, class: lipid, specimen: serum, methods: [rate], property: presence%s}"
PICTURE = "{id: new, zh: 新, en: New, class: ct, modality: CT, part: chest, view: %s}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"laboratory: [{ITEM % ', unit: mmol/L'}]", "new: is a word (presence), so it has no unit"),
        (
            f"laboratory: [{ITEM.replace('presence', 'time') % ', unit: seconds'}]",
            "new: is a number in the unit 'seconds'",
        ),
        (f"laboratory: [{ITEM.replace('presence', 'time') % ', unit: s, equal: [foo]'}]", "calls 'foo' equal"),
        (
            f"laboratory: [{ITEM.replace('lipid', 'x') % ''}]",
            "ours.yaml, laboratory, new: names the class 'x', which is not there",
        ),
        (f"laboratory: [{ITEM.replace('serum', 'x') % ''}]", "new: names the specimen 'x', which is not there"),
        (f"laboratory: [{ITEM.replace('[rate]', '[x]') % ''}]", "new: names the method 'x', which is not there"),
        (f"laboratory: [{ITEM.replace('[rate]', '[]') % ''}]", "new: names no method"),
        (f"laboratory: [{ITEM.replace('new', 'ct-chest-plain') % ''}]", "is the code of another item already"),
        (f"laboratory: [{ITEM % ', loinc: [2823-3]'}]", "LOINC 2823-3 is"),
        (f"imaging: [{PICTURE.replace('CT,', 'XX,') % 'a'}]", "new: names the modality 'XX'"),
        (f"imaging: [{PICTURE.replace('chest', 'tail') % 'a'}]", "new: names the part 'tail'"),
        ("panels: [{id: new, zh: 新, en: New, class: lipid, analytes: [alt]}]", "has two analytes or more"),
        (
            "panels: [{id: new, zh: 新, en: New, class: lipid, analytes: [alt, ct-chest-plain]}]",
            "the analyte 'ct-chest-plain'",
        ),
        ("by_item: [{whole: ct-chest-plain, part: ct-chest-both}]", "goes round"),
        ("by_item: [{whole: nothing, part: alt}]", "ours.yaml, by_item, entry 1: names the item 'nothing'"),
        ("codes: [{table: t/i, rows: {A: nothing}}]", "ours.yaml, codes, entry 1: names the item 'nothing'"),
        ("codes: [{table: t/i, rows: {A: {blood: alt}}}]", "ours.yaml, codes, entry 1: names the specimen 'blood'"),
        ("windows: [{days: 3, source: s}]", "is for a class or for an item, one of both"),
        ("windows: [{class: lipid, item: alt, days: 3, source: s}]", "is for a class or for an item, one of both"),
        ("windows: [{item: nothing, days: 3, source: s}]", "names the item 'nothing'"),
        ("windows: [{class: lipid, days: -1, issuer: 0, source: s}]", ">= 0"),
        (
            "lists: [{id: l, scope: nowhere, from: 2026-01-01, items: [all], source: s}]",
            "ours.yaml, lists, l: names the scope 'nowhere'",
        ),
        (
            "lists: [{id: l, scope: hubei, from: 2026-01-01, items: [every], source: s}]",
            "ours.yaml, lists, l: 'every' names no item",
        ),
        ("lists: [{id: l, scope: hubei, from: 2026-01-01, items: ['class:x'], source: s}]", "'class:x' names no item"),
        (
            "quality: [{organisation: A, items: [all], kind: eqa, status: passed, scope: x, from: 2026-01-01, source: s}]",
            "ours.yaml, quality, entry 1: names the scope 'x'",
        ),
        ("exceptions: [{code: E9, when: [always], for: [all], source: s}]", "Invalid enum value 'E9'"),
        ("exceptions: [{code: E6, when: [bad-mood], for: [all], source: s}]", "the circumstance 'bad-mood'"),
        (
            "prices: [{organisation: A, item: alt, amount: '9', fund: '5', person: '5', from: 2026-01-01, source: s}]",
            "ours.yaml, prices, entry 1: is not the sum of its two shares",
        ),
        (
            "scopes: [{id: s, zh: 某, en: s, level: city, areas: ['42'], marks: [鄂], source: s}]",
            "鄂HR means both hubei and s",
        ),
        (
            "scopes: [{id: s, zh: 某, en: s, level: city, areas: ['42'], marks: [省], source: s}]",
            "both a scope's and relative",
        ),
        ("stars: [{star: '★', scope: x, areas: ['1'], source: s}]", "ours.yaml, stars, entry 1: names the scope 'x'"),
        ("methods: {new: {zh: 新, en: New, also: [ISE]}}", "'ise' means both ise and new"),
        ("spellings: [{of: methods, id: nothing, also: [x]}]", "more words are for 'nothing', which is not there"),
        ("spellings: [{of: methods, id: hplc, also: [ISE]}]", "'ise' means both ise and hplc"),
        ("spellings: [{of: colours, id: hplc, also: [x]}]", "Invalid enum value 'colours'"),
        ("reasons: [{code: E1, detail: justified, zh: '{nothing}', en: x, replaces: true}]", "has {nothing}"),
        (
            "reasons: [{code: E1, detail: justified, zh: x, en: x, replaces: true, strike: true}]",
            "E1 justified: is missing",
        ),
        ("overrides: [{code: L9, zh: x, en: x}]\nsource: ''", "says no source"),
    ],
)
def test_a_fault_is_told(tmp_path, text, wanted):
    head = HEAD.replace("source: a test\n", "") if "source: ''" in text else HEAD
    (tmp_path / "ours.yaml").write_text(head + text + "\n", encoding="utf-8")
    with pytest.raises(WrongKnowledge) as told:
        knowledge.load(shipped("profiles") / "recognition", tmp_path)
    assert wanted in "\n".join(told.value.faults)
    assert "nothing was taken" in told.value.text
