package simulator

import (
	"encoding/json"
	"strings"
	"testing"
)

func decoded(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryShapeThatTheModelNamesExists(t *testing.T) {
	m := model()
	exists := func(where, name string) {
		t.Helper()
		if name != "" && m.Shapes[name] == nil {
			t.Errorf("%s names the shape %q, which does not exist", where, name)
		}
	}
	for name, op := range m.Operations {
		if op.Name != name || op.Method == "" || op.URI == "" || op.Status == 0 || op.Input == "" {
			t.Errorf("operation %s is incomplete: %+v", name, op)
		}
		exists(name, op.Input)
		exists(name, op.Output)
		for _, e := range op.Errors {
			exists(name, e)
		}
	}
	for name, s := range m.Shapes {
		exists(name, s.Member)
		exists(name, s.Key)
		exists(name, s.Value)
		for _, member := range s.Members {
			exists(name, member.Shape)
		}
		if s.Pattern != "" && s.strict == nil && s.Pattern != beyondRE2 {
			t.Errorf("the pattern of %s is not checked", name)
		}
		if (s.Type == "list" && s.Member == "") || (s.Type == "map" && (s.Key == "" || s.Value == "")) {
			t.Errorf("%s has no members", name)
		}
	}
	if got := operations["StartRecovery"].Status; got != 202 {
		t.Errorf("StartRecovery answers %d, want 202", got)
	}
}

func TestRequestsAreRefusedInAWSsWords(t *testing.T) {
	const server = `{"sourceServerID":"s-1234567890abcdefg"}`
	tests := []struct {
		name, shape, value, want string
	}{
		{"a good request", "StartRecoveryRequest", `{"sourceServers":[` + server + `],"isDrill":true,"tags":{"a":""}}`, ""},
		{"unknown members pass", "StartRecoveryRequest", `{"sourceServers":[` + server + `],"future":1}`, ""},
		{"null is absent", "StartRecoveryRequest", `{"sourceServers":[` + server + `],"isDrill":null}`, ""},
		{"AUTO is no snapshot", "StartRecoveryRequest", `{"sourceServers":[{"sourceServerID":"s-1234567890abcdefg","recoverySnapshotID":"AUTO"}]}`,
			"1 validation error detected: Value 'AUTO' at 'sourceServers.1.member.recoverySnapshotID' failed to satisfy constraint: Member must satisfy regular expression pattern: pit-[0-9a-zA-Z]{17}"},
		{"a pattern is anchored", "RecoverySnapshotID", `"xpit-123456789012345"`,
			"1 validation error detected: Value 'xpit-123456789012345' at '' failed to satisfy constraint: Member must satisfy regular expression pattern: pit-[0-9a-zA-Z]{17}"},
		{"required", "StartRecoveryRequest", `{}`,
			"1 validation error detected: Value null at 'sourceServers' failed to satisfy constraint: Member must not be null"},
		{"all at once", "UpdateLaunchConfigurationRequest", `{"launchDisposition":"X"}`,
			"2 validation errors detected: Value 'X' at 'launchDisposition' failed to satisfy constraint: Member must satisfy enum value set: [STOPPED, STARTED]; " +
				"Value null at 'sourceServerID' failed to satisfy constraint: Member must not be null"},
		{"required inside a list", "StartRecoveryRequest", `{"sourceServers":[` + server + `,{}]}`,
			"1 validation error detected: Value null at 'sourceServers.2.member.sourceServerID' failed to satisfy constraint: Member must not be null"},
		{"too few", "StartRecoveryRequest", `{"sourceServers":[]}`,
			"1 validation error detected: Value '[]' at 'sourceServers' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"an enumeration", "UpdateLaunchConfigurationRequest", `{"sourceServerID":"s-1234567890abcdefg","launchDisposition":"MAYBE"}`,
			"1 validation error detected: Value 'MAYBE' at 'launchDisposition' failed to satisfy constraint: Member must satisfy enum value set: [STOPPED, STARTED]"},
		{"a range", "DescribeJobsRequest", `{"maxResults":0}`,
			"1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"a map's value", "TagsMap", `{"k":"` + strings.Repeat("ü", 257) + `"}`,
			"1 validation error detected: Value '" + strings.Repeat("ü", 200) + "...' at 'k.member' failed to satisfy constraint: Member must have length less than or equal to 256"},
		{"lengths count characters", "TagsMap", `{"k":"` + strings.Repeat("ü", 256) + `"}`, ""},
		{"an ARN beyond RE2", "ListTagsForResourceRequest", `{"resourceArn":"arn:aws:drs:us-west-2:123456789012:source-server/s-1"}`, ""},
		{"no ARN", "ListTagsForResourceRequest", `{"resourceArn":"urn:aws:drs:us-west-2:123456789012"}`,
			"1 validation error detected: Value 'urn:aws:drs:us-west-2:123456789012' at 'resourceArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:.{16,2044}"},
		{"the wrong type", "StartRecoveryRequest", `{"sourceServers":{}}`, "START_OBJECT at 'sourceServers' can not be converted to list"},
		{"a fraction is no integer", "DescribeJobsRequest", `{"maxResults":1.5}`, "NUMBER_VALUE at 'maxResults' can not be converted to integer"},
		{"beyond an integer", "DescribeJobsRequest", `{"maxResults":4294967296}`, "NUMBER_VALUE at 'maxResults' can not be converted to integer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got string
			if err := validationError(checkShape(tt.shape, decoded(t, tt.value), true)); err != nil {
				got = err.Message
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestRelaxedIdentifiersRelaxNothingElse(t *testing.T) {
	tests := []struct {
		name, shape, value string
		strict, relaxed    bool
	}{
		{"AWS's own", "SourceServerID", `"s-1234567890abcdefg"`, true, true},
		{"a short one", "SourceServerID", `"s-db-01"`, false, true},
		{"another prefix", "SourceServerID", `"i-db-01"`, false, false},
		{"the prefix alone", "SourceServerID", `"s-"`, false, false},
		{"other characters", "SourceServerID", `"s-db 01"`, false, false},
		{"a line after it", "SourceServerID", `"s-db-01\n"`, false, false},
		{"AUTO", "RecoverySnapshotID", `"AUTO"`, false, false},
		{"a job", "JobID", `"drsjob-1"`, false, true},
		{"an ARN", "ARN", `"arn:aws:drs:us-west-2:1:x"`, true, true},
		{"an ARN that is too short", "ARN", `"arn:drs:x"`, false, true},
		{"an ARN without content", "ARN", `"arn:"`, false, false},
		{"an account is no identifier with a prefix", "AccountID", `"12345"`, false, false},
		{"a size", "StartRecoveryRequest", `{"sourceServers":[]}`, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := decoded(t, tt.value)
			if got := len(checkShape(tt.shape, v, true)) == 0; got != tt.strict {
				t.Errorf("strict: passes %t, want %t", got, tt.strict)
			}
			if got := len(checkShape(tt.shape, v, false)) == 0; got != tt.relaxed {
				t.Errorf("relaxed: passes %t, want %t", got, tt.relaxed)
			}
		})
	}
}

func TestAnAnswersUnknownMemberIsAProblem(t *testing.T) {
	got := checkAnswer("StartRecoveryResponse", decoded(t, `{"job":{"jobID":"drsjob-1234567890abcdefg","jobNumber":1}}`), true)
	if len(got) != 1 || got[0].Path != "job.jobNumber" {
		t.Errorf("got %v", got)
	}
}

func TestErrorStatusesAreTheModels(t *testing.T) {
	for code, want := range map[string]int{
		"ServiceQuotaExceededException": 402, "ThrottlingException": 429, "ConflictException": 409, "AccessDeniedException": 403,
		"ResourceNotFoundException": 404, "InternalServerException": 500, "ValidationException": 400, "UnknownOperationException": 400,
	} {
		if got := errorStatus(code); got != want {
			t.Errorf("%s is %d, want %d", code, got, want)
		}
	}
}
