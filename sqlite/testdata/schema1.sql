-- A file as the first schema's version of this package made it: dumped, with its two marks put back.
PRAGMA application_id = 0x4d757374;
PRAGMA user_version = 1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE executions (
	id              TEXT PRIMARY KEY,
	plan_id         TEXT NOT NULL,
	type            TEXT NOT NULL, -- DRILL or RECOVERY
	start_time      TEXT NOT NULL, -- as the event gave it
	initiated_by    TEXT NOT NULL,
	version         INTEGER NOT NULL, -- one higher with each change
	last_event      INTEGER NOT NULL, -- its number
	last_event_hash TEXT NOT NULL
) STRICT;
INSERT INTO executions VALUES('exec-9','rp-456','DRILL','2026-02-03T04:05:06Z','user@example.com',2,2,'c96d16900baf9ed63bdaf1e595cf2724cdb7eacca20666566894ecb4f5476154');
INSERT INTO executions VALUES('exec-10','rp-456','DRILL','2026-02-03T04:05:06Z','user@example.com',1,1,'d0e6a018dd514bf365608a5d0a983cec56be38f94fb0ba009639fe41ebfb1541');
CREATE TABLE attempts (
	execution_id  TEXT NOT NULL REFERENCES executions (id),
	wave          INTEGER NOT NULL,
	attempt       INTEGER NOT NULL, -- the highest of a wave is the one that counts
	record        TEXT NOT NULL,
	state         TEXT AS (record ->> '$.state'),
	job_id        TEXT AS (record ->> '$.jobId'),
	account_id    TEXT AS (record ->> '$.accountId'),
	region        TEXT AS (record ->> '$.region'),
	token         TEXT AS (record ->> '$.token'),
	lease_until   TEXT AS (record ->> '$.leaseUntil'),
	sent_at       TEXT AS (record ->> '$.sentAt'),
	send_deadline TEXT AS (record ->> '$.sendDeadline'),
	started_at    TEXT AS (record ->> '$.startedAt'),
	refusal       TEXT AS (record ->> '$.refusal.message'),
	PRIMARY KEY (execution_id, wave, attempt)
) STRICT;
INSERT INTO attempts VALUES('exec-9',1,1,'{"wave":1,"attempt":1,"accountId":"123456789012","region":"us-east-1","servers":["s-1"],"state":"STARTED","token":"token-1","leaseUntil":"2026-02-03T04:05:36.789012345Z","jobId":"drsjob-1","accepted":["s-1"],"startedAt":"2026-02-03T04:06:06.789012345Z"}');
INSERT INTO attempts VALUES('exec-10',1,1,'{"wave":1,"attempt":1,"accountId":"123456789012","region":"us-east-1","servers":["s-1"],"state":"CLAIMED","token":"token-1","leaseUntil":"2026-02-03T04:05:36.789012345Z"}');
CREATE TABLE events (
	execution_id TEXT NOT NULL REFERENCES executions (id),
	number       INTEGER NOT NULL, -- from 1, without gaps
	record       TEXT NOT NULL,    -- carries its hash and that of the one before
	at           TEXT AS (record ->> '$.at'),
	kind         TEXT AS (record ->> '$.kind'),
	wave         INTEGER AS (record ->> '$.wave'),
	attempt      INTEGER AS (record ->> '$.attempt'),
	job_id       TEXT AS (record ->> '$.jobId'),
	message      TEXT AS (record ->> '$.message'),
	PRIMARY KEY (execution_id, number)
) STRICT;
INSERT INTO events VALUES('exec-9',1,'{"number":1,"at":"2026-02-03T04:05:06.789012345Z","kind":"CLAIMED","wave":1,"attempt":1,"message":"starting wave 1","hash":"d0e6a018dd514bf365608a5d0a983cec56be38f94fb0ba009639fe41ebfb1541"}');
INSERT INTO events VALUES('exec-10',1,'{"number":1,"at":"2026-02-03T04:05:06.789012345Z","kind":"CLAIMED","wave":1,"attempt":1,"message":"starting wave 1","hash":"d0e6a018dd514bf365608a5d0a983cec56be38f94fb0ba009639fe41ebfb1541"}');
INSERT INTO events VALUES('exec-9',2,'{"number":2,"at":"2026-02-03T04:06:06.789012345Z","kind":"STARTED","wave":1,"attempt":1,"message":"job drsjob-1 runs","jobId":"drsjob-1","previous":"d0e6a018dd514bf365608a5d0a983cec56be38f94fb0ba009639fe41ebfb1541","hash":"c96d16900baf9ed63bdaf1e595cf2724cdb7eacca20666566894ecb4f5476154"}');
COMMIT;
