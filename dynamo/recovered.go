package dynamo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"muster/recovery"
)

// What was launched in earnest in a place is kept apart, packed, an item for
// each wave, so that one query tells all of it.
func recoveredPK(at recovery.Place) string {
	return "RECOVERED#" + at.AccountID + "#" + at.Region
}

func recoveredSK(id recovery.ExecutionID, wave int) string { return fmt.Sprintf("%s#%06d", id, wave) }

// recovered keeps what the change tells of launches in earnest. That servers are
// on their way is not worth a write: what decides is the job, and how it ended.
func (w *writing) recovered(newest bool) ([]part, error) {
	r := w.c.Recovered()
	if r == nil || !newest || r.Attempt.State == recovery.Started && !r.Attempt.JobOver && len(r.Attempt.Outcomes) > len(earlier(w.c.Attempt)) {
		return nil, nil
	}
	record, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	pieces, err := pack(record)
	if err != nil || len(pieces) != 1 {
		return nil, fmt.Errorf("what wave %d launched in earnest does not fit into an item: %w", r.Attempt.Wave, err)
	}
	i := key(recoveredPK(recovery.Place{AccountID: r.Attempt.AccountID, Region: r.Attempt.Region}), recoveredSK(r.Execution, r.Attempt.Wave))
	i[attrSchema], i[attrRecord] = number(schema), binary(pieces[0])
	return []part{w.s.put(i, "", nil, nil)}, nil
}

// earlier are the outcomes of attempts before this one.
func earlier(a *recovery.Attempt) (all []recovery.ServerOutcome) {
	for _, o := range a.Outcomes {
		if o.Earlier {
			all = append(all, o)
		}
	}
	return all
}

// Recovered implements recovery.ExecutionStore: one query.
func (s *Store) Recovered(ctx context.Context, at recovery.Place, _ []recovery.SourceServerID) ([]recovery.Recovered, error) {
	var all []recovery.Recovered
	err := s.query(ctx, keyCondition("#"+attrPK+" = :pk", item{":pk": text(recoveredPK(at))}), func(i item) error {
		if err := known(i); err != nil {
			return err
		}
		var r recovery.Recovered
		record, err := unpack(bytesOf(i, attrRecord))
		if err == nil {
			err = json.Unmarshal(record, &r)
		}
		if err != nil {
			id, _, _ := strings.Cut(textOf(i, attrSK), "#")
			r = recovery.Recovered{Execution: recovery.ExecutionID(id), Damage: err.Error()}
		}
		all = append(all, r)
		return nil
	})
	if err != nil {
		return nil, s.explain("reading what was recovered in account "+at.AccountID, err)
	}
	return all, nil
}
