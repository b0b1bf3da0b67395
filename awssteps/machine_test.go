package awssteps_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/awssteps"
	"muster/recovery"
)

const (
	arn   = "arn:aws:states:eu-central-1:999999999999:stateMachine:muster"
	token = "planted-task-token"
)

// service is Step Functions on the wire, as far as it is called: the JSON
// protocol, with what each call is answered.
type service struct {
	mu       sync.Mutex
	requests []request
	answers  []answer // of the calls to come; none left: 200 {}
}

type request struct {
	host, target, body string
	at                 time.Time
}

type answer struct {
	status int
	code   string // of an error; "": body is the answer
	body   string
	broken bool // the connection breaks
}

// RoundTrip implements http.RoundTripper: it is the network.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, request{r.URL.Host, r.Header.Get("X-Amz-Target"), string(body), time.Now()})
	next := answer{status: 200, body: "{}"}
	if len(s.answers) > 0 {
		next, s.answers = s.answers[0], s.answers[1:]
	}
	if next.broken {
		return nil, errors.New("connection reset by " + token) // whatever the network says
	}
	if next.code != "" {
		next.body = fmt.Sprintf(`{"__type":"com.amazonaws.swf.service.v2.model#%s","message":"it says %s"}`, next.code, token)
	}
	return &http.Response{StatusCode: next.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(next.body)), Request: r}, nil
}

func refusal(code string) answer { return answer{status: 400, code: code} }

// over runs a test with a machine on a service, in virtual time.
func over(t *testing.T, test func(t *testing.T, s *service, m *awssteps.Machine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &service{}
		m := awssteps.New(aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("key", "planted-secret-key", ""),
			HTTPClient: &http.Client{Transport: s}}, arn)
		test(t, s, m)
	})
}

// asked wants the newest request to be this one.
func (s *service) asked(t *testing.T, target string, want map[string]string) {
	t.Helper()
	last := s.requests[len(s.requests)-1]
	var got map[string]string
	if err := json.Unmarshal([]byte(last.body), &got); err != nil {
		t.Fatal(err)
	}
	if last.target != "AWSStepFunctions."+target || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %s %v\nwant %s %v", last.target, got, target, want)
	}
	if !strings.Contains(last.host, "eu-central-1") {
		t.Errorf("%s was asked, want the machine's own region", last.host)
	}
}

func TestARunIsStartedByItsNameAndOneThatIsThereIsNoError(t *testing.T) {
	over(t, func(t *testing.T, s *service, m *awssteps.Machine) {
		s.answers = []answer{{status: 200, body: `{"executionArn":"arn","startDate":1.7e9}`}, refusal("ExecutionAlreadyExists")}
		for _, want := range []bool{true, false} {
			started, err := m.Start(t.Context(), "exec-1-r2", []byte(`{"a": 1}`))
			if started != want || err != nil {
				t.Errorf("got %v, %v; want %v", started, err, want)
			}
			s.asked(t, "StartExecution", map[string]string{"stateMachineArn": arn, "name": "exec-1-r2", "input": `{"a": 1}`})
		}
	})
}

func TestARunIsUnderWayOrOverOrUnknown(t *testing.T) {
	over(t, func(t *testing.T, s *service, m *awssteps.Machine) {
		for _, c := range []struct {
			answer         answer
			running, known bool
		}{
			{answer{status: 200, body: `{"status":"RUNNING"}`}, true, true},
			{answer{status: 200, body: `{"status":"PENDING_REDRIVE"}`}, true, true},
			{answer{status: 200, body: `{"status":"SUCCEEDED"}`}, false, true},
			{answer{status: 200, body: `{"status":"FAILED"}`}, false, true},
			{answer{status: 200, body: `{"status":"TIMED_OUT"}`}, false, true},
			{answer{status: 200, body: `{"status":"ABORTED"}`}, false, true},
			{refusal("ExecutionDoesNotExist"), false, false},
		} {
			s.answers = []answer{c.answer}
			running, known, err := m.Running(t.Context(), "exec-1")
			if running != c.running || known != c.known || err != nil {
				t.Errorf("%+v: got %v, %v, %v", c.answer, running, known, err)
			}
			s.asked(t, "DescribeExecution", map[string]string{"executionArn": "arn:aws:states:eu-central-1:999999999999:execution:muster:exec-1", "includedData": "METADATA_ONLY"})
		}
	})
}

func TestATaskIsCompletedAndOneThatDoesNotWaitAnyMoreIsNoError(t *testing.T) {
	over(t, func(t *testing.T, s *service, m *awssteps.Machine) {
		for _, a := range []answer{{status: 200, body: "{}"}, refusal("TaskTimedOut"), refusal("TaskDoesNotExist"), refusal("InvalidToken")} {
			s.answers = []answer{a}
			if err := m.Succeed(t.Context(), token, []byte("{}")); err != nil {
				t.Errorf("%+v: %v", a, err)
			}
			s.asked(t, "SendTaskSuccess", map[string]string{"taskToken": token, "output": "{}"})
		}
		if n := len(s.requests); n != 4 {
			t.Errorf("%d calls were made, want 4: what is no error is not repeated", n)
		}
	})
}

func TestWhatPassesIsAskedAgain(t *testing.T) {
	for _, passing := range []answer{refusal("ThrottlingException"), {status: 500, code: "InternalServerError"}, {status: 503, body: "<html>"}, {broken: true}} {
		over(t, func(t *testing.T, s *service, m *awssteps.Machine) {
			s.answers = []answer{passing, passing, passing, passing, {status: 200, body: "{}"}}
			if err := m.Succeed(t.Context(), token, []byte("{}")); err != nil || len(s.requests) != 5 {
				t.Errorf("%+v: after %d calls: %v", passing, len(s.requests), err)
			}
		})
	}
}

// calls are all that a machine can be asked.
var calls = map[string]func(context.Context, *awssteps.Machine) error{
	"StartExecution": func(ctx context.Context, m *awssteps.Machine) error {
		started, err := m.Start(ctx, "exec-1", []byte("{}"))
		if started {
			err = errors.Join(err, errors.New("it says that it was started"))
		}
		return err
	},
	"DescribeExecution": func(ctx context.Context, m *awssteps.Machine) error {
		_, _, err := m.Running(ctx, "exec-1")
		return err
	},
	"SendTaskSuccess": func(ctx context.Context, m *awssteps.Machine) error { return m.Succeed(ctx, token, []byte("{}")) },
}

func TestAnErrorSaysWhatWasCalledAndWhetherItPassesAndHoldsNoSecret(t *testing.T) {
	for _, c := range []struct {
		name                 string
		answer               answer
		code                 string
		retryable, ambiguous bool
	}{
		{"throttled for too long", refusal("ThrottlingException"), "ThrottlingException", true, false},
		{"no permission", refusal("AccessDeniedException"), "AccessDeniedException", false, false},
		{"no such machine", refusal("StateMachineDoesNotExist"), "StateMachineDoesNotExist", false, false},
		{"too many runs", refusal("ExecutionLimitExceeded"), "ExecutionLimitExceeded", true, false},
		{"its own error", answer{status: 500, code: "InternalServerError"}, "InternalServerError", true, true},
		{"no answer", answer{broken: true}, "", true, true},
		{"nonsense", answer{status: 502, body: "<html>"}, "", true, true},
	} {
		for operation, call := range calls {
			over(t, func(t *testing.T, s *service, m *awssteps.Machine) {
				for range 100 {
					s.answers = append(s.answers, c.answer)
				}
				err := call(t.Context(), m)
				got, is := errors.AsType[*recovery.ServiceError](err)
				if !is {
					t.Fatalf("%s: %s: got %v, want a ServiceError", c.name, operation, err)
				}
				if got.Service != "Step Functions" || got.Operation != operation || got.Code != c.code || got.Retryable != c.retryable || got.Ambiguous != c.ambiguous || got.Message == "" {
					t.Errorf("%s: got %+v", c.name, got)
				}
				if operation == "SendTaskSuccess" && strings.Contains(fmt.Sprintf("%+v %s", got, got), token) {
					t.Errorf("%s: the error holds the token: %s", c.name, got)
				}
			})
		}
	}
}

func TestACallEndsWithItsContextAndInAnyCaseInHalfAMinute(t *testing.T) {
	for operation, call := range calls {
		over(t, func(t *testing.T, s *service, m *awssteps.Machine) {
			for range 1000 {
				s.answers = append(s.answers, refusal("ThrottlingException"))
			}
			begun := time.Now()
			if err := call(t.Context(), m); err == nil || time.Since(begun) > 31*time.Second {
				t.Errorf("%s: %v after %s", operation, err, time.Since(begun))
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := call(ended, m); err == nil {
				t.Errorf("%s: it goes on with a context that has ended", operation)
			}
		})
	}
}

func TestOnlyAStateMachinesARNIsOne(t *testing.T) {
	for _, good := range []string{arn, "arn:aws-us-gov:states:us-gov-west-1:999999999999:stateMachine:Muster_2-x", "arn:aws-cn:states:cn-north-1:999999999999:stateMachine:m"} {
		if err := awssteps.CheckARN(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"", "muster", arn + ":1", arn + ":live", arn + "\n", strings.Replace(arn, "stateMachine", "execution", 1), strings.Replace(arn, "999999999999", "9", 1),
		"arn:aws:states:eu-central-1:999999999999:express:muster", strings.Repeat("x", 10)} {
		if err := awssteps.CheckARN(bad); err == nil || !strings.Contains(err.Error(), "arn:aws:states:REGION:ACCOUNT:stateMachine:NAME") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}
