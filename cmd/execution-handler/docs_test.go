package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheDocumentedSettingsAreTheSettings(t *testing.T) {
	page, err := os.ReadFile("../../docs/lambda.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "| `MUSTER_"); ok {
			name, _, _ = strings.Cut(name, "`")
			got = append(got, "MUSTER_"+name)
		}
	}
	var want []string
	for _, row := range settingsTable {
		want = append(want, row.name)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("docs/lambda.md has the settings %v, want %v", got, want)
	}
}
