package stepfunctions

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// A Machine is a state machine that was read and found to hold nothing that
// this package does not know. It may run many executions at once.
type Machine struct {
	startAt string
	states  map[string]state
}

// A state does what it is for with what comes in, and says what goes on and
// where to; an execution that succeeded goes nowhere.
type state interface {
	walk(ctx context.Context, v *visit, in value) (out value, next string, err error)
	// leads names all states that may be next, and says what is wrong with this.
	leads() ([]string, error)
}

// Load reads a definition in the Amazon States Language. It refuses what this
// package does not know.
func Load(definition []byte) (*Machine, error) {
	var d struct {
		Comment, StartAt string
		States           map[string]json.RawMessage
	}
	if err := strictly(definition, &d); err != nil {
		return nil, fmt.Errorf("the definition of the state machine: %w", err)
	}
	m := &Machine{startAt: d.StartAt, states: map[string]state{}}
	for _, name := range slices.Sorted(maps.Keys(d.States)) {
		s, err := readState(d.States[name])
		if err != nil {
			return nil, fmt.Errorf("state %s: %w", name, err)
		}
		m.states[name] = s
	}
	if m.states[d.StartAt] == nil {
		return nil, fmt.Errorf("StartAt: there is no state %q", d.StartAt)
	}
	for name, s := range m.states {
		leads, err := s.leads()
		if err != nil {
			return nil, fmt.Errorf("state %s: %w", name, err)
		}
		for _, next := range leads {
			if m.states[next] == nil {
				return nil, fmt.Errorf("state %s: there is no state %q", name, next)
			}
		}
	}
	return m, nil
}

func readState(text []byte) (state, error) {
	var of struct{ Type string }
	if err := json.Unmarshal(text, &of); err != nil {
		return nil, err
	}
	var s state
	switch of.Type {
	case "Task":
		s = &task{}
	case "Choice":
		s = &choice{}
	case "Wait":
		s = &wait{}
	case "Pass":
		s = &pass{}
	case "Succeed":
		s = &succeed{}
	case "Fail":
		s = &fail{}
	default:
		return nil, fmt.Errorf("states of type %q are not known here", of.Type)
	}
	return s, strictly(text, s)
}

// strictly reads JSON with no field that its type has not.
func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("more follows the value")
	}
	return nil
}

// named is what states of every type may have.
type named struct{ Type, Comment string }

// onward is where most states lead.
type onward struct {
	Next string
	End  bool
}

func (o onward) leads() ([]string, error) {
	if (o.Next == "") != o.End {
		return nil, fmt.Errorf("has to have either a Next, or an End that is true")
	}
	if o.End {
		return nil, nil
	}
	return []string{o.Next}, nil
}
