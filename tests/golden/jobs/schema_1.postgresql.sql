-- The same database in PostgreSQL.
CREATE TABLE deployments (
	number BIGINT NOT NULL,
	queue VARCHAR(128) NOT NULL,
	created FLOAT NOT NULL,
	bytes INTEGER NOT NULL,
	body BYTEA NOT NULL,
	PRIMARY KEY (number)
);
CREATE INDEX ix_deployments_created ON deployments (created);
CREATE INDEX ix_deployments_queue ON deployments (queue);
CREATE TABLE jobs (
	number SERIAL NOT NULL,
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
	PRIMARY KEY (number),
	UNIQUE (queue, owner, idempotency_key),
	UNIQUE (id)
);
CREATE INDEX ix_jobs_queue ON jobs (queue);
CREATE INDEX ix_jobs_state ON jobs (state);
CREATE TABLE schema_version (
	version SERIAL NOT NULL,
	PRIMARY KEY (version)
);
CREATE TABLE circuits (
	job INTEGER NOT NULL,
	position INTEGER NOT NULL,
	request BYTEA NOT NULL,
	attempts INTEGER NOT NULL,
	status INTEGER,
	answer BYTEA,
	PRIMARY KEY (job, position),
	FOREIGN KEY(job) REFERENCES jobs (number) ON DELETE CASCADE
);
INSERT INTO "jobs" VALUES(1,'done','qulacs','ada','ada','done',2,true,60.0,1000.5,1001.0,1003.0,46,'key','00','00-trace');
INSERT INTO "jobs" VALUES(2,'failed','qulacs','ada','ada','failed',1,true,60.0,1000.5,1004.0,1005.0,35,NULL,'00','00-trace');
INSERT INTO "jobs" VALUES(3,'cancelled','qulacs','ada','ada','cancelled',1,true,60.0,1000.5,NULL,1006.0,9,NULL,'00','00-trace');
INSERT INTO "jobs" VALUES(4,'running','qulacs','ada','ada','running',2,true,60.0,1000.5,1007.0,NULL,32,NULL,'00','00-trace');
INSERT INTO "jobs" VALUES(5,'queued','qulacs','ada','ada','queued',1,true,60.0,1000.5,NULL,NULL,9,NULL,'00','00-trace');
INSERT INTO "circuits" VALUES(1,0,'\x726571756573742030',1,200,'\x7b22726573756c7473223a5b5d7d');
INSERT INTO "circuits" VALUES(1,1,'\x726571756573742031',1,200,'\x7b22726573756c7473223a5b5d7d');
INSERT INTO "circuits" VALUES(2,0,'\x726571756573742030',1,500,'\x7b22636f6465223a2273696d756c61746f722d6572726f72227d');
INSERT INTO "circuits" VALUES(3,0,'\x726571756573742030',0,NULL,NULL);
INSERT INTO "circuits" VALUES(4,0,'\x726571756573742030',2,NULL,NULL);
INSERT INTO "circuits" VALUES(4,1,'\x726571756573742031',1,200,'\x7b22726573756c7473223a5b5d7d');
INSERT INTO "circuits" VALUES(5,0,'\x726571756573742030',0,NULL,NULL);
INSERT INTO "deployments" VALUES(4711,'qulacs',1010.0,12,'\x61206465706c6f796d656e74');
INSERT INTO "schema_version" VALUES(1);
SELECT setval('jobs_number_seq', 5);
