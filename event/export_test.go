package event

import (
	"encoding/json"
	"errors"
)

// ParseState reads a state, which must be a JSON object.
func ParseState(raw []byte) (State, error) {
	if !json.Valid(raw) {
		return State{}, errors.New("the state is " + notJSON(raw))
	}
	if v := document(raw); v.kind() == object {
		return State{v.alone()}, nil
	}
	return State{}, errors.New("a state must be a JSON object")
}
