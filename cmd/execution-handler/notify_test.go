package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/simulator"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
)

// people is SNS on the wire: it keeps what is published, or refuses it.
type people struct {
	mu       sync.Mutex
	messages []url.Values
	refuse   string // messages whose subject contains it
}

func (p *people) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = r.ParseForm()
	if p.refuse != "" && strings.Contains(r.PostForm.Get("Subject"), p.refuse) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<ErrorResponse><Error><Code>AuthorizationError</Code><Message>no</Message></Error></ErrorResponse>`)
		return
	}
	p.messages = append(p.messages, r.PostForm)
	fmt.Fprint(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
}

// told gives the subjects of what was published, and forgets it.
func (p *people) told() (subjects []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.messages {
		subjects = append(subjects, m.Get("Subject"))
	}
	p.messages = nil
	return subjects
}

func startTelling(t *testing.T, p *people, faults ...string) *function {
	t.Helper()
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	fleet, err := simulator.LoadFleet("specification")
	if err != nil {
		t.Fatal(err)
	}
	var o simulator.Options
	for _, text := range faults {
		fault, err := simulator.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Faults = append(o.Faults, fault)
	}
	world, err := simulator.New(fleet, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.Close() })
	return startFunction(t, world, "MUSTER_TOPIC=arn:aws:sns:us-east-1:999999999999:people", "AWS_ENDPOINT_URL_SNS="+server.URL, "MUSTER_LOG_LEVEL=error")
}

const (
	plantedID    = "planted-external-id"
	plantedToken = "planted-task-token"
)

// state is of an execution of one wave with a gate before it.
func state(server string) string {
	return fmt.Sprintf(`{"executionId": "exec-n", "planId": "rp-1", "executionType": "DRILL", "initiatedBy": "u", "startTime": "2026-11-24T12:00:00Z", "currentWave": 1,
		"accountContext": {"accountId": "123456789012", "region": "us-east-1", "roleName": "DRSOrchestrationRole", "externalId": %q},
		"waves": [{"waveNumber": 1, "waveName": "App Tier", "protectionGroupId": "pg-app", "pauseBeforeWave": true, "servers": [{"serverId": %q, "launchConfig": {"instanceType": "m5.large"}}]}]}`,
		plantedID, server)
}

// stream gives the table's log of an execution from an event on, as its stream
// brings it to the function.
func stream(t *testing.T, f *function, from int) (records []string, event []byte) {
	t.Helper()
	out, err := dynamodb.NewFromConfig(f.dynamodb.Config()).Query(t.Context(), &dynamodb.QueryInput{
		TableName: new("executions"), KeyConditionExpression: new("pk = :pk AND begins_with(sk, :sk)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "EXECUTION#exec-n"}, ":sk": &types.AttributeValueMemberS{Value: "EVENT#"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, item := range out.Items {
		if n+1 < from {
			continue
		}
		image := map[string]map[string]string{}
		for name, v := range item {
			switch v := v.(type) {
			case *types.AttributeValueMemberS:
				image[name] = map[string]string{"S": v.Value}
			case *types.AttributeValueMemberN:
				image[name] = map[string]string{"N": v.Value}
			}
		}
		body, err := json.Marshal(map[string]any{
			"eventID": "x", "eventName": "INSERT", "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
			"dynamodb": map[string]any{"SequenceNumber": fmt.Sprint(n + 1), "StreamViewType": "NEW_IMAGE", "NewImage": image},
		})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, string(body))
	}
	return records, fmt.Appendf(nil, `{"Records": [%s]}`, strings.Join(records, ","))
}

func (f *function) must(event string) {
	f.t.Helper()
	if r := f.invoke([]byte(event), time.Minute); r.kind != "response" || strings.Contains(r.body, `"error"`) {
		f.t.Fatalf("got %+v", r)
	}
}

// emitted gives the metrics in the log, as CloudWatch reads them.
func emitted(t *testing.T, logs string) map[string][]float64 {
	t.Helper()
	all := map[string][]float64{}
	for line := range strings.Lines(logs) {
		var entry struct {
			AWS *struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
			Function string
		}
		var values map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.AWS == nil {
			continue
		}
		_ = json.Unmarshal([]byte(line), &values)
		m := entry.AWS.CloudWatchMetrics[0]
		if m.Namespace != "Muster" || fmt.Sprint(m.Dimensions) != "[[Function]]" || entry.Function != "execution-handler" || entry.AWS.Timestamp == 0 || m.Metrics[0].Unit == "" {
			t.Errorf("CloudWatch cannot read %s", line)
		}
		all[m.Metrics[0].Name] = append(all[m.Metrics[0].Name], values[m.Metrics[0].Name].(float64))
	}
	return all
}

func TestPeopleAreToldWhatIsInTheRecord(t *testing.T) {
	p := &people{}
	f := startTelling(t, p)
	await := func(more string) string {
		return fmt.Sprintf(`{"action": "await_decision", "taskToken": %q, "state": %s}`, plantedToken, strings.TrimSuffix(state("s-app-01"), "}")+more+"}")
	}
	f.must(fmt.Sprintf(`{"action": "begin_execution", "state": %s}`, state("s-app-01")))
	f.must(await(`, "interruption": {"Error": "Lambda.Unknown", "Cause": "it timed out"}`))
	if told := p.told(); told != nil {
		t.Errorf("recovery itself told %q", told)
	}

	_, event := stream(t, f, 1)
	r := f.invokeBy("notify", event, time.Minute)
	if r.body != `{"batchItemFailures":[]}` {
		t.Errorf("got %+v", r)
	}
	p.mu.Lock()
	all := fmt.Sprint(p.messages)
	p.mu.Unlock()
	want := []string{"Muster: DRILL exec-n has started", "Muster: DRILL exec-n was interrupted", "Muster: DRILL exec-n waits for a decision"}
	if diff := cmp.Diff(want, p.told()); diff != "" {
		t.Error(diff)
	}
	if command := "AWS_REGION=us-east-1 muster decide exec-n resume --question interrupted-1 --function execution-handler"; !strings.Contains(all, command) {
		t.Errorf("nobody is told %q: %s", command, all)
	}
	if r := f.invokeBy("notify", []byte(`{"look": "decisions"}`), time.Minute); r.kind != "response" {
		t.Errorf("got %+v", r)
	}
	f.stop()
	metrics := emitted(t, f.logs.String())
	if diff := cmp.Diff([]float64{1}, metrics["ExecutionsInterrupted"]); diff != "" {
		t.Error(diff)
	}
	if waited := metrics["DecisionWaitSeconds"]; len(waited) != 1 || waited[0] <= 0 || waited[0] > 60 {
		t.Errorf("somebody has waited %v seconds", waited)
	}
	for _, secret := range []string{plantedID, plantedToken, "planted-secret-key"} {
		if strings.Contains(all+f.logs.String(), secret) {
			t.Errorf("%s was told", secret)
		}
	}
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	p := &people{refuse: "interrupted"}
	f := startTelling(t, p)
	f.must(fmt.Sprintf(`{"action": "begin_execution", "state": %s}`, state("s-app-01")))
	f.must(fmt.Sprintf(`{"action": "await_decision", "taskToken": %q, "state": %s, "interruption": {"Error": "x"}}}`, plantedToken, strings.TrimSuffix(state("s-app-01"), "}")))
	records, event := stream(t, f, 1)
	at := slices.IndexFunc(records, func(r string) bool { return strings.Contains(r, `"INTERRUPTED"`) }) + 1
	if r := f.invokeBy("notify", event, time.Minute); r.body != fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%d"}]}`, at) {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff([]string{"Muster: DRILL exec-n has started"}, p.told()); diff != "" {
		t.Error(diff)
	}
	p.mu.Lock()
	p.refuse = ""
	p.mu.Unlock()
	_, rest := stream(t, f, at)
	if r := f.invokeBy("notify", rest, time.Minute); r.body != `{"batchItemFailures":[]}` {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff([]string{"Muster: DRILL exec-n was interrupted", "Muster: DRILL exec-n waits for a decision"}, p.told()); diff != "" {
		t.Error(diff)
	}
	f.stop()
	if logs := f.logs.String(); !strings.Contains(logs, `"msg":"not told","requestId"`) || !strings.Contains(logs, "it needs sns:Publish on the topic") {
		t.Errorf("the log does not tell why: %s", logs)
	}
	// Once told, once counted.
	if got := emitted(t, f.logs.String())["ExecutionsInterrupted"]; len(got) != 1 {
		t.Errorf("%v interruptions", got)
	}
}

func TestFailedWavesAndThrottledCallsAreCounted(t *testing.T) {
	p := &people{}
	f := startTelling(t, p, "Throttle:operation=AssumeRole,times=2")
	open := strings.Replace(strings.Replace(state("s-nowhere"), `"pauseBeforeWave": true, `, "", 1), plantedID, "unique-external-id", 1)
	f.must(fmt.Sprintf(`{"action": "begin_execution", "state": %s}`, open))
	r := f.invoke(fmt.Appendf(nil, `{"action": "start_wave_recovery", "wave_number": 1, "state": %s}`, open), time.Minute)
	if !strings.Contains(r.body, "InvalidSourceServer") {
		t.Errorf("got %+v", r)
	}
	_, event := stream(t, f, 2)
	f.invokeBy("notify", event, time.Minute)
	if diff := cmp.Diff([]string{"Muster: DRILL exec-n: wave 1 could not be started"}, p.told()); diff != "" {
		t.Error(diff)
	}
	f.stop()
	if diff := cmp.Diff(map[string][]float64{"Throttles": {2}, "WavesFailed": {1}}, emitted(t, f.logs.String())); diff != "" {
		t.Error(diff)
	}
}

func TestTheAliasThatTellsDoesNothingElse(t *testing.T) {
	f := startTelling(t, &people{})
	for event, want := range map[string]string{
		fmt.Sprintf(`{"action": "begin_execution", "state": %s}`, state("s-app-01")): `the alias notify takes changes`,
		`{"look": "around"}`: `there is nothing to look at called`,
		`{"Records": []}`:    `the alias notify takes changes`,
	} {
		if r := f.invokeBy("notify", []byte(event), time.Minute); r.kind != "error" || !strings.Contains(r.body, want) {
			t.Errorf("%s: got %+v", event, r)
		}
	}
	// What nobody can read keeps nothing from being told.
	if r := f.invokeBy("notify", []byte(`{"Records": [{"dynamodb": {"SequenceNumber": "1", "NewImage": {"pk": {"S": "x"}}}}]}`), time.Minute); r.body != `{"batchItemFailures":[]}` {
		t.Errorf("got %+v", r)
	}
	if r := f.invokeBy("read", []byte(`{"Records": [{"dynamodb": {}}]}`), time.Minute); !strings.Contains(r.body, "UNKNOWN_EVENT") {
		t.Errorf("got %+v", r)
	}
}

func TestADamagedRecordIsToldAndHoldsUpNobody(t *testing.T) {
	p := &people{}
	f := startTelling(t, p)
	f.must(fmt.Sprintf(`{"action": "begin_execution", "state": %s}`, strings.Replace(state("s-app-01"), "exec-n", "exec-whole", 1)))
	f.must(fmt.Sprintf(`{"action": "begin_execution", "state": %s}`, strings.Replace(state("s-app-02"), "rp-1", "rp-2", 1)))
	_, event := stream(t, f, 1)
	_, err := dynamodb.NewFromConfig(f.dynamodb.Config()).UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: new("executions"), UpdateExpression: new("SET opened = :o"),
		Key:                       map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "EXECUTION#exec-n"}, "sk": &types.AttributeValueMemberS{Value: "EXECUTION"}},
		ExpressionAttributeValues: map[string]types.AttributeValue{":o": &types.AttributeValueMemberS{Value: "{"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := f.invokeBy("notify", event, time.Minute); r.body != `{"batchItemFailures":[]}` {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff([]string{"Muster: exec-n: its record is damaged"}, p.told()); diff != "" {
		t.Error(diff)
	}
	if r := f.invokeBy("notify", []byte(`{"look": "decisions"}`), time.Minute); r.kind != "response" {
		t.Errorf("got %+v", r)
	}
	if r := f.invoke([]byte(`{"operation": "list_executions"}`), time.Minute); !strings.Contains(r.body, `"DAMAGED"`) || !strings.Contains(r.body, "exec-whole") {
		t.Errorf("got %+v, want both listed", r)
	}
	f.stop()
	if waited := emitted(t, f.logs.String())["DecisionWaitSeconds"]; len(waited) != 1 || waited[0] <= 0 {
		t.Errorf("the wait of the other is measured as %v", waited)
	}
}
