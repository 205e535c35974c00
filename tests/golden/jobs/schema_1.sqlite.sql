-- A file of schema 1, as the first servers wrote it: jobs that are done, failed, cancelled, running and queued.
BEGIN TRANSACTION;
CREATE TABLE circuits (
	job INTEGER NOT NULL,
	position INTEGER NOT NULL,
	request BLOB NOT NULL,
	attempts INTEGER NOT NULL,
	status INTEGER,
	answer BLOB,
	PRIMARY KEY (job, position),
	FOREIGN KEY(job) REFERENCES jobs (number) ON DELETE CASCADE
) WITHOUT ROWID;
INSERT INTO "circuits" VALUES(1,0,X'726571756573742030',1,200,X'7B22726573756C7473223A5B5D7D');
INSERT INTO "circuits" VALUES(1,1,X'726571756573742031',1,200,X'7B22726573756C7473223A5B5D7D');
INSERT INTO "circuits" VALUES(2,0,X'726571756573742030',1,500,X'7B22636F6465223A2273696D756C61746F722D6572726F72227D');
INSERT INTO "circuits" VALUES(3,0,X'726571756573742030',0,NULL,NULL);
INSERT INTO "circuits" VALUES(4,0,X'726571756573742030',2,NULL,NULL);
INSERT INTO "circuits" VALUES(4,1,X'726571756573742031',1,200,X'7B22726573756C7473223A5B5D7D');
INSERT INTO "circuits" VALUES(5,0,X'726571756573742030',0,NULL,NULL);
CREATE TABLE deployments (
	number BIGINT NOT NULL,
	queue VARCHAR(128) NOT NULL,
	created FLOAT NOT NULL,
	bytes INTEGER NOT NULL,
	body BLOB NOT NULL,
	PRIMARY KEY (number)
);
INSERT INTO "deployments" VALUES(4711,'qulacs',1010.0,12,X'61206465706C6F796D656E74');
CREATE TABLE jobs (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	id VARCHAR(64) NOT NULL,
	queue VARCHAR(128) NOT NULL,
	owner VARCHAR(128) NOT NULL,
	caller VARCHAR(128) NOT NULL,
	state VARCHAR(16) NOT NULL,
	total INTEGER NOT NULL,
	is_list BOOLEAN NOT NULL,
	timeout_s FLOAT NOT NULL,
	created FLOAT NOT NULL,
	started FLOAT,
	ended FLOAT,
	bytes INTEGER NOT NULL,
	idempotency_key VARCHAR(255),
	digest VARCHAR(64) NOT NULL,
	trace VARCHAR(64),
	UNIQUE (queue, owner, idempotency_key),
	UNIQUE (id)
);
INSERT INTO "jobs" VALUES(1,'done','qulacs','ada','ada','done',2,1,60.0,1000.5,1001.0,1003.0,46,'key','00','00-trace');
INSERT INTO "jobs" VALUES(2,'failed','qulacs','ada','ada','failed',1,1,60.0,1000.5,1004.0,1005.0,35,NULL,'00','00-trace');
INSERT INTO "jobs" VALUES(3,'cancelled','qulacs','ada','ada','cancelled',1,1,60.0,1000.5,NULL,1006.0,9,NULL,'00','00-trace');
INSERT INTO "jobs" VALUES(4,'running','qulacs','ada','ada','running',2,1,60.0,1000.5,1007.0,NULL,32,NULL,'00','00-trace');
INSERT INTO "jobs" VALUES(5,'queued','qulacs','ada','ada','queued',1,1,60.0,1000.5,NULL,NULL,9,NULL,'00','00-trace');
CREATE TABLE schema_version (
	version INTEGER NOT NULL,
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE INDEX ix_jobs_queue ON jobs (queue);
CREATE INDEX ix_jobs_state ON jobs (state);
CREATE INDEX ix_deployments_queue ON deployments (queue);
CREATE INDEX ix_deployments_created ON deployments (created);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('jobs',5);
COMMIT;
