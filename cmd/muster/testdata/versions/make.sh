#!/bin/sh
# Makes a folder with what a version of muster leaves behind: the data folders
# of drills of plan.yaml over fleet.yaml, as ../script/versions.txtar finishes them.
#
#	sh make.sh MUSTER FOLDER
set -eu
muster=$1 to=$2
from=$(cd "$(dirname "$0")" && pwd)/1
mkdir -p "$to"
cp "$from/plan.yaml" "$from/fleet.yaml" "$to"
drill() { d=$1 && shift && "$muster" drill "$to/plan.yaml" --data "$to/$d" --fleet "$to/fleet.yaml" -q "$@"; }
at() { d=$1 && shift && "$muster" "$@" --data "$to/$d" --fleet "$to/fleet.yaml"; }
waits() { "$@" >/dev/null || [ $? = 7 ]; }
# killed DRILL KIND: the drill is killed once its log has an event of that kind.
killed() {
	d=$1 kind=$2 && shift 2
	"$muster" drill "$to/plan.yaml" --data "$to/$d" --fleet "$to/fleet.yaml" -q "$@" & pid=$!
	until sqlite3 "$to/$d/executions.db" "SELECT kind FROM events" 2>/dev/null | grep -q "^$kind$"; do sleep 0.05; done
	sleep 1
	kill -9 $pid
	wait $pid || true
}
killed running STARTED
killed sent SENT --fault SlowAnswers:operation=StartRecovery,duration=20s
waits drill failed --speed 2000 --no-wait
waits drill gate --speed 2000 --no-wait --answer WAVE_FAILED=retry
waits drill paused --speed 2000 --no-wait
at paused pause last --by anna --reason "the network is being mended" >/dev/null
at paused pause last --by ben --reason "and the payroll runs" >/dev/null
drill ended --speed 2000 --answer WAVE_FAILED=retry --answer PAUSE_BEFORE_WAVE=resume >/dev/null
for db in "$to"/*/executions.db; do
	sqlite3 "$db" "PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
	rm -f "$db-wal" "$db-shm"
done
