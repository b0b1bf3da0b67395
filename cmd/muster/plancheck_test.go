package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"muster/planfile"
)

func TestPlanCheckPrintsTheFirstProblemsAndCountsTheRest(t *testing.T) {
	var plan strings.Builder
	plan.WriteString("version: 1\nplan: {id: rp-1}\nwaves: []\n")
	for i := range 5000 {
		fmt.Fprintf(&plan, "k%d: 1\n", i)
	}
	code, stdout, _ := muster(t, plan.String(), "plan", "check", "-")
	if want := "\nand 4,981 more; --json lists the first 1,000\n5,001 problems\n"; code != exitRefused || !strings.HasSuffix(stdout, want) || strings.Count(stdout, "\n") != 22 {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	code, stdout, _ = muster(t, plan.String(), "plan", "check", "-", "--json")
	var result struct {
		Problems     []planfile.Problem
		MoreProblems int
	}
	if err := json.Unmarshal([]byte(stdout), &result); err != nil || code != exitRefused || len(result.Problems) != 1000 || result.MoreProblems != 4001 {
		t.Errorf("exit code %d, %d problems and %d more, %v", code, len(result.Problems), result.MoreProblems, err)
	}
}

// A megabyte of mistakes makes a page of text, whatever they are.
func TestWhatPlanCheckPrintsIsBoundedWhateverTheFileHolds(t *testing.T) {
	fill := func(piece string) string { return strings.Repeat(piece, 1<<19/len(piece)) }
	for name, plan := range map[string]string{
		"brackets":     "waves: [" + fill("[],") + "]",
		"one key":      fill("a: 1\n"),
		"a long alias": "waves: *" + fill("x"),
		"long keys":    fill("? \"" + strings.Repeat(`\u0001`, 2000) + "\"\n: 1\n"),
		"aliases":      "x: &a {" + fill("b: 1, ")[:3000] + "}\nwaves: [" + fill("*a,") + "]",
		"settings":     "groups:\n  pg-a: {launchConfig: {" + fill("size: 1, ") + "}}",
	} {
		for _, mode := range []string{"", "--json"} {
			args := strings.Fields("plan check - " + mode)
			if code, stdout, stderr := muster(t, plan, args...); code != exitRefused || len(stdout)+len(stderr) > 512<<10 || mode == "" && len(stdout) > 16<<10 {
				t.Errorf("%s, %s: exit code %d, %d and %d bytes", name, mode, code, len(stdout), len(stderr))
			}
		}
	}
}

func TestWhatIsNoFunctionIsNotRepeatedWithoutEnd(t *testing.T) {
	code, stdout, stderr := muster(t, "", "list", "--function", "muster:"+strings.Repeat("x", 100_000))
	if code != exitUsage || len(stdout)+len(stderr) > 1000 {
		t.Errorf("exit code %d, %d bytes", code, len(stdout)+len(stderr))
	}
}
