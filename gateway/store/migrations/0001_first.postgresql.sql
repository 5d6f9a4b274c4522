-- Written by tools/freeze_schema.py.
-- @inbox
CREATE TABLE arrival (
	id BIGINT NOT NULL,
	feed TEXT COLLATE "C" NOT NULL,
	site TEXT COLLATE "C" NOT NULL,
	received_us BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	control_id TEXT COLLATE "C" NOT NULL,
	type TEXT COLLATE "C" NOT NULL,
	event TEXT COLLATE "C" NOT NULL,
	peer TEXT COLLATE "C" NOT NULL,
	listener TEXT COLLATE "C" NOT NULL,
	charset TEXT COLLATE "C" NOT NULL,
	envelope TEXT COLLATE "C" NOT NULL,
	size BIGINT NOT NULL,
	answer TEXT COLLATE "C" NOT NULL,
	test SMALLINT NOT NULL,
	body BYTEA,
	PRIMARY KEY (id),
	CONSTRAINT arrival_same UNIQUE (control_id, digest, feed)
);
CREATE TABLE reject (
	id BIGINT NOT NULL,
	received_us BIGINT NOT NULL,
	listener TEXT COLLATE "C" NOT NULL,
	peer TEXT COLLATE "C" NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	seen TEXT COLLATE "C" NOT NULL,
	size BIGINT NOT NULL,
	head BYTEA NOT NULL,
	PRIMARY KEY (id)
);
ALTER TABLE arrival ALTER COLUMN body SET STORAGE EXTERNAL;
-- @record
CREATE TABLE alias (
	site_id SMALLINT NOT NULL,
	type_id SMALLINT NOT NULL,
	system_id BIGINT NOT NULL,
	value TEXT COLLATE "C" NOT NULL,
	day TEXT COLLATE "C" NOT NULL,
	pid BIGINT NOT NULL,
	fid TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (site_id, type_id, system_id, value, day)
);
CREATE INDEX alias_pid ON alias (pid);
CREATE TABLE attached (
	digest BYTEA NOT NULL,
	vid BIGINT NOT NULL,
	PRIMARY KEY (digest, vid)
);
CREATE TABLE change (
	seq BIGINT NOT NULL,
	vid BIGINT NOT NULL,
	type_id SMALLINT NOT NULL,
	PRIMARY KEY (seq)
);
CREATE INDEX change_type ON change (type_id, seq);
CREATE TABLE claim (
	scope TEXT COLLATE "C" NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	pid BIGINT NOT NULL,
	PRIMARY KEY (scope, key)
);
CREATE INDEX claim_pid ON claim (pid);
CREATE TABLE code (
	hash BIGINT NOT NULL,
	text TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (hash)
);
CREATE INDEX code_text ON code (text);
CREATE TABLE code_system (
	id BIGINT NOT NULL,
	url TEXT COLLATE "C" NOT NULL,
	version TEXT COLLATE "C" NOT NULL,
	title TEXT COLLATE "C" NOT NULL,
	source TEXT COLLATE "C" NOT NULL,
	digest BYTEA NOT NULL,
	concepts BIGINT NOT NULL,
	imported_us BIGINT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT code_system_version UNIQUE (url, version)
);
CREATE TABLE concept (
	system_id BIGINT NOT NULL,
	code TEXT COLLATE "C" NOT NULL,
	display TEXT COLLATE "C" NOT NULL,
	parent TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (system_id, code)
);
CREATE INDEX concept_parent ON concept (system_id, parent, code);
CREATE TABLE cursor (
	name TEXT COLLATE "C" NOT NULL,
	value BIGINT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE display (
	param SMALLINT NOT NULL,
	code BIGINT NOT NULL,
	system BIGINT NOT NULL,
	words BIGINT NOT NULL,
	PRIMARY KEY (param, code, system, words)
);
CREATE INDEX display_words ON display (param, words, code, system);
CREATE TABLE feed (
	id SMALLINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT feed_name UNIQUE (name)
);
CREATE TABLE file_report (
	arrival BIGINT NOT NULL,
	feed_id SMALLINT NOT NULL,
	site_id SMALLINT NOT NULL,
	state SMALLINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	table_name TEXT COLLATE "C" NOT NULL,
	mode TEXT COLLATE "C" NOT NULL,
	received_us BIGINT NOT NULL,
	done_us BIGINT,
	confirmed SMALLINT NOT NULL,
	taken BIGINT NOT NULL,
	records BIGINT NOT NULL,
	fresh BIGINT NOT NULL,
	changed BIGINT NOT NULL,
	unchanged BIGINT NOT NULL,
	quarantined BIGINT NOT NULL,
	missing BIGINT NOT NULL,
	returned BIGINT NOT NULL,
	facts TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (arrival)
);
CREATE INDEX file_report_open ON file_report (arrival) WHERE state < 2;
CREATE INDEX file_report_table ON file_report (feed_id, table_name, arrival);
CREATE TABLE identity_block (
	key BIGINT NOT NULL,
	pid BIGINT NOT NULL,
	PRIMARY KEY (key, pid)
);
CREATE INDEX identity_block_pid ON identity_block (pid);
CREATE TABLE identity_case (
	id BIGINT NOT NULL,
	low_pid BIGINT NOT NULL,
	high_pid BIGINT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	score DOUBLE PRECISION NOT NULL,
	reasons TEXT COLLATE "C" NOT NULL,
	model TEXT COLLATE "C" NOT NULL,
	created_us BIGINT NOT NULL,
	decided_us BIGINT,
	actor TEXT COLLATE "C" NOT NULL,
	note TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_case_high ON identity_case (high_pid);
CREATE INDEX identity_case_low ON identity_case (low_pid);
CREATE UNIQUE INDEX identity_case_open ON identity_case (low_pid, high_pid) WHERE state IN ('open','later');
CREATE TABLE identity_event (
	id BIGINT NOT NULL,
	at_us BIGINT NOT NULL,
	action TEXT COLLATE "C" NOT NULL,
	low_pid BIGINT NOT NULL,
	high_pid BIGINT NOT NULL,
	actor TEXT COLLATE "C" NOT NULL,
	evidence TEXT COLLATE "C" NOT NULL,
	model TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_event_high ON identity_event (high_pid);
CREATE INDEX identity_event_low ON identity_event (low_pid);
CREATE TABLE identity_evidence (
	pid BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	body BYTEA NOT NULL,
	PRIMARY KEY (pid)
);
CREATE TABLE identity_tally (
	name TEXT COLLATE "C" NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (name)
);
CREATE TABLE lane (
	lane SMALLINT NOT NULL,
	owner TEXT COLLATE "C" NOT NULL,
	epoch BIGINT NOT NULL,
	heartbeat_us BIGINT NOT NULL,
	PRIMARY KEY (lane)
);
CREATE TABLE link (
	id BIGINT NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	from_pid BIGINT NOT NULL,
	to_pid BIGINT NOT NULL,
	state TEXT COLLATE "C" NOT NULL,
	evidence TEXT COLLATE "C" NOT NULL,
	item_id BIGINT,
	created_us BIGINT NOT NULL,
	ended_us BIGINT,
	made TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX link_from ON link (from_pid);
CREATE INDEX link_to ON link (to_pid);
CREATE TABLE mapping_version (
	id BIGINT NOT NULL,
	digest TEXT COLLATE "C" NOT NULL,
	created_us BIGINT NOT NULL,
	text TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT mapping_version_digest UNIQUE (digest)
);
CREATE TABLE relation (
	id BIGINT NOT NULL,
	organisation TEXT COLLATE "C" NOT NULL,
	person TEXT COLLATE "C" NOT NULL,
	kind TEXT COLLATE "C" NOT NULL,
	from_us BIGINT NOT NULL,
	to_us BIGINT,
	PRIMARY KEY (id)
);
CREATE INDEX relation_person ON relation (person, organisation, kind);
CREATE TABLE resource (
	pid BIGINT NOT NULL,
	type_id SMALLINT NOT NULL,
	fid TEXT COLLATE "C" NOT NULL,
	ver BIGINT NOT NULL,
	updated_us BIGINT NOT NULL,
	deleted SMALLINT NOT NULL,
	site_id SMALLINT NOT NULL,
	patient_pid BIGINT,
	sensitivity BIGINT NOT NULL,
	source_us BIGINT,
	mode SMALLINT NOT NULL,
	item_id BIGINT,
	mapping_id BIGINT,
	seq BIGINT NOT NULL,
	digest BYTEA NOT NULL,
	test SMALLINT NOT NULL,
	PRIMARY KEY (pid),
	CONSTRAINT resource_fid UNIQUE (fid, type_id)
);
CREATE INDEX resource_updated ON resource (type_id, updated_us, pid);
CREATE TABLE row_state (
	feed_id SMALLINT NOT NULL,
	table_name TEXT COLLATE "C" NOT NULL,
	key TEXT COLLATE "C" NOT NULL,
	digest BYTEA NOT NULL,
	item_id BIGINT NOT NULL,
	line BIGINT NOT NULL,
	told TEXT COLLATE "C" NOT NULL,
	missing_us BIGINT,
	PRIMARY KEY (feed_id, table_name, key)
);
CREATE INDEX row_state_missing ON row_state (feed_id, table_name, key) WHERE missing_us IS NOT NULL;
CREATE TABLE search_clinical (
	type_id SMALLINT NOT NULL,
	patient BIGINT NOT NULL,
	code BIGINT NOT NULL,
	at_us BIGINT NOT NULL,
	pid BIGINT NOT NULL,
	PRIMARY KEY (type_id, patient, code, at_us, pid)
);
CREATE TABLE search_composite (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	code BIGINT NOT NULL,
	code_system BIGINT NOT NULL,
	low DOUBLE PRECISION NOT NULL,
	high DOUBLE PRECISION NOT NULL,
	unit BIGINT NOT NULL,
	system BIGINT NOT NULL,
	PRIMARY KEY (pid, param, code, code_system, low, high, unit, system)
);
CREATE INDEX search_composite_value ON search_composite (param, code, pid, code_system, low, high, unit, system);
CREATE TABLE search_date (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	low BIGINT NOT NULL,
	high BIGINT NOT NULL,
	PRIMARY KEY (pid, param, low, high)
);
CREATE INDEX search_date_long ON search_date (param, high, pid) WHERE high - low > 2678400000000;
CREATE INDEX search_date_value ON search_date (param, low, pid, high);
CREATE TABLE search_identifier (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	kind INTEGER NOT NULL,
	value TEXT COLLATE "C" NOT NULL,
	system BIGINT NOT NULL,
	PRIMARY KEY (pid, param, value, system)
);
CREATE INDEX search_identifier_value ON search_identifier (param, value, system, pid);
CREATE TABLE search_number (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	low DOUBLE PRECISION NOT NULL,
	high DOUBLE PRECISION NOT NULL,
	PRIMARY KEY (pid, param, low, high)
);
CREATE INDEX search_number_value ON search_number (param, low, pid, high);
CREATE TABLE search_quantity (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	bucket SMALLINT NOT NULL,
	low DOUBLE PRECISION NOT NULL,
	high DOUBLE PRECISION NOT NULL,
	unit BIGINT NOT NULL,
	system BIGINT NOT NULL,
	PRIMARY KEY (pid, param, bucket, low, high, unit, system)
);
CREATE INDEX search_quantity_value ON search_quantity (param, bucket, pid, low, high, unit, system);
CREATE TABLE search_reference (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	target BIGINT NOT NULL,
	PRIMARY KEY (pid, param, target)
);
CREATE INDEX search_reference_value ON search_reference (param, target, pid);
CREATE TABLE search_string (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	folded TEXT COLLATE "C" NOT NULL,
	exact TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (pid, param, folded, exact)
);
CREATE INDEX search_string_value ON search_string (param, folded, pid, exact);
CREATE TABLE search_text (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	words BIGINT NOT NULL,
	PRIMARY KEY (pid, param, words)
);
CREATE INDEX search_text_value ON search_text (param, words, pid);
CREATE TABLE search_token (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	words INTEGER NOT NULL,
	code BIGINT NOT NULL,
	system BIGINT NOT NULL,
	PRIMARY KEY (pid, param, code, system)
);
CREATE INDEX search_token_value ON search_token (param, code, system, pid);
CREATE TABLE search_uri (
	pid BIGINT NOT NULL,
	param SMALLINT NOT NULL,
	value TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (pid, param, value)
);
CREATE INDEX search_uri_value ON search_uri (param, value, pid);
CREATE TABLE site (
	id SMALLINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT site_name UNIQUE (name)
);
CREATE TABLE system (
	id BIGINT NOT NULL,
	name TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT system_name UNIQUE (name)
);
CREATE TABLE tally (
	feed_id SMALLINT NOT NULL,
	state SMALLINT NOT NULL,
	slot SMALLINT NOT NULL,
	n BIGINT NOT NULL,
	PRIMARY KEY (feed_id, state, slot)
);
CREATE TABLE unstored (
	hash BIGINT NOT NULL,
	type_id SMALLINT NOT NULL,
	fid TEXT COLLATE "C" NOT NULL,
	PRIMARY KEY (hash)
);
CREATE INDEX unstored_fid ON unstored (fid, type_id);
CREATE TABLE version (
	vid BIGINT NOT NULL,
	op SMALLINT NOT NULL,
	updated_us BIGINT NOT NULL,
	seq BIGINT NOT NULL,
	item_id BIGINT,
	mapping_id BIGINT,
	mode SMALLINT NOT NULL,
	source_us BIGINT,
	actor TEXT COLLATE "C",
	reason TEXT COLLATE "C",
	body BYTEA,
	PRIMARY KEY (vid)
);
CREATE INDEX version_item ON version (item_id) WHERE item_id IS NOT NULL;
CREATE TABLE work (
	item_id BIGINT NOT NULL,
	feed_id SMALLINT NOT NULL,
	site_id SMALLINT NOT NULL,
	lane SMALLINT NOT NULL,
	patient_key TEXT COLLATE "C" NOT NULL,
	state SMALLINT NOT NULL,
	holding SMALLINT NOT NULL,
	reason TEXT COLLATE "C" NOT NULL,
	attempts SMALLINT NOT NULL,
	next_us BIGINT NOT NULL,
	"offset" BIGINT NOT NULL,
	length BIGINT NOT NULL,
	control_id TEXT COLLATE "C" NOT NULL,
	type TEXT COLLATE "C" NOT NULL,
	event TEXT COLLATE "C" NOT NULL,
	received_us BIGINT NOT NULL,
	source_us BIGINT,
	applied_us BIGINT,
	mapping_id BIGINT,
	populated BIGINT NOT NULL,
	mapped BIGINT NOT NULL,
	issues TEXT COLLATE "C" NOT NULL,
	test SMALLINT NOT NULL,
	PRIMARY KEY (item_id)
);
CREATE INDEX work_open_feed ON work (feed_id, state, item_id) WHERE state < 10;
CREATE INDEX work_open_key ON work (patient_key, item_id) WHERE state < 10;
CREATE INDEX work_ready ON work (item_id, lane) WHERE state < 2 AND lane < 256;
CREATE INDEX work_rows ON work (item_id, lane) WHERE state < 2 AND lane >= 256;
CREATE TABLE worker (
	owner TEXT COLLATE "C" NOT NULL,
	heartbeat_us BIGINT NOT NULL,
	PRIMARY KEY (owner)
);
CREATE SEQUENCE resource_pid INCREMENT BY 1024;
CREATE SEQUENCE turn_moment;
-- @begin
-- A transaction's number and moment, taken together so that both rise in one order. The inner block is undone, which
-- gives the lock back at once; a transaction's number and a sequence's value are not undone (decision record 8).
CREATE FUNCTION take_turn(OUT number BIGINT, OUT moment BIGINT, OUT fresh BOOLEAN) LANGUAGE plpgsql AS $$
BEGIN
  fresh := pg_current_xact_id_if_assigned() IS NULL;
  PERFORM pg_advisory_xact_lock(7150, 9);
  number := pg_current_xact_id()::text::bigint;
  moment := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  moment := setval('turn_moment', greatest(moment, (SELECT last_value + 1 FROM turn_moment)));
  RAISE EXCEPTION USING ERRCODE = 'YG001';
EXCEPTION WHEN SQLSTATE 'YG001' THEN NULL;
END $$
-- @end
-- @begin
CREATE FUNCTION identity_event_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'events of identity are never changed'; END $$
-- @end
-- @begin
CREATE TRIGGER identity_event_unchanged BEFORE UPDATE ON identity_event FOR EACH ROW
EXECUTE FUNCTION identity_event_unchanged()
-- @end
ALTER TABLE version ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE resource SET (fillfactor=85, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02);
ALTER TABLE work SET (fillfactor=85, autovacuum_vacuum_scale_factor=0.02);
ALTER TABLE row_state SET (fillfactor=85, autovacuum_vacuum_scale_factor=0.02);
ALTER TABLE tally SET (fillfactor=50);
-- @blobs
CREATE TABLE blob (
	digest BYTEA NOT NULL,
	size BIGINT NOT NULL,
	touched_us BIGINT NOT NULL,
	PRIMARY KEY (digest)
);
CREATE TABLE blob_part (
	digest BYTEA NOT NULL,
	number SMALLINT NOT NULL,
	data BYTEA NOT NULL,
	PRIMARY KEY (digest, number)
);
ALTER TABLE blob_part ALTER COLUMN data SET STORAGE EXTERNAL;
-- @audit
CREATE TABLE audit (
	id BIGINT NOT NULL,
	at_us BIGINT NOT NULL,
	actor TEXT COLLATE "C" NOT NULL,
	action TEXT COLLATE "C" NOT NULL,
	type_id SMALLINT,
	fid TEXT COLLATE "C" NOT NULL,
	patient TEXT COLLATE "C" NOT NULL,
	purpose TEXT COLLATE "C" NOT NULL,
	outcome TEXT COLLATE "C" NOT NULL,
	detail TEXT COLLATE "C" NOT NULL,
	digest BYTEA NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX audit_at ON audit (at_us);
CREATE INDEX audit_patient ON audit (patient, id) WHERE patient <> '';
CREATE TABLE seal (
	id BIGINT NOT NULL,
	first_id BIGINT NOT NULL,
	last_id BIGINT NOT NULL,
	sealed_us BIGINT NOT NULL,
	previous BYTEA NOT NULL,
	digest BYTEA NOT NULL,
	PRIMARY KEY (id)
);
-- @begin
CREATE FUNCTION audit_unchanged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'audit rows are never changed'; END $$
-- @end
-- @begin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION audit_unchanged()
-- @end
