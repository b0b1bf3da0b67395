package event

import (
	"encoding/json"

	"muster/recovery"
)

const (
	// mostDecisions is how many questions a next step repeats; the rest are
	// counted, and asked when these are answered.
	mostDecisions = 20
	// mostText is the most bytes that a text in a state may have, as JSON.
	mostText = 512
	// mostStep is more than any next step has.
	mostStep = 16 << 10
)

type stepJSON struct {
	Action        recovery.Action  `json:"action"`
	Wave          *int             `json:"waveNumber,omitempty"`
	Attempt       int              `json:"attempt,omitempty"`
	Seconds       int64            `json:"seconds,omitempty"`
	Decisions     []decisionJSON   `json:"decisions,omitempty"`
	MoreDecisions int              `json:"moreDecisions,omitempty"`
	Outcome       recovery.Outcome `json:"outcome,omitempty"`
	Reason        json.RawMessage  `json:"reason"`
}

type decisionJSON struct {
	ID      recovery.QuestionID     `json:"id"`
	Reason  recovery.QuestionReason `json:"reason"`
	Wave    *int                    `json:"waveNumber,omitempty"`
	Choices []recovery.Choice       `json:"choices"`
	Text    json.RawMessage         `json:"text"`
}

// nextStep tells a driver what to do next. Its texts are cut: the state that
// they are in goes round and round, and the record has them whole.
func nextStep(s recovery.Step) Field {
	out := stepJSON{Action: s.Action, Outcome: s.Outcome, Reason: message(s.Reason, mostText)}
	switch s.Action {
	case recovery.DoStartWave:
		out.Wave, out.Attempt = &s.Wave, s.Attempt
	case recovery.DoWait:
		out.Seconds = max(1, seconds(s.Wait))
	}
	for i, q := range s.Decisions {
		if i == mostDecisions {
			out.MoreDecisions = len(s.Decisions) - i
			break
		}
		out.Decisions = append(out.Decisions, decisionJSON{q.ID, q.Reason, q.Wave, q.Choices, message(q.Text, mostText)})
	}
	return Field{"nextStep", encode(out)}
}
