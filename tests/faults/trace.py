"""Reads what strace saw a receiver do: which bytes went to which file or socket, and when they were synced."""

import random
import re
from dataclasses import dataclass
from pathlib import Path

CALLS = "pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate,unlink"
_WHOLE = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+= (-?\d+)")
_BEGUN = re.compile(r"^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (-?\d+)")
_HEX = re.compile(r"((?:\\x[0-9a-f]{2})+)")
_NUMBERS = re.compile(r", (\d+)(?:, (\d+))?$")


def wrapper(output: Path) -> tuple[str, ...]:
    """Return the command that records a receiver's calls, with every byte and the names of files."""
    return ("strace", "-f", "-qq", "-y", "-xx", "-s", "300000", "-e", f"trace={CALLS}", "-o", str(output))


@dataclass(slots=True)
class Call:
    """One call: begun and done are line numbers of the trace, so that they order all threads."""

    name: str
    path: str
    data: bytes
    numbers: tuple[int, ...]
    begun: int
    done: int


def parse(text: str) -> list[Call]:
    """Return the calls that succeeded, in the order they began."""
    open_calls: dict[str, tuple[str, str, int]] = {}
    found = []
    for number, line in enumerate(text.splitlines()):
        if whole := _WHOLE.match(line):
            _, name, arguments, result = whole.groups()
            begun = number
        elif begin := _BEGUN.match(line):
            open_calls[begin[1]] = (begin[2], begin[3], number)
            continue
        elif (resumed := _RESUMED.match(line)) and resumed[1] in open_calls:
            name, arguments, begun = open_calls.pop(resumed[1])
            arguments, result = arguments + resumed[3], resumed[4]
        else:
            continue
        if int(result) >= 0:
            found.append(_call(name, arguments, begun, number))
    return sorted(found, key=lambda call: call.begun)


def _call(name: str, arguments: str, begun: int, done: int) -> Call:
    texts = [bytes.fromhex(text.replace("\\x", "")) for text in _HEX.findall(arguments)]
    numbers = _NUMBERS.search(arguments)
    return Call(
        name,
        texts[0].decode() if texts else "",
        b"".join(texts[1:]),
        tuple(int(one) for one in numbers.groups() if one is not None) if numbers else (),
        begun,
        done,
    )


def answers(calls: list[Call]) -> list[tuple[str, Call]]:
    """Return the control ids answered positively, each with the call that sent its answer."""
    return [
        (control_id.decode(), call)
        for call in calls
        if call.path.startswith("socket:")
        for control_id in re.findall(rb"MSA\|[AC]A\|([^\r|]+)", call.data)
    ]


def synced(calls: list[Call], folder: Path, cut: int, chance: random.Random | None = None) -> dict[str, bytes]:
    """Return the files of `folder` as a power cut at line `cut` may leave them.

    Writes covered by a finished sync are there; of the others none, or with `chance` any.
    """
    prefix = f"{folder}/"
    before = [call for call in calls if call.done <= cut and call.path.startswith(prefix)]
    sync: dict[str, int] = {}
    for call in before:
        if call.name in ("fsync", "fdatasync"):
            sync[call.path] = call.begun
    files: dict[str, bytearray] = {}
    for call in before:
        name = call.path.removeprefix(prefix)
        if call.name == "unlink":
            files[name] = bytearray()
        elif call.done < sync.get(call.path, -1) or (chance is not None and chance.random() < 0.5):
            _apply(files.setdefault(name, bytearray()), call)
    return {name: bytes(content) for name, content in files.items()}


def _apply(content: bytearray, call: Call) -> None:
    if call.name == "pwrite64":
        _, offset = call.numbers
        if len(content) < offset:
            content.extend(b"\0" * (offset - len(content)))
        content[offset : offset + len(call.data)] = call.data
    elif call.name == "ftruncate":
        (size,) = call.numbers
        del content[size:]
        content.extend(b"\0" * (size - len(content)))
