package dynamo

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"muster/recovery"
)

// header moves the execution from the version that was read to the next one.
func (w *writing) header(token string, newest bool, pieces int) (part, error) {
	e := w.c.Execution
	opened, err := e.Opened()
	if err != nil {
		return part{}, err
	}
	set := item{
		attrSchema: number(schema), attrVersion: number(e.Version + 1), attrWrite: text(token),
		attrPlanID: text(e.Plan), attrType: text(e.Type), attrStartTime: text(e.StartTime), attrInitiatedBy: text(e.InitiatedBy),
		attrLastEvent: number(e.LastEvent.Number), attrLastEventHash: text(e.LastEvent.Hash),
		attrList: text(listed), attrChanged: text(w.s.clock.next()),
	}
	if newest {
		set[waveName(w.c.Attempt.Wave)] = number(e.Version + 1)
	}
	if pieces > 0 {
		set[attrPieces] = number(pieces)
	}
	if opened != nil {
		set[attrOpened] = text(string(opened))
	}
	if !e.World.IsZero() {
		set[attrWorld] = text(e.World.Kept())
	}
	if e.Ended != nil {
		set[attrOutcome] = text(e.Ended.Outcome)
	}
	moved := func(found item, unclear bool) error {
		switch {
		case textOf(found, attrWrite) == token:
			return nil // our own write, whose answer was lost
		case unclear && (found == nil || numberOf(found, attrVersion) > e.Version+1):
			return errors.New("no answer came, and the execution has changed since: it is not known whether by this change")
		}
		return recovery.ErrStale
	}
	k := key(executionPK(e.ID), skHeader)
	if e.Version == 0 {
		maps.Copy(set, k)
		return w.s.put(set, absent, nil, moved), nil
	}
	var sets, gone []string
	values := item{":was": number(e.Version)}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		sets = append(sets, "#"+name+" = :"+name)
		values[":"+name] = set[name]
	}
	for _, name := range []string{attrOpened, attrOutcome} {
		if set[name] == nil {
			gone = append(gone, "#"+name)
		}
	}
	update := "SET " + strings.Join(sets, ", ")
	if gone != nil {
		update += " REMOVE " + strings.Join(gone, ", ")
	}
	return w.s.update(k, update, "#"+attrVersion+" = :was", values, moved), nil
}
