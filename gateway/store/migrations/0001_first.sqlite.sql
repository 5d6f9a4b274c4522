-- Written by tools/freeze_schema.py.
-- @inbox
CREATE TABLE arrival (
	id INTEGER NOT NULL,
	feed TEXT NOT NULL,
	site TEXT NOT NULL,
	received_us INTEGER NOT NULL,
	digest BLOB NOT NULL,
	control_id TEXT NOT NULL,
	type TEXT NOT NULL,
	event TEXT NOT NULL,
	peer TEXT NOT NULL,
	listener TEXT NOT NULL,
	charset TEXT NOT NULL,
	envelope TEXT NOT NULL,
	size INTEGER NOT NULL,
	answer TEXT NOT NULL,
	test INTEGER NOT NULL,
	body BLOB,
	PRIMARY KEY (id),
	CONSTRAINT arrival_same UNIQUE (control_id, digest, feed)
);
CREATE TABLE reject (
	id INTEGER NOT NULL,
	received_us INTEGER NOT NULL,
	listener TEXT NOT NULL,
	peer TEXT NOT NULL,
	reason TEXT NOT NULL,
	seen TEXT NOT NULL,
	size INTEGER NOT NULL,
	head BLOB NOT NULL,
	PRIMARY KEY (id)
);
-- @record
CREATE TABLE alias (
	site_id INTEGER NOT NULL,
	type_id INTEGER NOT NULL,
	system_id INTEGER NOT NULL,
	value TEXT NOT NULL,
	day TEXT NOT NULL,
	pid INTEGER NOT NULL,
	fid TEXT NOT NULL,
	PRIMARY KEY (site_id, type_id, system_id, value, day)
)
 WITHOUT ROWID;
CREATE INDEX alias_pid ON alias (pid);
CREATE TABLE attached (
	digest BLOB NOT NULL,
	vid INTEGER NOT NULL,
	PRIMARY KEY (digest, vid)
)
 WITHOUT ROWID;
CREATE TABLE change (
	seq INTEGER NOT NULL,
	vid INTEGER NOT NULL,
	type_id INTEGER NOT NULL,
	PRIMARY KEY (seq)
);
CREATE INDEX change_type ON change (type_id, seq);
CREATE TABLE claim (
	scope TEXT NOT NULL,
	"key" TEXT NOT NULL,
	pid INTEGER NOT NULL,
	PRIMARY KEY (scope, "key")
)
 WITHOUT ROWID;
CREATE INDEX claim_pid ON claim (pid);
CREATE TABLE code (
	hash INTEGER NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (hash)
);
CREATE INDEX code_text ON code (text);
CREATE TABLE code_system (
	id INTEGER NOT NULL,
	url TEXT NOT NULL,
	version TEXT NOT NULL,
	title TEXT NOT NULL,
	source TEXT NOT NULL,
	digest BLOB NOT NULL,
	concepts INTEGER NOT NULL,
	imported_us INTEGER NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT code_system_version UNIQUE (url, version)
);
CREATE TABLE concept (
	system_id INTEGER NOT NULL,
	code TEXT NOT NULL,
	display TEXT NOT NULL,
	parent TEXT NOT NULL,
	PRIMARY KEY (system_id, code)
)
 WITHOUT ROWID;
CREATE INDEX concept_parent ON concept (system_id, parent, code);
CREATE TABLE cursor (
	name TEXT NOT NULL,
	value INTEGER NOT NULL,
	PRIMARY KEY (name)
)
 WITHOUT ROWID;
CREATE TABLE display (
	param INTEGER NOT NULL,
	code INTEGER NOT NULL,
	system INTEGER NOT NULL,
	words INTEGER NOT NULL,
	PRIMARY KEY (param, code, system, words)
)
 WITHOUT ROWID;
CREATE INDEX display_words ON display (param, words, code, system);
CREATE TABLE feed (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT feed_name UNIQUE (name)
);
CREATE TABLE file_report (
	arrival INTEGER NOT NULL,
	feed_id INTEGER NOT NULL,
	site_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	name TEXT NOT NULL,
	table_name TEXT NOT NULL,
	mode TEXT NOT NULL,
	received_us INTEGER NOT NULL,
	done_us INTEGER,
	confirmed INTEGER NOT NULL,
	taken INTEGER NOT NULL,
	records INTEGER NOT NULL,
	fresh INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	unchanged INTEGER NOT NULL,
	quarantined INTEGER NOT NULL,
	missing INTEGER NOT NULL,
	returned INTEGER NOT NULL,
	facts TEXT NOT NULL,
	PRIMARY KEY (arrival)
);
CREATE INDEX file_report_open ON file_report (arrival) WHERE state < 2;
CREATE INDEX file_report_table ON file_report (feed_id, table_name, arrival);
CREATE TABLE identity_block (
	"key" INTEGER NOT NULL,
	pid INTEGER NOT NULL,
	PRIMARY KEY ("key", pid)
)
 WITHOUT ROWID;
CREATE INDEX identity_block_pid ON identity_block (pid);
CREATE TABLE identity_case (
	id INTEGER NOT NULL,
	low_pid INTEGER NOT NULL,
	high_pid INTEGER NOT NULL,
	state TEXT NOT NULL,
	score DOUBLE NOT NULL,
	reasons TEXT NOT NULL,
	model TEXT NOT NULL,
	created_us INTEGER NOT NULL,
	decided_us INTEGER,
	actor TEXT NOT NULL,
	note TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_case_high ON identity_case (high_pid);
CREATE INDEX identity_case_low ON identity_case (low_pid);
CREATE UNIQUE INDEX identity_case_open ON identity_case (low_pid, high_pid) WHERE state IN ('open','later');
CREATE TABLE identity_event (
	id INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	action TEXT NOT NULL,
	low_pid INTEGER NOT NULL,
	high_pid INTEGER NOT NULL,
	actor TEXT NOT NULL,
	evidence TEXT NOT NULL,
	model TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX identity_event_high ON identity_event (high_pid);
CREATE INDEX identity_event_low ON identity_event (low_pid);
CREATE TABLE identity_evidence (
	pid INTEGER NOT NULL,
	digest BLOB NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (pid)
);
CREATE TABLE identity_tally (
	name TEXT NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (name)
)
 WITHOUT ROWID;
CREATE TABLE lane (
	lane INTEGER NOT NULL,
	owner TEXT NOT NULL,
	epoch INTEGER NOT NULL,
	heartbeat_us INTEGER NOT NULL,
	PRIMARY KEY (lane)
)
 WITHOUT ROWID;
CREATE TABLE link (
	id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	from_pid INTEGER NOT NULL,
	to_pid INTEGER NOT NULL,
	state TEXT NOT NULL,
	evidence TEXT NOT NULL,
	item_id INTEGER,
	created_us INTEGER NOT NULL,
	ended_us INTEGER,
	made TEXT NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX link_from ON link (from_pid);
CREATE INDEX link_to ON link (to_pid);
CREATE TABLE mapping_version (
	id INTEGER NOT NULL,
	digest TEXT NOT NULL,
	created_us INTEGER NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT mapping_version_digest UNIQUE (digest)
);
CREATE TABLE relation (
	id INTEGER NOT NULL,
	organisation TEXT NOT NULL,
	person TEXT NOT NULL,
	kind TEXT NOT NULL,
	from_us INTEGER NOT NULL,
	to_us INTEGER,
	PRIMARY KEY (id)
);
CREATE INDEX relation_person ON relation (person, organisation, kind);
CREATE TABLE resource (
	pid INTEGER NOT NULL,
	type_id INTEGER NOT NULL,
	fid TEXT NOT NULL,
	ver INTEGER NOT NULL,
	updated_us INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	site_id INTEGER NOT NULL,
	patient_pid INTEGER,
	sensitivity INTEGER NOT NULL,
	source_us INTEGER,
	mode INTEGER NOT NULL,
	item_id INTEGER,
	mapping_id INTEGER,
	seq INTEGER NOT NULL,
	digest BLOB NOT NULL,
	test INTEGER NOT NULL,
	PRIMARY KEY (pid),
	CONSTRAINT resource_fid UNIQUE (fid, type_id)
);
CREATE INDEX resource_updated ON resource (type_id, updated_us, pid);
CREATE TABLE row_state (
	feed_id INTEGER NOT NULL,
	table_name TEXT NOT NULL,
	"key" TEXT NOT NULL,
	digest BLOB NOT NULL,
	item_id INTEGER NOT NULL,
	line INTEGER NOT NULL,
	told TEXT NOT NULL,
	missing_us INTEGER,
	PRIMARY KEY (feed_id, table_name, "key")
)
 WITHOUT ROWID;
CREATE INDEX row_state_missing ON row_state (feed_id, table_name, "key") WHERE missing_us IS NOT NULL;
CREATE TABLE search_clinical (
	type_id INTEGER NOT NULL,
	patient INTEGER NOT NULL,
	code INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	pid INTEGER NOT NULL,
	PRIMARY KEY (type_id, patient, code, at_us, pid)
)
 WITHOUT ROWID;
CREATE TABLE search_composite (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	code INTEGER NOT NULL,
	code_system INTEGER NOT NULL,
	low DOUBLE NOT NULL,
	high DOUBLE NOT NULL,
	unit INTEGER NOT NULL,
	system INTEGER NOT NULL,
	PRIMARY KEY (pid, param, code, code_system, low, high, unit, system)
)
 WITHOUT ROWID;
CREATE INDEX search_composite_value ON search_composite (param, code, pid, code_system, low, high, unit, system);
CREATE TABLE search_date (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	low INTEGER NOT NULL,
	high INTEGER NOT NULL,
	PRIMARY KEY (pid, param, low, high)
)
 WITHOUT ROWID;
CREATE INDEX search_date_long ON search_date (param, high, pid) WHERE high - low > 2678400000000;
CREATE INDEX search_date_value ON search_date (param, low, pid, high);
CREATE TABLE search_identifier (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	value TEXT NOT NULL,
	system INTEGER NOT NULL,
	PRIMARY KEY (pid, param, value, system)
)
 WITHOUT ROWID;
CREATE INDEX search_identifier_value ON search_identifier (param, value, system, pid);
CREATE TABLE search_number (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	low DOUBLE NOT NULL,
	high DOUBLE NOT NULL,
	PRIMARY KEY (pid, param, low, high)
)
 WITHOUT ROWID;
CREATE INDEX search_number_value ON search_number (param, low, pid, high);
CREATE TABLE search_quantity (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	bucket INTEGER NOT NULL,
	low DOUBLE NOT NULL,
	high DOUBLE NOT NULL,
	unit INTEGER NOT NULL,
	system INTEGER NOT NULL,
	PRIMARY KEY (pid, param, bucket, low, high, unit, system)
)
 WITHOUT ROWID;
CREATE INDEX search_quantity_value ON search_quantity (param, bucket, pid, low, high, unit, system);
CREATE TABLE search_reference (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	target INTEGER NOT NULL,
	PRIMARY KEY (pid, param, target)
)
 WITHOUT ROWID;
CREATE INDEX search_reference_value ON search_reference (param, target, pid);
CREATE TABLE search_string (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	folded TEXT NOT NULL,
	exact TEXT NOT NULL,
	PRIMARY KEY (pid, param, folded, exact)
)
 WITHOUT ROWID;
CREATE INDEX search_string_value ON search_string (param, folded, pid, exact);
CREATE TABLE search_text (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	words INTEGER NOT NULL,
	PRIMARY KEY (pid, param, words)
)
 WITHOUT ROWID;
CREATE INDEX search_text_value ON search_text (param, words, pid);
CREATE TABLE search_token (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	words INTEGER NOT NULL,
	code INTEGER NOT NULL,
	system INTEGER NOT NULL,
	PRIMARY KEY (pid, param, code, system)
)
 WITHOUT ROWID;
CREATE INDEX search_token_value ON search_token (param, code, system, pid);
CREATE TABLE search_uri (
	pid INTEGER NOT NULL,
	param INTEGER NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (pid, param, value)
)
 WITHOUT ROWID;
CREATE INDEX search_uri_value ON search_uri (param, value, pid);
CREATE TABLE site (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT site_name UNIQUE (name)
);
CREATE TABLE system (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (id),
	CONSTRAINT system_name UNIQUE (name)
);
CREATE TABLE tally (
	feed_id INTEGER NOT NULL,
	state INTEGER NOT NULL,
	slot INTEGER NOT NULL,
	n INTEGER NOT NULL,
	PRIMARY KEY (feed_id, state, slot)
)
 WITHOUT ROWID;
CREATE TABLE unstored (
	hash INTEGER NOT NULL,
	type_id INTEGER NOT NULL,
	fid TEXT NOT NULL,
	PRIMARY KEY (hash)
);
CREATE INDEX unstored_fid ON unstored (fid, type_id);
CREATE TABLE version (
	vid INTEGER NOT NULL,
	op INTEGER NOT NULL,
	updated_us INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	item_id INTEGER,
	mapping_id INTEGER,
	mode INTEGER NOT NULL,
	source_us INTEGER,
	actor TEXT,
	reason TEXT,
	body BLOB,
	PRIMARY KEY (vid)
);
CREATE INDEX version_item ON version (item_id) WHERE item_id IS NOT NULL;
CREATE TABLE work (
	item_id INTEGER NOT NULL,
	feed_id INTEGER NOT NULL,
	site_id INTEGER NOT NULL,
	lane INTEGER NOT NULL,
	patient_key TEXT NOT NULL,
	state INTEGER NOT NULL,
	holding INTEGER NOT NULL,
	reason TEXT NOT NULL,
	attempts INTEGER NOT NULL,
	next_us INTEGER NOT NULL,
	"offset" INTEGER NOT NULL,
	length INTEGER NOT NULL,
	control_id TEXT NOT NULL,
	type TEXT NOT NULL,
	event TEXT NOT NULL,
	received_us INTEGER NOT NULL,
	source_us INTEGER,
	applied_us INTEGER,
	mapping_id INTEGER,
	populated INTEGER NOT NULL,
	mapped INTEGER NOT NULL,
	issues TEXT NOT NULL,
	test INTEGER NOT NULL,
	PRIMARY KEY (item_id)
);
CREATE INDEX work_open_feed ON work (feed_id, state, item_id) WHERE state < 10;
CREATE INDEX work_open_key ON work (patient_key, item_id) WHERE state < 10;
CREATE INDEX work_ready ON work (item_id, lane) WHERE state < 2 AND lane < 256;
CREATE INDEX work_rows ON work (item_id, lane) WHERE state < 2 AND lane >= 256;
CREATE TABLE worker (
	owner TEXT NOT NULL,
	heartbeat_us INTEGER NOT NULL,
	PRIMARY KEY (owner)
)
 WITHOUT ROWID;
-- @begin
CREATE TRIGGER identity_event_unchanged BEFORE UPDATE ON identity_event
BEGIN SELECT RAISE(ABORT, 'events of identity are never changed'); END
-- @end
-- @blobs
CREATE TABLE blob (
	digest BLOB NOT NULL,
	size INTEGER NOT NULL,
	touched_us INTEGER NOT NULL,
	PRIMARY KEY (digest)
);
CREATE TABLE blob_part (
	digest BLOB NOT NULL,
	number INTEGER NOT NULL,
	data BLOB NOT NULL,
	PRIMARY KEY (digest, number)
);
-- @audit
CREATE TABLE audit (
	id INTEGER NOT NULL,
	at_us INTEGER NOT NULL,
	actor TEXT NOT NULL,
	action TEXT NOT NULL,
	type_id INTEGER,
	fid TEXT NOT NULL,
	patient TEXT NOT NULL,
	purpose TEXT NOT NULL,
	outcome TEXT NOT NULL,
	detail TEXT NOT NULL,
	digest BLOB NOT NULL,
	PRIMARY KEY (id)
);
CREATE INDEX audit_at ON audit (at_us);
CREATE INDEX audit_patient ON audit (patient, id) WHERE patient <> '';
CREATE TABLE seal (
	id INTEGER NOT NULL,
	first_id INTEGER NOT NULL,
	last_id INTEGER NOT NULL,
	sealed_us INTEGER NOT NULL,
	previous BLOB NOT NULL,
	digest BLOB NOT NULL,
	PRIMARY KEY (id)
);
-- @begin
CREATE TRIGGER audit_unchanged BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END
-- @end
