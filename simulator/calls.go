package simulator

import (
	"slices"
	"time"
)

// maxCalls bounds the log of calls in memory: the oldest go first.
const maxCalls = 100_000

// Call is one request that the world saw. It holds no secret key, no session token and no external id.
type Call struct {
	// N counts the requests that this world saw, from 1.
	N    int       `json:"n"`
	Time time.Time `json:"time"`
	// Service is drs, ec2 or sts; Operation AWS's name of the call.
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Account that the call acted in: the caller's, or the role's for AssumeRole.
	Account string `json:"account"`
	// CallerAccount is where the caller comes from: for an assumed role, the account that assumed it.
	CallerAccount string `json:"callerAccount"`
	// Principal is the caller's ARN: an account's root, or a role session.
	Principal string `json:"principal"`
	Region    string `json:"region"`
	// Resources are the ids that the call named or made.
	Resources []string `json:"resources,omitempty"`
	// Status is the HTTP status that was sent, or would have been; Code AWS's error code.
	Status int    `json:"status"`
	Code   string `json:"code,omitempty"`
	// Mutated says whether the call changed anything.
	Mutated bool `json:"mutated"`
	// Dropped says that a fault dropped the connection.
	Dropped bool `json:"dropped,omitempty"`
	// Faults that struck.
	Faults []string `json:"faults,omitempty"`
}

type callLog struct {
	kept []Call
	n    int
}

func (l *callLog) add(c Call) {
	l.n++
	c.N = l.n
	if len(l.kept) >= maxCalls {
		l.kept = slices.Delete(l.kept, 0, maxCalls/10)
	}
	l.kept = append(l.kept, c)
}

// Calls lists the requests that this world saw, oldest first: its own, not
// those of other worlds on the same journal, and at most the latest 100,000.
func (w *World) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls.kept)
}
