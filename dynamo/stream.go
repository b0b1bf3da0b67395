package dynamo

import (
	"encoding/json"
	"errors"
	"fmt"

	"muster/recovery"
)

// EventIn reads the event of an execution's log out of the NewImage of a change
// in the table's stream, as JSON. Any other item is an error.
func EventIn(newImage []byte) (recovery.Event, error) {
	var image map[string]struct{ S string }
	if err := json.Unmarshal(newImage, &image); err != nil {
		return recovery.Event{}, errors.New("the change is no item of a table")
	}
	var ev recovery.Event
	if err := json.Unmarshal([]byte(image[attrRecord].S), &ev); err != nil || ev.Number == 0 || ev.Execution.Check() != nil || image[attrPK].S != executionPK(ev.Execution) || string(ev.Kind) != image[attrKind].S {
		return recovery.Event{}, fmt.Errorf("the change of %s, %s is no event of an execution", recovery.Quote(image[attrPK].S), recovery.Quote(image[attrSK].S))
	}
	return ev, nil
}
