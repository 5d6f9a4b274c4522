"""The tables of the store: what is kept, in which of the four databases, under which keys.

`inbox_metadata` is inbox.db (schema inbox), `metadata` is gateway.db (schema record), `blobs_metadata` is blobs.db
(schema blobs), `audit_metadata` is audit.db (schema audit). Names are unique over all, so SQL never qualifies them.
After a change before the first release run `python tools/freeze_schema.py`; after it, write a numbered migration.
Times are microseconds since 1970.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

INT64 = BigInteger().with_variant(Integer, "sqlite")
INT32 = Integer()
INT16 = SmallInteger().with_variant(Integer, "sqlite")
STRING = Text().with_variant(Text(collation="C"), "postgresql")
BYTES = LargeBinary()

inbox_metadata = MetaData()
metadata = MetaData()
blobs_metadata = MetaData()
audit_metadata = MetaData()


def _col(name: str, kind: Any, *, null: bool = False) -> Column[Any]:
    return Column(name, kind, nullable=null)


def _key(name: str, kind: Any = INT64) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


arrival = Table(
    "arrival",
    inbox_metadata,
    _key("id"),
    _col("feed", STRING),
    _col("site", STRING),
    _col("received_us", INT64),
    _col("digest", BYTES),
    _col("control_id", STRING),
    _col("type", STRING),
    _col("event", STRING),
    _col("peer", STRING),
    _col("listener", STRING),
    _col("charset", STRING),
    _col("envelope", STRING),
    _col("size", INT64),
    _col("answer", STRING),
    _col("test", INT16),
    _col("body", BYTES, null=True),
    UniqueConstraint("control_id", "digest", "feed", name="arrival_same"),
)

reject = Table(
    "reject",
    inbox_metadata,
    _key("id"),
    _col("received_us", INT64),
    _col("listener", STRING),
    _col("peer", STRING),
    _col("reason", STRING),
    _col("seen", STRING),
    _col("size", INT64),
    _col("head", BYTES),
)

site = Table("site", metadata, _key("id", INT16), _col("name", STRING), UniqueConstraint("name", name="site_name"))
feed = Table("feed", metadata, _key("id", INT16), _col("name", STRING), UniqueConstraint("name", name="feed_name"))
system = Table(
    "system", metadata, _key("id", INT64), _col("name", STRING), UniqueConstraint("name", name="system_name")
)

mapping_version = Table(
    "mapping_version",
    metadata,
    _key("id", INT64),
    _col("digest", STRING),
    _col("created_us", INT64),
    _col("text", STRING),
    UniqueConstraint("digest", name="mapping_version_digest"),
)

# Imported code files: a version is stored whole and never changed.
code_system = Table(
    "code_system",
    metadata,
    _key("id"),
    _col("url", STRING),
    _col("version", STRING),
    _col("title", STRING),
    _col("source", STRING),
    _col("digest", BYTES),
    _col("concepts", INT64),
    _col("imported_us", INT64),
    UniqueConstraint("url", "version", name="code_system_version"),
)
concept = Table(
    "concept",
    metadata,
    _key("system_id"),
    _key("code", STRING),
    _col("display", STRING),
    _col("parent", STRING),
    sqlite_with_rowid=False,
)
Index("concept_parent", concept.c.system_id, concept.c.parent, concept.c.code)

cursor = Table("cursor", metadata, _key("name", STRING), _col("value", INT64), sqlite_with_rowid=False)

# Non-terminal states are < 10 so that one partial index condition covers them (see values.State).
work = Table(
    "work",
    metadata,
    _key("item_id"),
    _col("feed_id", INT16),
    _col("site_id", INT16),
    _col("lane", INT16),
    _col("patient_key", STRING),
    _col("state", INT16),
    _col("holding", INT16),
    _col("reason", STRING),
    _col("attempts", INT16),
    _col("next_us", INT64),
    _col("offset", INT64),
    _col("length", INT64),
    _col("control_id", STRING),
    _col("type", STRING),
    _col("event", STRING),
    _col("received_us", INT64),
    _col("source_us", INT64, null=True),
    _col("applied_us", INT64, null=True),
    _col("mapping_id", INT64, null=True),
    _col("populated", INT64),
    _col("mapped", INT64),
    _col("issues", STRING),
    _col("test", INT16),
)
Index(
    "work_ready",
    work.c.item_id,
    work.c.lane,
    sqlite_where=text("state < 2 AND lane < 256"),
    postgresql_where=text("state < 2 AND lane < 256"),
)
Index(
    "work_open_key",
    work.c.patient_key,
    work.c.item_id,
    sqlite_where=text("state < 10"),
    postgresql_where=text("state < 10"),
)
Index(
    "work_open_feed",
    work.c.feed_id,
    work.c.state,
    work.c.item_id,
    sqlite_where=text("state < 10"),
    postgresql_where=text("state < 10"),
)

# Counters, so that counts per feed and state cost nothing; slots keep parallel workers off each other's rows.
tally = Table(
    "tally",
    metadata,
    _key("feed_id", INT16),
    _key("state", INT16),
    _key("slot", INT16),
    _col("n", INT64),
    sqlite_with_rowid=False,
)

resource = Table(
    "resource",
    metadata,
    _key("pid"),
    _col("type_id", INT16),
    _col("fid", STRING),
    _col("ver", INT64),
    _col("updated_us", INT64),
    _col("deleted", INT16),
    _col("site_id", INT16),
    _col("patient_pid", INT64, null=True),
    _col("sensitivity", INT64),
    _col("source_us", INT64, null=True),
    _col("mode", INT16),
    _col("item_id", INT64, null=True),
    _col("mapping_id", INT64, null=True),
    _col("seq", INT64),
    _col("digest", BYTES),
    _col("test", INT16),
    UniqueConstraint("fid", "type_id", name="resource_fid"),
)
Index("resource_updated", resource.c.type_id, resource.c.updated_us, resource.c.pid)

version = Table(
    "version",
    metadata,
    _key("vid"),
    _col("op", INT16),
    _col("updated_us", INT64),
    _col("seq", INT64),
    _col("item_id", INT64, null=True),
    _col("mapping_id", INT64, null=True),
    _col("mode", INT16),
    _col("source_us", INT64, null=True),
    _col("actor", STRING, null=True),
    _col("reason", STRING, null=True),
    _col("body", BYTES, null=True),
)
Index(
    "version_item",
    version.c.item_id,
    sqlite_where=text("item_id IS NOT NULL"),
    postgresql_where=text("item_id IS NOT NULL"),
)

alias = Table(
    "alias",
    metadata,
    _key("site_id", INT16),
    _key("type_id", INT16),
    _key("system_id", INT64),
    _key("value", STRING),
    _key("day", STRING),
    _col("pid", INT64),
    _col("fid", STRING),
    sqlite_with_rowid=False,
)
Index("alias_pid", alias.c.pid)

claim = Table(
    "claim", metadata, _key("scope", STRING), _key("key", STRING), _col("pid", INT64), sqlite_with_rowid=False
)
Index("claim_pid", claim.c.pid)

change = Table("change", metadata, _key("seq"), _col("vid", INT64), _col("type_id", INT16))
Index("change_type", change.c.type_id, change.c.seq)

# Which versions hold which content; the content itself is in `blob`, stored before the version that refers to it.
attached = Table("attached", metadata, _key("digest", BYTES), _key("vid"), sqlite_with_rowid=False)

link = Table(
    "link",
    metadata,
    _key("id"),
    _col("kind", STRING),
    _col("from_pid", INT64),
    _col("to_pid", INT64),
    _col("state", STRING),
    _col("evidence", STRING),
    _col("item_id", INT64, null=True),
    _col("created_us", INT64),
    _col("ended_us", INT64, null=True),
    _col("made", STRING),
)
Index("link_from", link.c.from_pid)
Index("link_to", link.c.to_pid)

relation = Table(
    "relation",
    metadata,
    _key("id"),
    _col("organisation", STRING),
    _col("person", STRING),
    _col("kind", STRING),
    _col("from_us", INT64),
    _col("to_us", INT64, null=True),
)
Index("relation_person", relation.c.person, relation.c.organisation, relation.c.kind)

lane = Table(
    "lane",
    metadata,
    _key("lane", INT16),
    _col("owner", STRING),
    _col("epoch", INT64),
    _col("heartbeat_us", INT64),
    sqlite_with_rowid=False,
)

worker = Table("worker", metadata, _key("owner", STRING), _col("heartbeat_us", INT64), sqlite_with_rowid=False)

# Content of attachments, once each, named by its SHA-256 and kept in parts so that no one holds all of it in memory.
blob = Table("blob", blobs_metadata, _key("digest", BYTES), _col("size", INT64), _col("touched_us", INT64))
blob_part = Table("blob_part", blobs_metadata, _key("digest", BYTES), _key("number", INT16), _col("data", BYTES))

audit = Table(
    "audit",
    audit_metadata,
    _key("id"),
    _col("at_us", INT64),
    _col("actor", STRING),
    _col("action", STRING),
    _col("type_id", INT16, null=True),
    _col("fid", STRING),
    _col("patient", STRING),
    _col("purpose", STRING),
    _col("outcome", STRING),
    _col("detail", STRING),
    _col("digest", BYTES),
)
Index("audit_at", audit.c.at_us)
Index(
    "audit_patient",
    audit.c.patient,
    audit.c.id,
    sqlite_where=text("patient <> ''"),
    postgresql_where=text("patient <> ''"),
)

# One row per sealed run of audit rows: `digest` covers the rows and the seal before it.
seal = Table(
    "seal",
    audit_metadata,
    _key("id"),
    _col("first_id", INT64),
    _col("last_id", INT64),
    _col("sealed_us", INT64),
    _col("previous", BYTES),
    _col("digest", BYTES),
)
