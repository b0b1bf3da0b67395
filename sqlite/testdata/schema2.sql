-- A file as schema 2's version of this package made it: dumped, with its two marks put back.
PRAGMA application_id = 0x4d757374;
PRAGMA user_version = 2;
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
, opened TEXT, changed INTEGER NOT NULL DEFAULT 0, outcome   TEXT AS (opened ->> '$.ended.outcome'), reason    TEXT AS (opened ->> '$.ended.reason'), ended_at  TEXT AS (opened ->> '$.ended.at'), paused_by TEXT AS (opened ->> '$.pause.by'), cancelled_by TEXT AS (opened ->> '$.cancel.by')) STRICT;
INSERT INTO executions VALUES('exec-1','rp-shop','DRILL','2026-11-24T11:08:48Z','somebody',7,7,'b13d1eb13c65850205f4422abc3de7b4be15db28285bb27190fa2890fe340b76','{"digest":"b4b5e3a70567d010e32b1e8f4da5a340e04d9d155a24bb09600f396f6e28fc65","waves":[{"waveNumber":1,"waveName":"Databases","accountId":"111122223333","region":"us-west-2","servers":1,"followsAll":true,"onFailure":"PAUSE","timeLimit":7200000000000},{"waveNumber":2,"waveName":"Web","accountId":"111122223333","region":"us-west-2","servers":1,"followsAll":true,"pauseBefore":true,"onFailure":"PAUSE","timeLimit":7200000000000}],"taskToken":"2C5BRHDLC4A7BJ33PZ24RJKKX7"}',7);
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
	refusal       TEXT AS (record ->> '$.refusal.message'), job_over  INTEGER AS (coalesce(record ->> '$.jobOver', 0)), ended_at  TEXT AS (record ->> '$.endedAt'), retry_at  TEXT AS (record ->> '$.retryAt'),
	PRIMARY KEY (execution_id, wave, attempt)
) STRICT;
INSERT INTO attempts VALUES('exec-1',1,1,'{"wave":1,"attempt":1,"accountId":"111122223333","region":"us-west-2","servers":["s-0291ce9fa9cbfbc13"],"state":"STARTED","token":"KUGVADNNGTZAUOKSS5ZJXIFLAF","leaseUntil":"2026-11-24T11:09:18.83771403Z","firstSentAt":"2026-11-24T11:08:48.860555432Z","sentAt":"2026-11-24T11:08:48.860555432Z","sendDeadline":"2026-11-24T11:09:18.860555432Z","jobId":"drsjob-85c0ae97ba7f17996","accepted":["s-0291ce9fa9cbfbc13"],"startedAt":"2026-11-24T11:08:48.862487326Z","outcomes":[{"server":"s-0291ce9fa9cbfbc13","status":"LAUNCHED","instance":"i-3b81038015cea2c23","jobId":"drsjob-85c0ae97ba7f17996"}],"jobOver":true,"endedAt":"2026-11-24T11:08:48.947390729Z"}');
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
INSERT INTO events VALUES('exec-1',1,'{"number":1,"at":"2026-11-24T11:08:48.828355181Z","kind":"OPENED","execution":"exec-1","message":"DRILL of plan rp-shop with 2 waves, by \"somebody\"","hash":"38d2c8b56dad1f214c7dd8d10308558225c1bf44bb0bddd5ba27dfcd9e91981e"}');
INSERT INTO events VALUES('exec-1',2,'{"number":2,"at":"2026-11-24T11:08:48.83771403Z","kind":"CLAIMED","execution":"exec-1","wave":1,"attempt":1,"message":"starting wave 1 with 1 server","previous":"38d2c8b56dad1f214c7dd8d10308558225c1bf44bb0bddd5ba27dfcd9e91981e","hash":"66bb927d07db27811c1847a3ce96df9c3a4b634767e50651f0ec40972395bee9"}');
INSERT INTO events VALUES('exec-1',3,'{"number":3,"at":"2026-11-24T11:08:48.849235734Z","kind":"CONFIGURING","execution":"exec-1","wave":1,"attempt":1,"message":"changing launch settings of 1 server","changes":[{"server":"s-0291ce9fa9cbfbc13","launchTemplateId":"lt-01c1977bb99c03e36","defaultVersion":1,"changes":[{"setting":"instanceType","old":"r5.xlarge","new":"r5.2xlarge","from":"protection group"}]}],"previous":"66bb927d07db27811c1847a3ce96df9c3a4b634767e50651f0ec40972395bee9","hash":"ab730449df3d21cf69568bf6b1a054889f47d556a6fc2abc806162b93259e5c0"}');
INSERT INTO events VALUES('exec-1',4,'{"number":4,"at":"2026-11-24T11:08:48.860555432Z","kind":"SENT","execution":"exec-1","wave":1,"attempt":1,"message":"sending StartRecovery for 1 server","previous":"ab730449df3d21cf69568bf6b1a054889f47d556a6fc2abc806162b93259e5c0","hash":"7f157af3d463b8500ecb55d3a41dcb471a409734abf33df55d21c012eb182871"}');
INSERT INTO events VALUES('exec-1',5,'{"number":5,"at":"2026-11-24T11:08:48.862487326Z","kind":"STARTED","execution":"exec-1","wave":1,"attempt":1,"message":"job drsjob-85c0ae97ba7f17996 recovers 1 of 1 server","jobId":"drsjob-85c0ae97ba7f17996","previous":"7f157af3d463b8500ecb55d3a41dcb471a409734abf33df55d21c012eb182871","hash":"bc9ff7b201feb38330b6096ba531f44cb525a4fd6f59b86c763f90eebe47f182"}');
INSERT INTO events VALUES('exec-1',6,'{"number":6,"at":"2026-11-24T11:08:48.947390729Z","kind":"COMPLETED","execution":"exec-1","wave":1,"attempt":1,"message":"1 of 1 server launched","jobId":"drsjob-85c0ae97ba7f17996","previous":"bc9ff7b201feb38330b6096ba531f44cb525a4fd6f59b86c763f90eebe47f182","hash":"26c316d765e247993124b2067b3341ab5b52165c7841cb475bb50c52b4427a7a"}');
INSERT INTO events VALUES('exec-1',7,'{"number":7,"at":"2026-11-24T11:08:48.962034907Z","kind":"AWAITING","execution":"exec-1","message":"wave 2 (\"Web\") waits for approval","previous":"26c316d765e247993124b2067b3341ab5b52165c7841cb475bb50c52b4427a7a","hash":"b13d1eb13c65850205f4422abc3de7b4be15db28285bb27190fa2890fe340b76"}');
CREATE TABLE plans ( -- as they were frozen when their execution was opened
	execution_id TEXT PRIMARY KEY REFERENCES executions (id),
	record       TEXT NOT NULL, -- holds external ids, which are secrets
	plan_id      TEXT AS (record ->> '$.plan.ID'),
	name         TEXT AS (record ->> '$.plan.Name'),
	owner        TEXT AS (record ->> '$.plan.Owner')
) STRICT;
INSERT INTO plans VALUES('exec-1','{"plan":{"ID":"rp-shop","Name":"Shop","Owner":"","Account":{"AccountID":"111122223333","Region":"us-west-2","RoleName":"DRSOrchestrationRole"},"Objectives":{"RecoveryTime":0,"RecoveryPoint":0},"Waves":[{"Number":1,"Name":"Databases","Group":"pg-database","Servers":[{"ID":"s-0291ce9fa9cbfbc13","Hostname":"","LaunchConfig":null,"Snapshot":"","Impact":""}],"Account":{"AccountID":"111122223333","Region":"us-west-2","RoleName":"DRSOrchestrationRole"},"DependsOn":null,"Independent":false,"PauseBefore":false,"OnFailure":"PAUSE","Timeout":7200000000000,"Tags":null},{"Number":2,"Name":"Web","Group":"pg-web","Servers":[{"ID":"s-039c1c5fbdac33062","Hostname":"","LaunchConfig":null,"Snapshot":"","Impact":""}],"Account":{"AccountID":"111122223333","Region":"us-west-2","RoleName":"DRSOrchestrationRole"},"DependsOn":null,"Independent":false,"PauseBefore":true,"OnFailure":"PAUSE","Timeout":7200000000000,"Tags":null}],"Groups":{"pg-database":{"ID":"pg-database","LaunchConfig":{"instanceType":"r5.2xlarge"},"Overrides":null},"pg-web":{"ID":"pg-web","LaunchConfig":{"instanceType":"m5.large"},"Overrides":null}}},"externalIds":["muster-three-tier-1","muster-three-tier-1","muster-three-tier-1"]}');
CREATE TABLE held ( -- plans of executions that are under way
	plan_id      TEXT PRIMARY KEY,
	execution_id TEXT NOT NULL UNIQUE REFERENCES executions (id)
) STRICT;
INSERT INTO held VALUES('rp-shop','exec-1');
CREATE UNIQUE INDEX executions_by_change ON executions (changed);
CREATE VIEW waves AS
SELECT e.id AS execution_id, w.value ->> '$.waveNumber' AS wave, w.value ->> '$.waveName' AS name,
	w.value ->> '$.accountId' AS account_id, w.value ->> '$.region' AS region, w.value ->> '$.servers' AS servers,
	coalesce(w.value ->> '$.pauseBefore', 0) AS pause_before, coalesce(w.value ->> '$.gatePassed', 0) AS gate_passed,
	coalesce(w.value ->> '$.skipped', 0) AS skipped, a.attempt, a.state, a.job_id, a.job_over,
	(SELECT count(*) FROM json_each(a.record, '$.outcomes') WHERE value ->> '$.status' = 'LAUNCHED') AS launched
FROM executions e, json_each(e.opened, '$.waves') w
LEFT JOIN attempts a ON a.execution_id = e.id AND a.wave = w.value ->> '$.waveNumber' AND a.attempt =
	(SELECT max(attempt) FROM attempts WHERE execution_id = e.id AND wave = a.wave);
COMMIT;
