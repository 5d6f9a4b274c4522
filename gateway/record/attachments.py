"""Attachments: large content leaves its resource for a Binary of the same person and site, and is found again by it.

A Binary's stored text holds no data but names it: an extension on `_data` with SHA-256 and size, so histories, searches
and exports stay small (docs/decisions/0007-attachments.md).
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from gateway.fhir import attachment, resource
from gateway.fhir.issues import Issue
from gateway.mapping.draft import Content, Draft, Mapped
from gateway.store.blobs import PART_BYTES, Blobs, NewBlob
from gateway.store.values import Stored

Body = dict[str, Any]
CONTENT = "urn:yigong:content"
_ATTACHMENT = frozenset({"id", "contentType", "language", "data", "url", "size", "hash", "title", "creation"})
_CHILD = 25


class Pointer(NamedTuple):
    """Where a Binary's content is: its SHA-256 and its size in bytes."""

    digest: bytes
    size: int


class Held(NamedTuple):
    """A Binary's content: its declared media type, SHA-256 and size, and its bytes in parts of a multiple of three."""

    media: str
    digest: bytes
    size: int
    parts: Iterator[bytes]


def likely(raw: bytes, inline: int) -> bool:
    """Say whether a message may hold an attachment worth looking at, from its bytes and length alone."""
    return b"|ED|" in raw or 2 * len(raw) > inline  # text in two bytes a character may have three in UTF-8


def detach(mapped: Mapped, inline: int) -> None:
    """Give every content of more than `inline` bytes a Binary draft, and check what each attachment says it is."""
    binaries: list[Draft] = []
    for draft in mapped.drafts:
        visit = _Visit(draft, inline)
        for name, value in draft.body.items():
            if isinstance(value, dict | list):
                draft.body[name] = visit.value(value)
        draft.attached = tuple(visit.attached)
        binaries += visit.binaries.values()
        mapped.issues += visit.issues
    mapped.drafts += binaries


def pointer(body: Body) -> Pointer | None:
    """Return where the content of a Binary is kept, None where it holds its data itself."""
    for entry in body.get("_data", {}).get("extension", ()):
        if entry.get("url") == CONTENT:
            told = {one["url"]: one for one in entry["extension"]}
            return Pointer(bytes.fromhex(told["sha256"]["valueString"]), told["size"]["valueUnsignedInt"])
    return None


def keep(blobs: Blobs, contents: Iterable[Content]) -> None:
    """Store content durably; to be called before the transaction that writes the Binaries which name it."""
    wanted = [NewBlob(one.digest, one.size, partial(attachment.decoded, one.text)) for one in contents]
    if wanted:
        blobs.put(wanted)


def held(blobs: Blobs, stored: Stored) -> Held:
    """Return the content of a stored Binary; raises GatewayError where it is missing, ValueError for no base64."""
    body = resource.loads(stored.body)
    media = str(body.get("contentType") or attachment.OCTETS)
    place = pointer(body)
    if place is not None:
        return Held(media, place.digest, place.size, blobs.parts(place.digest))
    data = base64.b64decode(str(body.get("data", "")))
    parts = (data[at : at + PART_BYTES] for at in range(0, len(data), PART_BYTES))
    return Held(media, hashlib.sha256(data).digest(), len(data), parts)


class _Visit:
    """One draft on its way: its attachments are looked at, the large ones taken out."""

    def __init__(self, draft: Draft, inline: int) -> None:
        self._draft = draft
        self._inline = inline
        self.attached: list[tuple[Body, str]] = []
        self.binaries: dict[bytes, Draft] = {}
        self.issues: list[Issue] = []

    def value(self, value: Any) -> Any:
        """Return a value with its large content replaced; what holds none is returned itself, references above all."""
        if isinstance(value, dict):
            if isinstance(value.get("data"), str) and value.keys() <= _ATTACHMENT:
                return self._attachment(value)
            return _changed(value, {name: self.value(item) for name, item in value.items()})
        if isinstance(value, list):
            found = [self.value(item) for item in value]
            return found if any(new is not old for new, old in zip(found, value, strict=True)) else value
        return value

    def _attachment(self, told: Body) -> Body:
        """Return an attachment with the type its bytes tell where none was sent; of a large one without the bytes."""
        text = told["data"]
        media = self._media(str(told.get("contentType", "")), attachment.sniff(attachment.head_of(text)))
        known = {**told, "contentType": media} if media else told
        size = attachment.size_of(text)
        if size <= self._inline or not attachment.is_base64(text):
            return known if known != told else told
        place = {name: value for name, value in known.items() if name != "data"}
        place = {"contentType": media or attachment.OCTETS, **place, "url": ""}
        content, sha1 = _hashed(text, size)
        place |= {"size": size, "hash": base64.b64encode(sha1).decode()}
        title = told.get("title") or _title(self._draft.body)
        if title:
            place["title"] = title
        self.attached.append((place, self._binary(content, place["contentType"]).name))
        return place

    def _media(self, declared: str, found: str) -> str:
        if attachment.contradicts(declared, found):
            text = f"the attachment is declared {declared} but begins like {found}; it was kept as declared"
            self.issues.append(Issue("warning", "value", text, self._draft.name))
        return found if found and declared in ("", attachment.OCTETS) else declared

    def _binary(self, content: Content, media: str) -> Draft:
        """Return the Binary of some content: a child of the resource, so of its site, its person and its label."""
        draft = self._draft
        found = self.binaries.get(content.digest)
        if found is None:
            context: Body = {}
            said = {"url": "sha256", "valueString": content.digest.hex()}
            size = {"url": "size", "valueUnsignedInt": content.size}
            body = {"resourceType": "Binary", "contentType": media, "securityContext": context}
            body["_data"] = {"extension": [{"url": CONTENT, "extension": [said, size]}]}
            child = "b" + base64.b32encode(content.digest).decode().lower()[:_CHILD]
            found = self.binaries[content.digest] = Draft(
                name=f"{draft.name}/{child}",
                type="Binary",
                body=body,
                mode="replace",
                parent=draft.name,
                child=child,
                links=[(context, draft.name)],
                patient=draft.name if draft.type == "Patient" else draft.patient,
                source_time=draft.source_time,
                content=content,
            )
        return found


def _changed(old: Body, new: Body) -> Body:
    return new if any(new[name] is not value for name, value in old.items()) else old


def _hashed(text: str, size: int) -> tuple[Content, bytes]:
    """Return content with its SHA-256, and the SHA-1 that FHIR's Attachment.hash asks for."""
    sha256, sha1 = hashlib.sha256(), hashlib.sha1(usedforsecurity=False)
    for part in attachment.decoded(text):
        sha256.update(part)
        sha1.update(part)
    return Content(sha256.digest(), size, text), sha1.digest()


def _title(body: Body) -> str:
    """Return what the resource calls itself: the words of its code or type."""
    for name in ("code", "type"):
        concept = body.get(name)
        if isinstance(concept, dict):
            coded = [one.get("display") for one in concept.get("coding", ())]
            return str(next((word for word in (concept.get("text"), *coded) if word), ""))
    return ""
