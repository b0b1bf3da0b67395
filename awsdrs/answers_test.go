package awsdrs

import (
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"muster/recovery"
)

// What the simulator never answers and DRS may.

func TestParticipantsThatDRSDidNotNameAreNotNone(t *testing.T) {
	for name, tt := range map[string]struct {
		named []types.ParticipatingServer
		want  []recovery.Participant
	}{
		"not said": {nil, nil},
		"none":     {[]types.ParticipatingServer{}, []recovery.Participant{}},
		"one without a status": {
			[]types.ParticipatingServer{{SourceServerID: aws.String("s-1")}}, []recovery.Participant{{Server: "s-1"}},
		},
	} {
		got, err := job(&types.Job{ParticipatingServers: tt.named})
		if err != nil || !reflect.DeepEqual(got.Participants, tt.want) || (got.Servers == nil) != (tt.want == nil) {
			t.Errorf("%s: got %#v (servers %#v), %v; want %#v", name, got.Participants, got.Servers, err, tt.want)
		}
	}
}

func TestALogItemIsWorthHavingWhateverItLacks(t *testing.T) {
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		item types.JobLog
		want recovery.JobLogItem
	}{
		"no data": {
			types.JobLog{Event: types.JobLogEventJobStart, LogDateTime: aws.String("2026-11-24T12:00:00Z")},
			recovery.JobLogItem{At: noon, Event: "JOB_START"},
		},
		"a time of no kind": {
			types.JobLog{Event: types.JobLogEventLaunchFailed, LogDateTime: aws.String("noon"), EventData: &types.JobLogEventData{RawError: aws.String("why")}},
			recovery.JobLogItem{Event: "LAUNCH_FAILED", RawError: "why"},
		},
		"a target goes before a conversion server": {
			types.JobLog{EventData: &types.JobLogEventData{SourceServerID: aws.String("s-1"), TargetInstanceID: aws.String("i-1"), ConversionServerID: aws.String("i-2")}},
			recovery.JobLogItem{Server: "s-1", Instance: "i-1"},
		},
		"a conversion server alone": {
			types.JobLog{EventData: &types.JobLogEventData{ConversionServerID: aws.String("i-2")}},
			recovery.JobLogItem{Instance: "i-2"},
		},
		"a secret": {
			types.JobLog{EventData: &types.JobLogEventData{RawError: aws.String("the token is tok-en")}},
			recovery.JobLogItem{RawError: "the token is [redacted]"},
		},
	} {
		if got := logItem(&tt.item, []string{"", "tok-en"}); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestALogIsPutInOrder(t *testing.T) {
	items := func(events string) (all []recovery.JobLogItem) {
		for i := 0; i < len(events); i += 2 { // a second, and what happened
			all = append(all, recovery.JobLogItem{At: time.Unix(int64(events[i]), 0), Event: events[i+1 : i+2]})
		}
		return all
	}
	for name, tt := range map[string]struct{ listed, want string }{
		"empty":                        {"", ""},
		"oldest first":                 {"1a2b2c3d", "abcd"},
		"newest first":                 {"3d2c2b1a", "abcd"},
		"in no order":                  {"1a3d2b2c", "abcd"},
		"all of it in the same second": {"1a1b1c1d", "abcd"},
	} {
		got := ""
		for _, i := range oldestFirst(items(tt.listed)) {
			got += i.Event
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", name, got, tt.want)
		}
	}
}
