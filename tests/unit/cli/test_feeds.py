import pytest

from tests.unit.cli.conftest import gateway


def test_list_shows_every_feed_with_its_numbers(town):
    lines = {
        line.split()[1]: line.split() for line in town("feeds", "list").output.splitlines() if line.startswith("│")
    }
    assert {"county-his", "county-lis", "generic"} <= set(lines)
    # feed, site, sender, answers, then applied, open, parked, held
    assert [word for word in lines["county-lis"] if word.isdigit()] == ["1", "0", "1", "0"]
    assert [word for word in lines["county-his"] if word.isdigit()] == ["1", "0", "0", "1"]


def test_list_names_the_sender_of_each_feed(town):
    shown = town("feeds", "list").output
    assert "msh3 LIS; msh4 QHXRMYY" in shown
    assert "(anyone, local only)" in shown


def test_check_names_the_feeds_and_the_version():
    result = gateway("feeds", "check")
    assert result.exit_code == 0
    assert "feeds are sound (county-his, county-lis" in result.output


@pytest.fixture
def overlay(tmp_path):
    site = tmp_path / "overlay" / "township"
    (site / "township-his").mkdir(parents=True)
    (site / "site.yaml").write_text("site: township\n", encoding="utf-8")
    (site / "township-his" / "feed.yaml").write_text("title: T\nformat: hl7v2\nmatch: {msh3: TS}\n", encoding="utf-8")
    return site


def test_check_of_an_overlay_lists_its_feed_too(overlay):
    result = gateway("feeds", "check", "--mappings", overlay.parent)
    assert result.exit_code == 0
    assert "township-his" in result.output


def test_check_lists_each_fault_with_its_file(overlay):
    feed = overlay / "township-his" / "feed.yaml"
    feed.write_text("title: T\nformat: morse\nack: sometimes\nmatch: {msh3: TS}\n", encoding="utf-8")
    segments = overlay / "segments"
    segments.mkdir()
    (segments / "pid.yaml").write_text('segment: "PID[Patient]"\nrules:\n  - {id: x, form: PID-5}\n', encoding="utf-8")
    result = gateway("feeds", "check", "--mappings", overlay.parent)
    assert result.exit_code == 1
    faults = [line for line in result.output.splitlines() if line.startswith("- ")]
    assert any("feed.yaml" in line and "morse" in line for line in faults)
    assert any("feed.yaml" in line and "sometimes" in line for line in faults)
    assert any("pid.yaml" in line and "form" in line for line in faults)
    assert "Traceback" not in result.output


def test_check_of_a_file_that_is_no_yaml(overlay):
    (overlay / "site.yaml").write_text("site: [", encoding="utf-8")
    result = gateway("feeds", "check", "--mappings", overlay.parent)
    assert result.exit_code == 1
    assert "site.yaml" in result.output
