//go:build rehearsal

package rehearsal_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// examplePlan is examples/web-shop.yaml as operations take it: the plan, and
// its groups, which are put by themselves.
func examplePlan(t *testing.T) (plan map[string]any, groups []map[string]any) {
	t.Helper()
	data, err := os.ReadFile("../examples/web-shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Plan           struct{ ID, Name, Owner string }
		AccountContext map[string]any `yaml:"accountContext"`
		Objectives     map[string]any
		Waves          []map[string]any
		Groups         map[string]map[string]any
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	plan = map[string]any{"planId": file.Plan.ID, "planName": file.Plan.Name, "planOwner": file.Plan.Owner,
		"accountContext": file.AccountContext, "objectives": file.Objectives, "waves": file.Waves}
	for _, id := range slices.Sorted(maps.Keys(file.Groups)) {
		group := file.Groups[id]
		group["protectionGroupId"] = id
		groups = append(groups, group)
	}
	return plan, groups
}

// smallPlan is one wave of it, for executions that are interrupted.
func smallPlan(t *testing.T) map[string]any {
	t.Helper()
	plan, _ := examplePlan(t)
	plan["planId"], plan["planName"] = "rp-queues", "Queues of the web shop"
	plan["waves"] = []map[string]any{{"waveNumber": 1, "waveName": "Queues", "protectionGroupId": "pg-queue"}}
	return plan
}
