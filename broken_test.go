//go:build broken

package muster_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A variant is the product with one thing broken on purpose: pieces of one
// file replaced, by go test's -overlay, so that the product itself carries no
// switch. One of the proofs has to be red for each: a proof that cannot fail
// proves nothing.
type variant struct {
	name    string
	file    string   // from the module's root
	replace []string // what stands there, and what is to stand there; and so on
	by      proof    // who has to notice it
}

// proof is a test that has to fail, and how it is run.
type proof struct {
	room, test string
	args       []string // for the test
}

// TestEveryBrokenVariantIsNoticed runs them one after the other, as each
// compiles a room anew.
func TestEveryBrokenVariantIsNoticed(t *testing.T) {
	const page = "docs/decisions/0018-what-is-broken-on-purpose-and-what-notices.md"
	told, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range variants {
		if row := fmt.Sprintf("| %s | `%s` |", v.name, v.file); !strings.Contains(string(told), row) {
			t.Errorf("%s has no row %s", page, row)
		}
		t.Run(v.name, func(t *testing.T) {
			out, err := v.run(t)
			switch {
			case err == nil:
				t.Errorf("%s in %s passed: it would not notice", v.by.test, v.by.room)
			case !strings.Contains(out, "--- FAIL: "+v.by.test):
				t.Errorf("%s in %s did not get to fail: %v\n%s", v.by.test, v.by.room, err, out)
			}
		})
	}
}

func (v variant) run(t *testing.T) (output string, err error) {
	t.Helper()
	path, err := filepath.Abs(v.file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for i := 0; i < len(v.replace); i += 2 {
		if n := strings.Count(text, v.replace[i]); n != 1 {
			t.Fatalf("the patch no longer applies: %q stands %d times in %s", v.replace[i], n, v.file)
		}
		text = strings.Replace(text, v.replace[i], v.replace[i+1], 1)
	}
	dir := t.TempDir()
	broken := filepath.Join(dir, filepath.Base(v.file))
	overlay := filepath.Join(dir, "overlay.json")
	body, err := json.Marshal(map[string]map[string]string{"Replace": {path: broken}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{broken: []byte(text), overlay: body} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"test", "-overlay", overlay, "-count=1", "-failfast", "-run", fmt.Sprintf("^%s$", v.by.test), "./" + v.by.room}
	args = append(args, v.by.args...)
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	return string(out), err
}
