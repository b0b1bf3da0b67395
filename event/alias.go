package event

import (
	"muster/recovery"
)

// Alias is a name under which the function may be called. Who may call it by
// which alias is for the permissions of the place where it runs; what may be
// asked for by each stands here.
type Alias string

// The aliases. Without one everything may be asked for: whoever may call the
// function itself holds all of it anyway.
const (
	Read        Alias = "read"        // looks, and changes nothing
	Operate     Alias = "operate"     // what people do, reading included
	Orchestrate Alias = "orchestrate" // what a state machine does, and who watches over it
)

const aliasNames = string(Operate + ", " + Orchestrate + ", " + Read)

// allows says whether what belongs to an alias may be asked for by this one.
func (a Alias) allows(belongs Alias) bool {
	return a == "" || a == belongs || a == Operate && belongs == Read
}

// Caller is what is known of whoever sent an event.
type Caller struct {
	Alias     Alias  // that the function was called by; "": none
	RequestID string // of the call, as AWS knows it; "": it did not come through AWS
}

// admit refuses what may not be asked for by the caller's alias.
func (c Caller) admit(kind, name string, belongs Alias) error {
	switch {
	case c.Alias.allows(belongs):
		return nil
	case c.Alias != Read && c.Alias != Operate && c.Alias != Orchestrate:
		return recovery.Errorf(recovery.NotAllowed, "the function was called by the alias %s, and nothing may be asked for by that; there are: %s", recovery.Quote(string(c.Alias)), aliasNames)
	}
	by := string(belongs)
	if belongs == Read {
		by += " or " + string(Operate)
	}
	return recovery.Errorf(recovery.NotAllowed, "%s %s may be asked for by the alias %s, and not by %s, which allows: %s", kind, name, by, c.Alias, allowed(c.Alias))
}

// allowed lists what may be asked for by an alias.
func allowed(a Alias) string {
	var all []string
	for name, do := range actions {
		if a.allows(do.alias) {
			all = append(all, name)
		}
	}
	for name, do := range operations {
		if a.allows(do.alias) {
			all = append(all, name)
		}
	}
	return sorted(all)
}
