package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"muster/cloudformation"
	"muster/event"
	"muster/recovery"

	"github.com/google/go-cmp/cmp"
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

func TestTheDocumentedMetricsAreTheMetrics(t *testing.T) {
	page, err := os.ReadFile("../../docs/lambda.md")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	_, section, _ := strings.Cut(string(page), "## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			got = append(got, name)
		}
	}
	for _, row := range metricsTable {
		want = append(want, string(row.name))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("docs/lambda.md has the metrics %v, want %v", got, want)
	}
}

// What the function hears of is what people are told of.
func TestTheFunctionHearsOfWhatItTells(t *testing.T) {
	text, err := os.ReadFile("../../deploy/hub.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := cloudformation.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	filters := template.Resources["Record"].Properties["FilterCriteria"].(map[string]any)["Filters"].([]any)
	var got struct {
		EventName []string
		DynamoDB  struct {
			NewImage map[string]struct{ S []recovery.EventKind }
		}
	}
	if err := json.Unmarshal([]byte(filters[0].(map[string]any)["Pattern"].(string)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(toldOf, got.DynamoDB.NewImage["kind"].S); diff != "" || len(filters) != 1 {
		t.Errorf("%d filters: %s", len(filters), diff)
	}
}

func TestTheDeployedAliasesAreThoseThatTheFunctionKnows(t *testing.T) {
	text, err := os.ReadFile("../../deploy/hub.yaml")
	if err != nil {
		t.Fatal(err)
	}
	template, err := cloudformation.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range template.Resources {
		if r.Type == "AWS::Lambda::Alias" {
			got = append(got, r.Properties["Name"].(string))
		}
	}
	slices.Sort(got)
	want := []string{notifyAlias, string(event.Operate), string(event.Orchestrate), string(event.Read)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-function +hub.yaml: %s", diff)
	}
}
