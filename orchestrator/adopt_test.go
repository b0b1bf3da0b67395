package orchestrator_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/dynamo"
	"muster/dynamotest"
	"muster/orchestrator"
	"muster/recovery"
	"muster/sqlite"
)

var lost = recovery.Request{By: "anna", Reason: "us-east-1 is lost"}

// used gives a home whose record has an id.
func used(t *testing.T, records recovery.IdentityStore, aws recovery.AWS) *orchestrator.Home {
	t.Helper()
	h := homeIn(records, aws)
	if err := mayDrive(t, h); err != nil {
		t.Fatal(err)
	}
	return h
}

func mayDrive(t *testing.T, h *orchestrator.Home) error {
	t.Helper()
	return (&orchestrator.Orchestrator{Home: h}).MayDrive(t.Context(), &recovery.Execution{})
}

func identity(t *testing.T, s recovery.IdentityStore) recovery.Identity {
	t.Helper()
	i, err := s.Identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// tables are records in tables of one DynamoDB. A restored copy has what the
// first one had.
func tables(t *testing.T, names ...string) (all []*dynamo.Store) {
	t.Helper()
	cfg := dynamotest.New().Config()
	for _, name := range names {
		s := dynamo.New(cfg, name)
		if _, err := s.CreateTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

func restore(t *testing.T, from, to recovery.IdentityStore) {
	t.Helper()
	i := identity(t, from)
	i.Version = 0
	if err := to.SetIdentity(t.Context(), i); err != nil {
		t.Fatal(err)
	}
}

func TestARestoredCopyIsDrivenFromOnceItIsAdoptedAndTheOtherIsFenced(t *testing.T) {
	all := tables(t, "muster", "muster-restored")
	first, second := all[0], all[1]
	used(t, first, real)
	restore(t, first, second)
	was := identity(t, first)

	here := homeIn(second, real)
	wantWrongWorld(t, map[string]error{"a copy": mayDrive(t, here)}, "table muster-restored in us-east-1", "table muster in us-east-1", string(was.ID), "muster hub adopt --aws --store dynamodb:muster-restored --reason")
	adopted, err := here.Adopt(t.Context(), lost)
	if err != nil || adopted.NotFenced != "" {
		t.Fatalf("got %+v, %v", adopted, err)
	}
	i := identity(t, second)
	if i.ID == was.ID || !i.Has(was.ID) || i.Where != second.Here() || i.AWS != real || i.Adopted.From != was.ID || i.Adopted.Where != first.Here() || !i.Adopted.Fenced || i.Adopted.Reason != lost.Reason {
		t.Errorf("the copy became %+v", i)
	}
	if err := mayDrive(t, here); err != nil {
		t.Error(err)
	}
	if !i.Owns(recovery.World{Record: was.ID, AWS: real}, real) {
		t.Error("executions of before are not its own")
	}
	wantWrongWorld(t, map[string]error{"the old one": mayDrive(t, homeIn(first, real))}, "taken over by the record "+string(i.ID)+" (table muster-restored in us-east-1)", `by "anna"`)

	if _, err := here.Adopt(t.Context(), lost); !isCode(err, recovery.WrongState) {
		t.Errorf("adopted again: %v, want a refusal", err)
	}
}

func isCode(err error, code recovery.Code) bool {
	refused, is := errors.AsType[*recovery.Error](err)
	return is && refused.Code == code
}

func TestOfTwoRestoredCopiesOneTakesTheExecutionsOver(t *testing.T) {
	all := tables(t, "muster", "one", "two")
	used(t, all[0], real)
	restore(t, all[0], all[1])
	restore(t, all[0], all[2])
	one, err := homeIn(all[1], real).Adopt(t.Context(), lost)
	if err != nil {
		t.Fatal(err)
	}
	_, err = homeIn(all[2], real).Adopt(t.Context(), lost)
	if !isCode(err, recovery.WrongState) || !strings.Contains(err.Error(), "were taken over already, by the record "+string(one.ID)) {
		t.Errorf("got %v", err)
	}
	wantWrongWorld(t, map[string]error{"the second copy": mayDrive(t, homeIn(all[2], real))})
}

func TestAFailedAdoptionGoesOnUnderTheIDThatTheFenceNames(t *testing.T) {
	all := tables(t, "muster", "restored")
	used(t, all[0], real)
	restore(t, all[0], all[1])
	i := identity(t, all[0])
	if err := all[0].SetIdentity(t.Context(), i.Fence("begun", all[1].Here(), lost)); err != nil { // and no further
		t.Fatal(err)
	}
	adopted, err := homeIn(all[1], real).Adopt(t.Context(), lost)
	if err != nil || adopted.ID != "begun" || adopted.NotFenced != "" {
		t.Errorf("got %+v, %v", adopted, err)
	}
}

func TestARecordThatCannotBeReachedIsSaidNotToBeFencedAndIsFencedLater(t *testing.T) {
	cfg := dynamotest.New().Config()
	gone, restored := dynamo.New(cfg, "muster"), dynamo.New(cfg, "restored")
	if _, err := restored.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := recovery.Identity{ID: "old", AWS: real, Where: gone.Here()}
	if err := restored.SetIdentity(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	h := homeIn(restored, real)
	adopted, err := h.Adopt(t.Context(), lost)
	if err != nil || !strings.Contains(adopted.NotFenced, "there is no such table") || adopted.Adopted.Fenced {
		t.Fatalf("got %+v, %v", adopted, err)
	}
	if err := mayDrive(t, h); err != nil {
		t.Error(err)
	}
	// The region is back.
	if _, err := gone.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	old.Version = 0
	if err := gone.SetIdentity(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	again, err := h.Adopt(t.Context(), lost)
	if err != nil || again.NotFenced != "" || !again.Adopted.Fenced || again.ID != adopted.ID {
		t.Errorf("got %+v, %v", again, err)
	}
	wantWrongWorld(t, map[string]error{"the old one": mayDrive(t, homeIn(gone, real))}, string(adopted.ID))
	if len(again.Former) != 1 {
		t.Errorf("it was %v", again.Former)
	}
}

func TestAHubThatIsMovedToAnotherAccountTakesItsExecutionsAlong(t *testing.T) {
	const account recovery.AWS = "aws:111122223333"
	s := tables(t, "muster")[0]
	used(t, s, real)
	was := recovery.World{Record: identity(t, s).ID, AWS: real}
	h := homeIn(s, account) // the same table, copied to another account
	wantWrongWorld(t, map[string]error{"elsewhere": mayDrive(t, h)}, "AWS account 999999999999", "AWS account 111122223333", "muster hub adopt")
	adopted, err := h.Adopt(t.Context(), lost)
	if err != nil || adopted.NotFenced == "" || adopted.AWS != account {
		t.Fatalf("got %+v, %v", adopted, err)
	}
	i := identity(t, s)
	if err := mayDrive(t, h); err != nil || !i.Owns(was, account) {
		t.Errorf("%v; its executions are its own: %v", err, i.Owns(was, account))
	}
	if i.Owns(recovery.World{Record: was.Record, AWS: rehearsed}, account) {
		t.Error("what was rehearsed became real")
	}
}

func TestARecordThatWasTakenOverTakesItsExecutionsBack(t *testing.T) {
	all := tables(t, "muster", "restored")
	used(t, all[0], real)
	restore(t, all[0], all[1])
	there, err := homeIn(all[1], real).Adopt(t.Context(), lost)
	if err != nil {
		t.Fatal(err)
	}
	back, err := homeIn(all[0], real).Adopt(t.Context(), lost)
	if err != nil || back.NotFenced != "" || back.Adopted.From != there.ID || back.Fenced != nil {
		t.Fatalf("got %+v, %v", back, err)
	}
	if err := mayDrive(t, homeIn(all[0], real)); err != nil {
		t.Error(err)
	}
	wantWrongWorld(t, map[string]error{"the one that had it": mayDrive(t, homeIn(all[1], real))}, string(back.ID))
}

// A data folder that was moved is no nuisance; one that was copied is told.
func TestAFileThatWasMovedIsTakenAsItIsAndOneThatWasCopiedIsRefused(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	openFile := func(name string) *sqlite.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), at(name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	first := openFile("first.db")
	used(t, first, rehearsed)
	was := identity(t, first)
	if _, err := first.Backup(t.Context(), at("copy.db")); err != nil {
		t.Fatal(err)
	}
	wantWrongWorld(t, map[string]error{"the copy": mayDrive(t, homeIn(openFile("copy.db"), rehearsed))}, at("copy.db"), at("first.db"), string(was.ID))

	// The same file under another name is none.
	if err := os.Symlink(at("first.db"), at("link.db")); err != nil {
		t.Fatal(err)
	}
	if err := mayDrive(t, homeIn(openFile("link.db"), rehearsed)); err != nil {
		t.Error(err)
	}

	first.Close()
	for _, name := range []string{"first.db", "first.db-wal", "first.db-shm"} {
		if err := os.Rename(at(name), at(name+".gone")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	moved := openFile("copy.db")
	if err := mayDrive(t, homeIn(moved, rehearsed)); err != nil {
		t.Error(err)
	}
	if i := identity(t, moved); i.ID != was.ID || i.Where != moved.Here() || i.Adopted != nil {
		t.Errorf("it became %+v", i)
	}
	// What is at the old place now is another record, or none at all.
	for _, text := range []string{"", "some text"} {
		if err := os.WriteFile(at("first.db"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		i := identity(t, moved)
		i.Where.File = at("first.db")
		if err := moved.SetIdentity(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		if err := mayDrive(t, homeIn(moved, rehearsed)); err != nil {
			t.Errorf("with %q at the old place: %v", text, err)
		}
		if got, err := os.ReadFile(at("first.db")); err != nil || string(got) != text {
			t.Errorf("what is at the old place became %q, %v", got, err)
		}
	}
}

// By a link that is gone, the original could not be found any more.
func TestAFileThatWasUsedThroughALinkIsNotTakenForMovedOnceTheLinkIsGone(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "folder", "a.db"), filepath.Join(dir, "link")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(path), link); err != nil {
		t.Fatal(err)
	}
	openFile := func(path string) *sqlite.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	linked := openFile(filepath.Join(link, "a.db"))
	used(t, linked, rehearsed)
	if _, err := linked.Backup(t.Context(), filepath.Join(dir, "b.db")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	wantWrongWorld(t, map[string]error{"the copy": mayDrive(t, homeIn(openFile(filepath.Join(dir, "b.db")), rehearsed))}, path)
	if err := mayDrive(t, homeIn(openFile(path), rehearsed)); err != nil {
		t.Errorf("the original: %v", err)
	}
}

func TestThereIsNothingToAdoptWhereNothingWasCopied(t *testing.T) {
	s := tables(t, "muster")[0]
	h := homeIn(s, real)
	if _, err := h.Adopt(t.Context(), lost); !isCode(err, recovery.WrongState) {
		t.Errorf("a record without an id: %v", err)
	}
	used(t, s, real)
	if _, err := h.Adopt(t.Context(), lost); !isCode(err, recovery.WrongState) {
		t.Errorf("a record of its own: %v", err)
	}
}

// A replica of a table has every change of the other one after a moment.
func TestAReplicaIsAdoptedWhileTheFenceComesToItToo(t *testing.T) {
	all := tables(t, "muster", "replica")
	used(t, all[0], real)
	restore(t, all[0], all[1])
	replica := replicated{all[1], all[0]}
	adopted, err := homeIn(replica, real).Adopt(t.Context(), lost)
	if err != nil || adopted.NotFenced != "" || identity(t, all[1]).Fenced != nil {
		t.Fatalf("got %+v, %v", adopted, err)
	}
	if err := mayDrive(t, homeIn(replica, real)); err != nil {
		t.Error(err)
	}
}

// replicated is a table to which the fence of another one is copied the moment
// before it is written itself.
type replicated struct{ here, there *dynamo.Store }

func (r replicated) Here() recovery.RecordPlace { return r.here.Here() }

func (r replicated) There(ctx context.Context, at recovery.RecordPlace) (recovery.OtherRecord, error) {
	return r.here.There(ctx, at)
}

func (r replicated) Identity(ctx context.Context) (recovery.Identity, error) {
	return r.here.Identity(ctx)
}

func (r replicated) SetIdentity(ctx context.Context, i recovery.Identity) error {
	ours, err := r.here.Identity(ctx)
	if err != nil {
		return err
	}
	theirs, err := r.there.Identity(ctx)
	if err != nil {
		return err
	}
	if theirs.Fenced != nil && ours.Fenced == nil && ours.ID == theirs.ID {
		theirs.Version = ours.Version
		if err := r.here.SetIdentity(ctx, theirs); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return r.here.SetIdentity(ctx, i)
}
