package awssns_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"muster/awssns"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"
)

const arn = "arn:aws:sns:eu-west-1:111122223333:muster-Topic-1"

// service is SNS on the wire, as far as Publish goes. It answers with errors
// as long as it has some.
type service struct {
	mu        sync.Mutex
	errors    []string // code, or status:code
	published []url.Values
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	s.published = append(s.published, r.PostForm)
	if len(s.errors) > 0 {
		status, code := 0, ""
		_, _ = fmt.Sscanf(s.errors[0], "%d:%s", &status, &code)
		s.errors = s.errors[1:]
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>as AWS says</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code)
		return
	}
	fmt.Fprint(w, `<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>`)
}

func topic(t *testing.T, s *service) *awssns.Topic {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("k", "s", "")}
	made, err := awssns.New(cfg, arn)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestPeopleAreTold(t *testing.T) {
	s := &service{}
	err := topic(t, s).Publish(context.Background(), awssns.Message{
		Subject: "wave 2 of Läden\nfailed " + strings.Repeat("x", 100), Text: strings.Repeat("ä", 40<<10), Attributes: map[string]string{"kind": "FAILED", "plan": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.published[0]
	if text := got.Get("Message"); len(text) > 64<<10 || !strings.HasSuffix(text, "ä...") {
		t.Errorf("the text has %d bytes and ends in %q", len(text), text[len(text)-8:])
	}
	got.Del("Message")
	want := url.Values{
		"Action": {"Publish"}, "Version": {"2010-03-31"}, "TopicArn": {arn}, "Subject": {"wave 2 of L?den?failed " + strings.Repeat("x", 73) + "..."},
		"MessageAttributes.entry.1.Name": {"kind"}, "MessageAttributes.entry.1.Value.DataType": {"String"}, "MessageAttributes.entry.1.Value.StringValue": {"FAILED"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAPassingErrorIsTriedAgain(t *testing.T) {
	s := &service{errors: []string{"500:InternalError"}}
	if err := topic(t, s).Publish(context.Background(), awssns.Message{Text: "x"}); err != nil || len(s.published) != 2 {
		t.Errorf("got %v after %d tries", err, len(s.published))
	}
}

func TestARefusalSaysWhatHelps(t *testing.T) {
	for _, c := range []struct{ refusal, want string }{
		{"404:NotFound", "NotFound - there is no such topic in that account and region: set MUSTER_TOPIC"},
		{"403:AuthorizationError", "AuthorizationError - the function's role may not publish there: it needs sns:Publish"},
		{"400:KMSAccessDenied", "KMSAccessDenied - the function's role may not use the topic's key"},
		{"400:InvalidParameter", "InvalidParameter - as AWS says"},
	} {
		s := &service{errors: []string{c.refusal}}
		err := topic(t, s).Publish(context.Background(), awssns.Message{Text: "x"})
		if want := "publishing to " + arn + ": " + c.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func TestATopicIsAnARN(t *testing.T) {
	for _, arn := range []string{"", "muster", "arn:aws:sqs:eu-west-1:111122223333:muster", "arn:aws:sns:eu-west-1:1:muster", "arn:aws:sns:eu-west-1:111122223333:muster:subscription"} {
		if _, err := awssns.New(aws.Config{}, arn); err == nil || !strings.Contains(err.Error(), "arn:aws:sns:REGION:ACCOUNT:NAME") {
			t.Errorf("%q: got %v", arn, err)
		}
	}
}
