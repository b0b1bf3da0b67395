// Package awssns tells people what happens, through a topic of Amazon SNS.
package awssns

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"muster/awserror"
)

const (
	mostSubject = 99       // characters, all of them printable ASCII: SNS wants fewer than 100
	mostText    = 64 << 10 // bytes; SNS takes 256 KiB, a mail is read by somebody
	tries       = 4
	callTimeout = 20 * time.Second // of all tries together
)

// publisher is what is used of SNS.
type publisher interface {
	Publish(context.Context, *sns.PublishInput, ...func(*sns.Options)) (*sns.PublishOutput, error)
}

// Topic is where people are told. It may be used from many goroutines.
type Topic struct {
	arn    string
	client publisher
}

var topicARN = regexp.MustCompile(`^arn:[a-z-]+:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// CheckARN says what is wrong with the ARN of a topic, or nil.
func CheckARN(arn string) error {
	if !topicARN.MatchString(arn) {
		return errors.New("is not the ARN of an SNS topic, arn:aws:sns:REGION:ACCOUNT:NAME")
	}
	return nil
}

// New makes a topic of its ARN, in the ARN's region. It calls nobody.
func New(cfg aws.Config, arn string) (*Topic, error) {
	parts := topicARN.FindStringSubmatch(arn)
	if parts == nil {
		return nil, CheckARN(arn)
	}
	client := sns.NewFromConfig(cfg, func(o *sns.Options) {
		o.Region = parts[1]
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.RateLimiter = tries, ratelimit.None
		})
	})
	return &Topic{arn, client}, nil
}

// Message is what people are told. Subject is cut at 99 characters, and
// Text at 64 KiB.
type Message struct {
	Subject, Text string
	// Attributes are for subscribers who want some messages only. Empty ones
	// are not sent.
	Attributes map[string]string
}

// Publish tells those who have subscribed. An error says what SNS refused and
// what helps, or that it did not answer: then people may have been told.
func (t *Topic) Publish(ctx context.Context, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	in := &sns.PublishInput{TopicArn: &t.arn, Subject: aws.String(subject(m.Subject)), Message: aws.String(cut(m.Text, mostText))}
	for name, v := range m.Attributes {
		if v == "" {
			continue
		}
		if in.MessageAttributes == nil {
			in.MessageAttributes = map[string]types.MessageAttributeValue{}
		}
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(v)}
	}
	if _, err := t.client.Publish(ctx, in); err != nil {
		return t.explain(err)
	}
	return nil
}

// remedies say what helps against an error, by SNS's code.
var remedies = map[string]string{
	"NotFound":           "there is no such topic in that account and region: set MUSTER_TOPIC to one that is there, or deploy again",
	"AuthorizationError": "the function's role may not publish there: it needs sns:Publish on the topic, and for an encrypted one kms:GenerateDataKey and kms:Decrypt on its key",
	"KMSAccessDenied":    "the function's role may not use the topic's key: it needs kms:GenerateDataKey and kms:Decrypt",
	"KMSDisabled":        "the topic's key is disabled: enable it",
	"KMSInvalidState":    "the topic's key cannot be used now: see its state in KMS",
	"KMSNotFound":        "the topic's key is gone: give the topic another one",
}

func (t *Topic) explain(err error) error {
	f := awserror.Call{Service: "SNS", Operation: "Publish", Effect: true}.Failure(err)
	f.Code = strings.TrimSuffix(f.Code, "Exception")
	if remedy := remedies[f.Code]; remedy != "" {
		f.Message = remedy
	}
	return fmt.Errorf("publishing to %s: %s", t.arn, f.Detail())
}

// subject makes a subject as SNS takes it: printable ASCII on one line, that
// begins with a letter, a digit or a sign.
func subject(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, strings.TrimSpace(s))
	if s == "" {
		return "Muster"
	}
	return cut(s, mostSubject)
}

// cut keeps a text's beginning, and says that there is more.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const more = "..."
	s = s[:most-len(more)]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + more
}
