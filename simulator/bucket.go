package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bucket is a token bucket: how many requests fit into one burst, and how many
// more come free each second. In a file it is a pair: [100, 5].
type Bucket struct {
	Burst, Refill float64
}

func (b *Bucket) readNode(n *yaml.Node) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	bad := errors.New("must be a pair [burst, refill a second] of numbers, such as [100, 5]")
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		return bad
	}
	var err1, err2 error
	b.Burst, err1 = strconv.ParseFloat(n.Content[0].Value, 64)
	b.Refill, err2 = strconv.ParseFloat(n.Content[1].Value, 64)
	if err1 != nil || err2 != nil || !(b.Burst >= 1 && b.Burst <= 1e9) || !(b.Refill >= 0 && b.Refill <= 1e9) {
		return fmt.Errorf("%w; burst at least 1, refill at least 0", bad)
	}
	return nil
}

// MarshalJSON writes the pair.
func (b Bucket) MarshalJSON() ([]byte, error) { return json.Marshal([2]float64{b.Burst, b.Refill}) }

// ec2Rate gives EC2's documented rate of an action, per account and region.
// Source: "Request throttling for the Amazon EC2 API" in the EC2 developer guide.
func ec2Rate(action string) Bucket {
	switch {
	case action == "CreateLaunchTemplateVersion", action == "ModifyLaunchTemplate":
		return Bucket{100, 5}
	case action == "RunInstances", action == "StartInstances":
		return Bucket{5, 2}
	case strings.HasPrefix(action, "Describe"), strings.HasPrefix(action, "Get"):
		return Bucket{100, 20}
	}
	return Bucket{50, 5}
}

// rate finds the bucket of an operation: the fleet's own word, or AWS's
// documented one. DRS's and STS's rates are not documented, so there is none.
func (r *Region) rate(service, operation string) (Bucket, bool) {
	if of := r.Buckets[service]; of != nil {
		if b, ok := of[operation]; ok {
			return b, true
		}
		if b, ok := of["*"]; ok {
			return b, true
		}
	}
	if service == "ec2" {
		return ec2Rate(operation), true
	}
	return Bucket{}, false
}

// level is how full a bucket is, as of a moment.
type level struct {
	tokens float64
	at     time.Time
}

// draw takes one token, or says how long until there is one. A client that
// paces itself exactly must not be refused for the last digit of a float.
func (l *level) draw(b Bucket, now time.Time) (ok bool, wait time.Duration) {
	l.refill(b, now)
	if l.tokens+1e-6 >= 1 {
		l.tokens = math.Max(0, l.tokens-1)
		return true, 0
	}
	if b.Refill == 0 {
		return false, time.Hour
	}
	return false, time.Duration((1 - l.tokens) / b.Refill * float64(time.Second))
}

func (l *level) refill(b Bucket, now time.Time) {
	if l.at.IsZero() {
		l.tokens = b.Burst
	} else if now.After(l.at) {
		l.tokens = math.Min(b.Burst, l.tokens+b.Refill*now.Sub(l.at).Seconds())
	}
	l.at = now
}
