package planfile_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"muster/planfile"
)

// harmlessError fails a test unless what a hostile or broken file is answered
// with names problems, and carries no control character to a terminal.
func harmlessError(t *testing.T, err error) {
	t.Helper()
	var e *planfile.Error
	if !errors.As(err, &e) || len(e.Problems) == 0 {
		t.Fatalf("got %v, not an *Error", err)
	}
	for _, r := range strings.ReplaceAll(err.Error(), "\n", "") {
		if r < ' ' || r == 0x7f {
			t.Fatalf("a control character in %q", err.Error())
		}
	}
}

func FuzzParseGroups(f *testing.F) {
	f.Add([]byte(plan))
	f.Add([]byte("groups: &a {pg-a: *a}"))
	f.Add([]byte("groups: {pg-a: {launchConfig: {<<: [*a]}}}"))
	f.Add([]byte("groups: {? [a] : b, \"\\u202e\": {servers: [\"\\0\"]}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		groups, err := planfile.ParseGroups("f", data)
		if err != nil {
			harmlessError(t, err)
			return
		}
		for _, id := range groups.IDs() {
			if id.Check() != nil {
				t.Errorf("accepted the id %q", id)
			}
		}
	})
}

// A plan that is read has nothing wrong with it, and every wave has an account
// and servers, or tags to find them by.
func FuzzReadPlan(f *testing.F) {
	f.Add([]byte(whole), []byte(wholeGroups))
	f.Add([]byte(plan), []byte("groups:"))
	f.Add([]byte(body("{waveNumber: 1, dependsOnWaves: [2], @}", "{waveNumber: 2, dependsOnWaves: [1], @}")), []byte("groups: {}"))
	f.Add([]byte("version: 1\nplan: &p {id: *p}\nwaves: &w [*w, {waveNumber: 1, servers: *w}]"), []byte("- a"))
	f.Fuzz(func(t *testing.T, data, groups []byte) {
		reader := environment(map[string]string{"DR_EXTERNAL_ID": "secret-1"})
		file, err := reader.Read(planfile.Source{Name: "f", Data: data}, planfile.Source{Name: "g", Data: groups})
		if err != nil {
			harmlessError(t, err)
			return
		}
		if got := fmt.Sprint(file.Plan.Check(), file.Plan.CheckServers()); got != "[] []" {
			t.Errorf("accepted a plan with %s", got)
		}
		if file.Plan.ID.Check() != nil || len(file.Plan.Waves) == 0 {
			t.Errorf("accepted %+v", file.Plan)
		}
		for i := range file.Plan.Waves {
			w := &file.Plan.Waves[i]
			if w.Account.AccountID == "" || w.Servers == nil && len(w.Tags) == 0 {
				t.Errorf("accepted %+v", w)
			}
			if group := file.Plan.Groups[w.Group]; (w.Group != "") != (group != nil) {
				t.Errorf("wave %d is of the group %q, which is %v", w.Number, w.Group, group)
			} else if _, err := w.Resolve(group); err != nil {
				t.Errorf("accepted a contradiction: %v", err)
			}
		}
	})
}
