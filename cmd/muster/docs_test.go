package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestTheDocumentedExitCodesAreTheCodes(t *testing.T) {
	page, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Exit codes\n")
	var got, want []string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| code ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	for _, e := range exitCodes {
		want = append(want, fmt.Sprintf("| %d | %s | %s |", e.code, e.name, e.meaning))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("docs/commands.md has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Every command and every flag that there is has a row.
func TestEveryCommandAndFlagIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range new(Main).root().Commands() {
		if !strings.Contains(string(page), "`muster "+cmd.Name()) && !strings.Contains(string(page), "`muster help "+cmd.Name()) {
			t.Errorf("docs/commands.md does not name muster %s", cmd.Name())
		}
		for _, usage := range strings.Fields(cmd.LocalFlags().FlagUsages()) {
			flag, ok := strings.CutPrefix(usage, "--")
			if ok && flag != "" && flag != "help" && !strings.Contains(string(page), "`--"+flag) {
				t.Errorf("docs/commands.md does not name --%s of muster %s", flag, cmd.Name())
			}
		}
	}
}
