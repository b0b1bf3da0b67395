package recovery

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// World is where an execution lives: its record, and the AWS that it acts in.
// What is done about it anywhere else would be done to other servers.
type World struct {
	Record RecordID `json:"record"`
	AWS    AWS      `json:"aws"`
}

// IsZero says whether the world is not known: the execution is one of before
// there were worlds.
func (w World) IsZero() bool { return w == World{} }

// Apart says whether nothing that is done in the world can be seen in the AWS
// that is acted in here: one of them is simulated, and they are not the same.
// Two hubs may reach the same accounts.
func (w World) Apart(here AWS) bool {
	return !w.IsZero() && here != "" && !w.AWS.Same(here) && !(w.AWS.Real() && here.Real())
}

// RecordID names a record of executions: random, and never made of the record's
// own name or place, which a copy has others of.
type RecordID string

// AWS names an AWS: the real one by its partition and the hub's account, e.g.
// "aws:999999999999"; a simulated one by its id, seed, the digest of its fleet
// and the fleet's name, e.g. "simulated:ab12cd34:1:489cef145c8f4e58:three-tier";
// or one that only its address is known of, e.g. "endpoint:http://127.0.0.1:4566".
// "" is one that nobody knows. Same compares two of them.
type AWS string

const (
	simulatedPrefix = "simulated:"
	endpointPrefix  = "endpoint:"
)

var realAWS = regexp.MustCompile(`^(aws(?:-[a-z]+)*):([0-9]{12})$`)

// RealAWS names AWS itself, as seen from the hub's account.
func RealAWS(partition, account string) (AWS, error) {
	a := AWS(partition + ":" + account)
	if !a.Real() {
		return "", fmt.Errorf("%s and %s are no partition and account of AWS", Quote(partition), Quote(account))
	}
	return a, nil
}

// SimulatedAWS names a simulated AWS.
func SimulatedAWS(id string, seed int64, digest, fleet string) AWS {
	return AWS(fmt.Sprintf("%s%s:%d:%s:%s", simulatedPrefix, id, seed, digest, fleet))
}

// AWSAt names an AWS that only its address is known of.
func AWSAt(url string) AWS { return AWS(endpointPrefix + url) }

// Real says whether it is AWS itself.
func (a AWS) Real() bool { return realAWS.MatchString(string(a)) }

// Same says whether both are the same AWS. Of a simulated one its id is enough:
// fleet and seed are for people.
func (a AWS) Same(b AWS) bool { return a.identity() == b.identity() }

func (a AWS) identity() string {
	if parts := a.simulated(); parts != nil {
		return simulatedPrefix + parts[0]
	}
	return string(a)
}

// simulated gives id, seed, digest and fleet of a simulated AWS; nil: it is
// none.
func (a AWS) simulated() []string {
	rest, is := strings.CutPrefix(string(a), simulatedPrefix)
	parts := strings.SplitN(rest, ":", 4)
	if !is || len(parts) != 4 {
		return nil
	}
	return parts
}

// String names it for people.
func (a AWS) String() string {
	if m := realAWS.FindStringSubmatch(string(a)); m != nil {
		return fmt.Sprintf("AWS account %s (partition %s)", m[2], m[1])
	}
	if parts := a.simulated(); parts != nil {
		return fmt.Sprintf("the simulated AWS %s (seed %s, id %s)", parts[3], parts[1], parts[0])
	}
	if url, is := strings.CutPrefix(string(a), endpointPrefix); is {
		return "the AWS at " + url
	}
	return cmp.Or(string(a), "an AWS that is not known")
}

// way says how a command is led to the AWS.
func (a AWS) way() string {
	if m := realAWS.FindStringSubmatch(string(a)); m != nil {
		return "--aws, with credentials of account " + m[2]
	}
	if parts := a.simulated(); parts != nil {
		return fmt.Sprintf("--data with the folder, or --endpoint with the muster simulate, whose id is %s", parts[0])
	}
	if url, is := strings.CutPrefix(string(a), endpointPrefix); is {
		return "--endpoint " + ShellWord(url)
	}
	return "by the same flags"
}

// Kept gives the world as a store keeps it; "" where it is not known.
func (w World) Kept() string {
	if w.IsZero() {
		return ""
	}
	return string(marshal(w))
}

// ReadWorld reads what Kept gave.
func ReadWorld(record string) (w World, err error) {
	if record == "" {
		return World{}, nil
	}
	if err := json.Unmarshal([]byte(record), &w); err != nil {
		return World{}, damaged("the world that it belongs to: %w", err)
	}
	if w.Record == "" || w.AWS == "" {
		return World{}, damaged("the world that it belongs to is gone")
	}
	return w, nil
}
