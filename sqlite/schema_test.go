package sqlite

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAnOlderSchemaIsMigratedAndKeepsWhatItHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	raw(t, path, "PRAGMA application_id = 0x4d757374; PRAGMA user_version = 1;"+migrations[0]+
		"INSERT INTO executions VALUES ('exec-1', 'rp-456', 'DRILL', '', '', 1, 0, '')")

	db := connect(t, path)
	newer := append(migrations[:1:1], "ALTER TABLE executions ADD COLUMN status TEXT", "UPDATE executions SET status = 'RUNNING'")
	for range 2 { // the second time there is nothing to do
		if err := migrate(t.Context(), db, newer); err != nil {
			t.Fatal(err)
		}
	}
	var schema int
	var id, status string
	if err := db.QueryRow("SELECT user_version, id, status FROM executions, pragma_user_version").Scan(&schema, &id, &status); err != nil {
		t.Fatal(err)
	}
	if schema != 3 || id != "exec-1" || status != "RUNNING" {
		t.Errorf("got schema %d, execution %s, status %s; want 3, exec-1, RUNNING", schema, id, status)
	}
}

func TestAMigrationThatFailsLeavesTheFileAsItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "muster.db")
	db := connect(t, path)
	if err := migrate(t.Context(), db, migrations); err != nil {
		t.Fatal(err)
	}
	if err := migrate(t.Context(), db, append(slices.Clone(migrations), "CREATE TABLE half (x TEXT) STRICT; NONSENSE")); err == nil {
		t.Fatal("got no error")
	}
	var schema, half int
	if err := db.QueryRow("SELECT user_version, (SELECT count(*) FROM sqlite_schema WHERE name = 'half') FROM pragma_user_version").Scan(&schema, &half); err != nil {
		t.Fatal(err)
	}
	if schema != len(migrations) || half != 0 {
		t.Errorf("got schema %d and %d half-made tables, want %d and 0", schema, half, len(migrations))
	}
	if err := migrate(t.Context(), db, migrations); err != nil {
		t.Errorf("the file cannot be opened any more: %v", err)
	}
}

func TestFilesThatAreNotOursAreRefusedAndNotChanged(t *testing.T) {
	for name, c := range map[string]struct{ made, want string }{
		"a newer schema":             {"PRAGMA application_id = 0x4d757374; PRAGMA user_version = 99; CREATE TABLE t (x)", "newer version of Muster (its schema is number 99, this version knows those up to " + fmt.Sprint(len(migrations)) + ")"},
		"another program's mark":     {"PRAGMA application_id = 42; CREATE TABLE t (x)", "another program's"},
		"another program's tables":   {"CREATE TABLE t (x)", "another program's"},
		"another program's versions": {"PRAGMA user_version = 1; CREATE TABLE t (x)", "another program's"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "muster.db")
			raw(t, path, c.made)
			s, err := Open(t.Context(), path)
			if err == nil {
				s.Close()
				t.Fatal("it was opened")
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want words with %q and the path", err, c.want)
			}
			var tables int
			if err := connect(t, path).QueryRow("SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil || tables != 1 {
				t.Errorf("the file holds %d tables, %v; want its own one", tables, err)
			}
		})
	}
}

func raw(t *testing.T, path, script string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(script); err != nil {
		t.Fatal(err)
	}
}

func connect(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db
}
