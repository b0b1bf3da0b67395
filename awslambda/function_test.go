package awslambda_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"muster/awslambda"
	"muster/recovery"
)

// answer is what Lambda answers on the wire; a broken one is none.
type answer struct {
	status int
	code   string // of an error
	failed bool   // the function ended without an answer
	body   string
	broken bool
}

// service is Lambda's Invoke API. The last answer is given again and again.
type service struct {
	answers []answer
	calls   []string
}

// RoundTrip implements http.RoundTripper: it is the network.
func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s.calls = append(s.calls, r.URL.Host+r.URL.EscapedPath()+"?"+r.URL.RawQuery+" "+string(body))
	a := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	if a.broken {
		return nil, errors.New("connection reset by peer")
	}
	h := http.Header{"Content-Type": {"application/json"}}
	if a.code != "" {
		h.Set("X-Amzn-Errortype", a.code)
	}
	if a.failed {
		h.Set("X-Amz-Function-Error", "Unhandled")
	}
	return &http.Response{StatusCode: a.status, Header: h, Body: io.NopCloser(strings.NewReader(a.body)), Request: r}, nil
}

func (s *service) function() *awslambda.Function {
	return awslambda.New(aws.Config{Region: "eu-central-1", HTTPClient: &http.Client{Transport: s},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "planted-secret-key", "")}, "muster", "operate")
}

func TestWhatAFunctionAnswersOrWhyItDoesNot(t *testing.T) {
	const secret = "planted-external-id"
	failed := func(kind string) answer {
		return answer{status: 200, failed: true, body: `{"errorType":"` + kind + `","errorMessage":"it went wrong"}`}
	}
	ok := answer{status: 200, body: `{"statusCode":200}`}
	for name, c := range map[string]struct {
		answers []answer
		calls   int
		code    string // of the error; "": it was answered
		kind    string // of a function that failed
	}{
		"an answer":                             {[]answer{ok}, 1, "", ""},
		"an answer after a broken connection":   {[]answer{{broken: true}, ok}, 2, "", ""},
		"an answer after throttles":             {[]answer{{status: 429, code: awslambda.Throttled, body: `{"message":"Rate Exceeded."}`}, ok}, 2, "", ""},
		"an answer after it could not record":   {[]answer{failed("Muster.NotRecorded"), ok}, 2, "", ""},
		"a function that cannot record":         {[]answer{failed("Muster.NotRecorded")}, 5, "", "Muster.NotRecorded"},
		"a function that died":                  {[]answer{failed("Runtime.ExitError")}, 1, "", "Runtime.ExitError"},
		"a function that failed without a word": {[]answer{{status: 200, failed: true, body: `"what"`}}, 1, "", "Unhandled"},
		"no such function":                      {[]answer{{status: 404, code: awslambda.NotFound, body: `{"message":"Function not found"}`}}, 1, awslambda.NotFound, ""},
		"no permission":                         {[]answer{{status: 403, code: awslambda.AccessDenied, body: `{"message":"not authorized"}`}}, 1, awslambda.AccessDenied, ""},
		"throttles without end":                 {[]answer{{status: 429, code: awslambda.Throttled, body: `{"message":"Rate Exceeded."}`}}, 5, awslambda.Throttled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &service{answers: c.answers}
				got, err := s.function().Invoke(t.Context(), []byte(`{"plan":"`+secret+`"}`))
				if len(s.calls) != c.calls {
					t.Errorf("%d calls, want %d: %v", len(s.calls), c.calls, s.calls)
				}
				refused, _ := errors.AsType[*recovery.ServiceError](err)
				fail, _ := errors.AsType[*awslambda.Failed](err)
				switch {
				case c.code != "":
					if refused == nil || refused.Code != c.code {
						t.Errorf("got %v, want %s", err, c.code)
					}
				case c.kind != "":
					if fail == nil || fail.Type != c.kind {
						t.Errorf("got %v, want %s", err, c.kind)
					}
				case err != nil || string(got) != ok.body:
					t.Errorf("got %s, %v", got, err)
				}
				if err != nil && (strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "planted-secret-key")) {
					t.Errorf("a secret is told: %v", err)
				}
			})
		})
	}
}

func TestTheFunctionIsCalledByItsAlias(t *testing.T) {
	s := &service{answers: []answer{{status: 200, body: "{}"}}}
	if _, err := s.function().Invoke(t.Context(), []byte(`{"operation":"list_executions"}`)); err != nil {
		t.Fatal(err)
	}
	want := []string{`lambda.eu-central-1.amazonaws.com/2015-03-31/functions/muster/invocations?Qualifier=operate {"operation":"list_executions"}`}
	if diff := cmp.Diff(want, s.calls); diff != "" {
		t.Error(diff)
	}
}

func TestACallThatIsInterruptedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second/2, cancel)
		s := &service{answers: []answer{{status: 200, failed: true, body: `{"errorType":"Muster.NotRecorded"}`}}}
		if _, err := s.function().Invoke(ctx, []byte("{}")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCredentialsThatCannotBeHadAreToldAsSuch(t *testing.T) {
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("the session has expired")
	})
	f := awslambda.New(aws.Config{Region: "eu-central-1", Credentials: none}, "muster", "read")
	_, err := f.Invoke(t.Context(), []byte("{}"))
	if refused, _ := errors.AsType[*recovery.ServiceError](err); refused == nil || refused.Code != awslambda.NoCredentials || !strings.Contains(refused.Message, "the session has expired") {
		t.Errorf("got %v", err)
	}
}

func TestANameIsTakenApart(t *testing.T) {
	const arn = "arn:aws:lambda:us-west-2:999999999999:function:muster"
	for s, want := range map[string][3]string{
		"muster":         {"muster", "", ""},
		"muster:read":    {"muster", "read", ""},
		"muster:$LATEST": {"muster", "$LATEST", ""},
		arn:              {arn, "", "us-west-2"},
		arn + ":operate": {arn, "operate", "us-west-2"},
	} {
		name, alias, region, err := awslambda.Parse(s)
		if got := [3]string{name, alias, region}; got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", s, got, err, want)
		}
	}
	for _, s := range []string{"", ":read", "muster:", "my muster", "muster:a:b", "arn:aws:s3:::bucket"} {
		if _, _, _, err := awslambda.Parse(s); err == nil {
			t.Errorf("%q passes for a function", s)
		}
	}
}
