package dynamo

import (
	"context"
	"errors"

	"muster/recovery"
)

var errDriven = errors.New("another process drives it")

// Drive implements recovery.ExecutionStore: an update of the header beside its
// version.
func (s *Store) Drive(ctx context.Context, id recovery.ExecutionID, replaces string, d recovery.Driver) (bool, error) {
	condition, values := "attribute_not_exists(#"+attrDriverID+")", item{":driver": text(d.Kept()), ":me": text(d.ID)}
	if replaces != "" {
		condition, values[":from"] = "#"+attrDriverID+" = :from", text(replaces)
	}
	condition = "attribute_exists(#" + attrPK + ") AND (#" + attrDriverID + " = :me OR " + condition + ")"
	err := s.transact(ctx, newToken(), []part{s.update(key(executionPK(id), skHeader), "SET #"+attrDriver+" = :driver, #"+attrDriverID+" = :me",
		condition, values, func(item, bool) error { return errDriven })})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errDriven):
		return false, nil
	}
	return false, s.explain("writing who drives execution "+string(id), err)
}
