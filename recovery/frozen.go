package recovery

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// What a store keeps of plans, of groups, and of an execution beside its attempts and events, as
// JSON that every store writes alike. It holds the two secrets that have to be
// stored: external ids, without which a wave could not be started later, and
// task tokens, without which a waiting state machine could not go on.

// openedRecord is what begin_execution opened.
type openedRecord struct {
	Digest      string          `json:"digest"` // of the frozen plan
	Waves       []WaveRecord    `json:"waves"`
	PollEvery   time.Duration   `json:"pollEvery,omitempty"`
	Policy      ReadinessPolicy `json:"readinessPolicy,omitempty"`
	Replace     []InstanceID    `json:"replaceLiveInstances,omitempty"`
	Gone        []TreatedAsGone `json:"treatAsGone,omitempty"`
	Run         int             `json:"run,omitempty"`
	Others      []Load          `json:"others,omitempty"`
	Pause       *Request        `json:"pause,omitempty"`
	Cancel      *Request        `json:"cancel,omitempty"`
	Interrupted *Request        `json:"interrupted,omitempty"`
	Ended       *Ending         `json:"ended,omitempty"`
	TaskToken   string          `json:"taskToken,omitempty"`
	TaskRun     int             `json:"taskRun,omitempty"`

	Speed         float64    `json:"speed,omitempty"`
	PausedAlso    []Request  `json:"pausedAlso,omitempty"`
	Pauses        int        `json:"pauses,omitempty"`
	Interruptions int        `json:"interruptions,omitempty"`
	Answers       []Answered `json:"answers,omitempty"`
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
	return json.Marshal(openedRecord{e.Digest, e.Waves, e.PollEvery, e.Policy, e.Replace, e.Gone, e.Run, e.Others, e.Pause, e.Cancel, e.Interrupted, e.Ended, e.TaskToken.Reveal(), e.TaskRun,
		e.Speed, e.PausedAlso, e.Pauses, e.Interruptions, e.Answers})
}

// ReadOpened reads what Opened gave.
func (e *Execution) ReadOpened(record []byte) error {
	if len(record) == 0 {
		return nil
	}
	var r openedRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return damaged("what execution %s was opened with: %w", e.ID, err)
	}
	if r.Waves == nil {
		return damaged("what execution %s was opened with is gone", e.ID)
	}
	e.Digest, e.Waves, e.PollEvery, e.Policy, e.Replace, e.Gone, e.Run, e.Others, e.Pause, e.Cancel, e.Interrupted, e.Ended, e.TaskToken, e.TaskRun =
		r.Digest, r.Waves, r.PollEvery, r.Policy, r.Replace, r.Gone, r.Run, r.Others, r.Pause, r.Cancel, r.Interrupted, r.Ended, NewSecret(r.TaskToken), r.TaskRun
	e.Speed, e.PausedAlso, e.Pauses, e.Interruptions, e.Answers = r.Speed, r.PausedAlso, r.Pauses, r.Interruptions, r.Answers
	return nil
}

// frozenPlan carries a plan's external ids in the open, which Plan itself
// would redact: they are listed apart, by the wave's place in the plan, the
// plan's own last.
type frozenPlan struct {
	Plan        *Plan    `json:"plan"`
	ExternalIDs []string `json:"externalIds"`
}

// Freeze gives the plan as a store keeps it.
func (p *Plan) Freeze() ([]byte, error) {
	f := frozenPlan{Plan: p}
	for i := range p.Waves {
		f.ExternalIDs = append(f.ExternalIDs, p.Waves[i].Account.ExternalID.Reveal())
	}
	f.ExternalIDs = append(f.ExternalIDs, p.Account.ExternalID.Reveal())
	return json.Marshal(f)
}

// Digest marks the plan: another plan has another digest. It is taken of the
// plan as it was asked for, before groups are resolved by their tags, so that
// the same event has the same digest whatever DRS holds by then.
func (p *Plan) Digest() (string, error) {
	frozen, err := p.Freeze()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(frozen)
	return hex.EncodeToString(sum[:]), nil
}

// ThawPlan reads what Freeze gave.
func ThawPlan(record []byte) (*Plan, error) {
	var f frozenPlan
	if err := json.Unmarshal(record, &f); err != nil {
		return nil, damaged("a frozen plan: %w", err)
	}
	if f.Plan == nil || len(f.ExternalIDs) != len(f.Plan.Waves)+1 {
		return nil, damaged("a frozen plan is not whole")
	}
	for i := range f.Plan.Waves {
		w := &f.Plan.Waves[i]
		w.Account.ExternalID = NewSecret(f.ExternalIDs[i])
		for j := range w.Servers {
			w.Servers[j].LaunchConfig = thawed(w.Servers[j].LaunchConfig)
		}
	}
	for _, g := range f.Plan.Groups {
		g.thaw()
	}
	f.Plan.Account.ExternalID = NewSecret(f.ExternalIDs[len(f.Plan.Waves)])
	return f.Plan, nil
}

// frozenGroup carries a protection group's external id in the open.
type frozenGroup struct {
	Group      *PlannedGroup `json:"group"`
	ExternalID string        `json:"externalId,omitempty"`
}

// Freeze gives the group as a store keeps it.
func (g *PlannedGroup) Freeze() ([]byte, error) {
	f := frozenGroup{Group: g}
	if g.Account != nil {
		f.ExternalID = g.Account.ExternalID.Reveal()
	}
	return json.Marshal(f)
}

// ThawGroup reads what a group's Freeze gave.
func ThawGroup(record []byte) (*PlannedGroup, error) {
	var f frozenGroup
	if err := json.Unmarshal(record, &f); err != nil {
		return nil, damaged("a stored protection group: %w", err)
	}
	if f.Group == nil {
		return nil, damaged("a stored protection group is not whole")
	}
	f.Group.thaw()
	if f.Group.Account != nil {
		f.Group.Account.ExternalID = NewSecret(f.ExternalID)
	}
	return f.Group, nil
}

func (g *ProtectionGroup) thaw() {
	if g == nil {
		return
	}
	g.LaunchConfig = thawed(g.LaunchConfig)
	for id, c := range g.Overrides {
		g.Overrides[id] = thawed(c)
	}
}

// thawed gives settings the types that they have in memory: JSON knows no
// lists of strings.
func thawed(c LaunchConfig) LaunchConfig {
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
