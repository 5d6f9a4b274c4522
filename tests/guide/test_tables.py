"""The table reader: columns by name, defects patched, nothing unmapped taken."""

import pytest

from tools.guide import tables


def test_columns_are_found_by_name_and_unmapped_rows_are_left_out(small_guide):
    rows = small_guide.segments["PID[Patient]"]
    assert [row.source for row in rows] == ["PID-3", "PID-5", "PID-7", "PID-7", "PID-8", "PID-10"]
    assert rows[0].id == "PID[Patient]#4"
    assert rows[0].many
    assert not rows[2].many
    assert rows[4].vocabulary == "AdministrativeSex"


def test_a_table_with_a_blank_header_is_read_by_the_standard_columns(small_guide):
    doctor = small_guide.segments["PV1[Encounter]"][0]
    assert (doctor.source, doctor.v2_type, doctor.datatype_map) == ("PV1-7", "XCN", "XCN[Practitioner]")


def test_groups_and_repetition_come_from_the_syntax_column(small_guide):
    kin = small_guide.messages["ADT_A01"][-1]
    assert kin.segment == "NK1"
    assert kin.groups == ("KIN*",)


def test_code_pairs_need_a_code_on_both_sides(small_guide):
    assert [pair.code for pair in small_guide.vocabulary("administrative Sex")] == ["F", "M"]


def test_pairs_are_segment_map_and_field(small_guide):
    assert ("NK1[Patient]", "NK1-2") in small_guide.pairs("ADT_A01")
    assert len(small_guide.pairs("ADT_A01")) == 7


def test_overrides_correct_spelling_and_single_rows(tables_folder, tmp_path):
    patches = tmp_path / "overrides.yaml"
    patches.write_text(
        "spelling:\n  - {find: 'birthDate', replace: 'born', reason: test}\n"
        "rows:\n  - {map: 'PID[Patient]', lines: [9], unjudged: no such thing}\n",
        encoding="utf-8",
    )
    rows = tables.load(tables_folder, patches).segments["PID[Patient]"]
    assert rows[2].target == "born"
    assert rows[5].unjudged == "no such thing"


@pytest.mark.parametrize("name", ["Yes/NoIndicator", "yes/no indicator", "YesNoIndicator"])
def test_names_are_compared_without_case_blanks_and_slashes(name):
    assert tables.plain(name) == "yesnoindicator"
