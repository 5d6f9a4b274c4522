"""Cards of CDS Hooks, made of opinions that the service seldom gives."""

import pytest

from gateway.hooks import Opinion, Reason
from gateway.web.cds.cards import card

BASE = "https://gateway.example/fhir"
REASONS = (Reason("urn:reasons", "E1", "病情变化", "The condition changed"),)


def made(**more):
    opinion = Opinion("ServiceRequest/d1", "prompt", "RECOGNISED", "可以互认。", "It answers the order.", "钾")
    return card(opinion._replace(**more), REASONS, BASE, "Asia/Shanghai")


def test_a_long_summary_is_cut():
    assert len(made(zh="长" * 500)["summary"]) == 139
    assert made(zh="长" * 139)["summary"] == "长" * 139


def test_a_draft_without_an_id_has_nothing_to_delete():
    assert not {"suggestions", "selectionBehavior"} & made(draft="").keys()
    assert made(draft="")["overrideReasons"]


def test_only_web_addresses_become_links():
    found = made(images=("javascript:alert(1)", "dicom://pacs/1", "https://pacs.example/1"))
    assert [one["url"] for one in found["links"]] == ["https://pacs.example/1"]
    assert "links" not in made()


@pytest.mark.parametrize(
    ("taken", "shown"),
    [
        ("2026-11-18T02:00:00Z", "2026\\-11\\-18 10:00"),
        ("2026-11-18T10:00:00+08:00", "2026\\-11\\-18 10:00"),
        ("2026-11-18", "Taken: 2026\\-11\\-18"),
        ("2026-11", "Taken: 2026\\-11"),
    ],
)
def test_times_are_shown_as_the_clinic_reads_them(taken, shown):
    assert shown in made(taken=taken)["detail"]


def test_what_is_not_known_has_no_line():
    assert made(item="")["detail"] == "**可以互认。**\n\nIt answers the order."


def test_marks_of_markdown_are_shown_as_they_are():
    detail = made(source="*a* [b](c) <i>\n# d", marks=("★", "鄂HR"))["detail"]
    assert "\\*a\\* \\[b\\]\\(c\\) &lt;i&gt; \\# d" in detail
    assert "★ 鄂HR" in detail
