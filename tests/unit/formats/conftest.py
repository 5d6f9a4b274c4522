"""Sample messages for the format tests: our own, the made-up county's, and the public ones when they are at hand."""

from pathlib import Path

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[3]
OWN = sorted((ROOT / "tests" / "data" / "hl7v2").glob("*.hl7"))
COUNTY = [path for path in sorted((ROOT / "examples" / "messages").glob("*.hl7")) if not path.name.startswith("9")]
PUBLIC = sorted((ROOT.parent / "shared" / "samples" / "hl7v2").glob("*.hl7"))


def pytest_report_header() -> str:
    """Say loudly when the public samples are absent."""
    return f"formats: {len(OWN)} own, {len(COUNTY)} county, {len(PUBLIC) or 'NO'} public HL7 v2 samples"


def read_sample(path: Path) -> str:
    """Return a sample as a sender puts it on the wire: CR after each segment."""
    from gateway.formats import charset

    raw = path.read_bytes()
    text = charset.decode(raw, declared=charset.sniff_hl7(raw)).text
    return text.replace("\r\n", "\r").replace("\n", "\r")
