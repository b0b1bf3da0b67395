package recovery

import (
	"encoding/json"
	"fmt"
	"slices"
)

// What a store keeps of plans, of groups, and of an execution beside its attempts and events, as
// JSON that every store writes alike. It holds the two secrets that have to be
// stored: external ids, without which a wave could not be started later, and
// task tokens, without which a waiting state machine could not go on.

// openedRecord is what begin_execution opened.
type openedRecord struct {
	*Execution
	TaskToken string `json:"taskToken,omitempty"`
}

// Opened gives what begin_execution opened as a store keeps it; nil for an
// execution that nobody opened.
func (e *Execution) Opened() ([]byte, error) {
	if e.Waves == nil {
		return nil, nil
	}
	for _, r := range []*Request{e.Pause, e.Cancel, e.Interrupted} {
		if r != nil {
			r.At = wall(r.At)
		}
	}
	for i := range e.Gone {
		e.Gone[i].At = wall(e.Gone[i].At)
	}
	for i := range e.PausedAlso {
		e.PausedAlso[i].At = wall(e.PausedAlso[i].At)
	}
	for i := range e.Answers {
		e.Answers[i].At = wall(e.Answers[i].At)
	}
	if e.Ended != nil {
		e.Ended.At = wall(e.Ended.At)
	}
	return json.Marshal(openedRecord{e, e.TaskToken.Reveal()})
}

// ReadOpened reads what Opened gave.
func (e *Execution) ReadOpened(record []byte) error {
	if len(record) == 0 {
		return nil
	}
	read := *e
	r := openedRecord{Execution: &read}
	if err := json.Unmarshal(record, &r); err != nil {
		return damaged("what execution %s was opened with: %w", e.ID, err)
	}
	if read.Waves == nil {
		return damaged("what execution %s was opened with is gone", e.ID)
	}
	read.TaskToken = NewSecret(r.TaskToken)
	*e = read
	return nil
}

// Freeze gives the plan as a store keeps it: its document, with its external
// ids in the open.
func (p *Plan) Freeze() ([]byte, error) { return json.Marshal(p.Document()) }

// ThawPlan reads what Freeze gave, in this version and in those before it.
func ThawPlan(record []byte) (*Plan, error) {
	var d PlanDocument
	if err := json.Unmarshal(record, &d); err != nil {
		return nil, damaged("a frozen plan: %w", err)
	}
	switch {
	case d.Version == 0:
		return thawPlan0(record)
	case d.Waves == nil:
		return nil, damaged("a frozen plan is not whole")
	}
	p := d.Whole()
	if d.Version != PlanVersion {
		p.Needs = append(p.Needs, fmt.Sprintf("version %d of plan documents", d.Version))
	}
	return p, nil
}

// Freeze gives the group as a store keeps it.
func (g *PlannedGroup) Freeze() ([]byte, error) {
	return json.Marshal(GroupsDocument{PlanVersion, map[ProtectionGroupID]*GroupDocument{g.ID: g.Document()}})
}

// ThawGroup reads what a group's Freeze gave, in this version and in those
// before it.
func ThawGroup(record []byte) (*PlannedGroup, error) {
	var d GroupsDocument
	if err := json.Unmarshal(record, &d); err != nil {
		return nil, damaged("a stored protection group: %w", err)
	}
	for id, g := range d.Groups {
		if g != nil && len(d.Groups) == 1 {
			return g.Asked(id), nil
		}
	}
	return thawGroup0(record)
}

// textLists gives settings the types that they have in memory: JSON knows no
// lists of strings.
func textLists(c LaunchConfig) LaunchConfig {
	for key, v := range c {
		items, isList := v.([]any)
		if !isList {
			continue
		}
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i], _ = item.(string)
		}
		c[key] = texts
	}
	return c
}

// understood is what this Muster understands of what a plan may need: nothing
// yet that an earlier one did not.
var understood []string

// Understood refuses to act on an execution whose plan needs what this Muster
// does not know. To look at it is always possible.
func (e *Execution) Understood() error { return understand(e.Needs, fmt.Sprintf("execution %s", e.ID)) }

// Understood refuses to begin a plan that needs what this Muster does not know.
func (p *Plan) Understood() error { return understand(p.Needs, fmt.Sprintf("plan %s", p.ID)) }

func understand(needs []string, what string) error {
	var unknown []string
	for _, need := range needs {
		if !slices.Contains(understood, need) {
			unknown = append(unknown, Quote(need))
		}
	}
	if unknown == nil {
		return nil
	}
	return Errorf(WrongState, "%s needs what this version of Muster does not know: %s; it can be looked at here, and only a later version acts on it", what, some(unknown, ", "))
}
