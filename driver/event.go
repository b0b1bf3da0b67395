package driver

import (
	"context"
	"encoding/json"
	"time"
)

// event is an action event.
type event struct {
	Action  string          `json:"action"`
	State   json.RawMessage `json:"state"`
	Wave    *int            `json:"wave_number,omitempty"`
	Failure *failure        `json:"failure,omitempty"`
	Looks   bool            `json:"looks,omitempty"`
}

// failure is a refusal, as it is answered and as record_wave_refusal takes it.
type failure struct {
	Code      string          `json:"error"`
	Message   string          `json:"message"`
	Execution json.RawMessage `json:"executionId,omitempty"`
	Wave      json.RawMessage `json:"waveNumber,omitempty"`
	Retryable bool            `json:"retryable"`
}

// answer is what an action answered: the state, or a refusal with the state in
// it.
type answer struct {
	failure
	State json.RawMessage `json:"state"`
	Step  struct {
		Action    string `json:"action"`
		Wave      *int   `json:"waveNumber"`
		Seconds   int64  `json:"seconds"`
		Decisions []struct {
			ID string `json:"id"`
		} `json:"decisions"`
	} `json:"nextStep"`

	state   json.RawMessage // that the next event carries
	trouble *trouble        // why there is no next step; nil: it does not say
}

// trouble is why people are asked, as state.interruption tells it.
type trouble struct {
	Name  string `json:"Error"`
	Cause string
}

func (t *trouble) Error() string { return t.Name + ": " + t.Cause }

// questions are the ids of what people are asked.
func (a *answer) questions() (ids []string) {
	for _, q := range a.Step.Decisions {
		ids = append(ids, q.ID)
	}
	return ids
}

// interruption is the answer's state with why nothing follows from it.
func (a *answer) interruption() json.RawMessage {
	why := a.trouble
	if why == nil {
		why = &trouble{"UNKNOWN_STEP", "the handler's answer has no next step that this driver knows"}
	}
	state := map[string]any{}
	var members map[string]json.RawMessage
	if json.Unmarshal(a.state, &members) != nil {
		return a.state
	}
	for key, value := range members {
		state[key] = value
	}
	state["interruption"] = why
	out, _ := json.Marshal(state) // JSON and texts
	return out
}

// The waits of the driver itself.
const (
	firstRetry    = 2 * time.Second
	longestRetry  = time.Minute
	hinderedPause = 30 * time.Second // after a refusal that may pass
	askTime       = 5 * time.Second  // for that people are asked, of a driver that is stopped
	askLater      = 5 * time.Minute  // where not even that people are asked could be recorded
)

// tries is how often an event is delivered until people are asked, and asks how
// often they are asked beside the first time.
func (d *Driver) tries() int {
	if d.Patient {
		return 6
	}
	return 2
}

func (d *Driver) asks() int {
	if d.Patient {
		return 3
	}
	return 0
}

// invoke delivers an event until it is answered. Where it has failed so often
// that people have to be asked, the answer has the trouble, and the state that
// was sent. Of an execution that belongs elsewhere nobody is asked here.
func (d *Driver) invoke(ctx context.Context, e event) (answer, error) {
	payload, err := json.Marshal(e)
	if err != nil {
		return answer{}, err
	}
	pause := firstRetry
	for try := 1; ; try++ {
		a := answer{}
		out, err := d.Invoke(ctx, payload)
		if err != nil && ctx.Err() != nil {
			return a, ctx.Err()
		}
		if err == nil {
			err = json.Unmarshal(out, &a)
		}
		switch {
		case err == nil && a.Code == "WRONG_WORLD" && !a.Retryable:
			return a, &Refused{a.Code, a.Message}
		case err == nil && a.Code != "":
			a.state = a.State
			return a, nil
		case err == nil:
			a.state = out
			return a, nil
		case try == d.tries():
			return answer{state: e.State, trouble: &trouble{"Muster.NotRecorded", err.Error()}}, nil
		}
		if d.Hindered != nil {
			d.Hindered(err, pause)
		}
		if err := d.wait(ctx, pause); err != nil {
			return a, err
		}
		pause = min(2*pause, longestRetry)
	}
}
