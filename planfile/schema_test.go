package planfile_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"muster/planfile"
	"muster/recovery"
)

// object is as much of a JSON Schema as is compared with the decoder.
type object struct {
	Properties           map[string]any    `json:"properties"`
	AdditionalProperties any               `json:"additionalProperties"`
	Defs                 map[string]object `json:"$defs"`
}

// The decoder is asked which keys it knows: it names them when it meets one
// that it does not.
func TestTheGroupFilesSchemaHasTheKeysThatTheDecoderReads(t *testing.T) {
	data, err := os.ReadFile("../docs/schema/groups.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root object
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what   string
		schema object
		file   string
		path   string
	}{
		{"the file", root, "groups: {}\nnope: 1\n", "nope"},
		{"a group", root.Defs["group"], "groups: {g: {nope: 1}}\n", `groups["g"].nope`},
		{"an account", root.Defs["accountContext"], "groups: {g: {accountContext: {accountId: \"123456789012\", region: us-east-1, roleName: R, nope: 1}}}\n", `groups["g"].accountContext.nope`},
		{"launch settings", root.Defs["launchConfig"], "groups: {g: {launchConfig: {nope: 1}}}\n", `groups["g"].launchConfig.nope`},
	} {
		if c.schema.AdditionalProperties != false {
			t.Errorf("%s: the schema lets unknown keys pass, the decoder does not", c.what)
		}
		keys := slices.Sorted(maps.Keys(c.schema.Properties))
		if got := allowed(t, c.file, c.path); !slices.Equal(got, keys) {
			t.Errorf("%s: the decoder reads %v, the schema has %v", c.what, got, keys)
		}
	}
	if got, want := len(root.Defs["launchConfig"].Properties), len(recovery.Settings())+1; got != want {
		t.Errorf("%d launch settings in the schema, want %d", got, want)
	}
}

// allowed gives the keys that the message about an unknown one lists.
func allowed(t *testing.T, file, path string) []string {
	t.Helper()
	_, err := planfile.ParseGroups("f", []byte(file))
	return knownKeys(t, file, path, err)
}

func knownKeys(t *testing.T, file, path string, err error) []string {
	t.Helper()
	var e *planfile.Error
	if !errors.As(err, &e) || len(e.Problems) != 1 || e.Problems[0].Path != path {
		t.Fatalf("%s: got %v, want one problem at %s", file, err, path)
	}
	_, list, ok := strings.Cut(e.Problems[0].Message, "; there are: ")
	if !ok {
		t.Fatalf("the message names no keys: %s", e.Problems[0].Message)
	}
	return strings.Split(list, ", ")
}

func TestThePlanFilesSchemaHasTheKeysThatTheReaderReads(t *testing.T) {
	data, err := os.ReadFile("../docs/schema/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root object
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what   string
		schema object
		file   string
		path   string
	}{
		{"the file", root, body("") + "nope: 1", "nope"},
		{"the plan", root.Defs["plan"], strings.Replace(body(""), "id: rp-1", "id: rp-1, nope: 1", 1), "plan.nope"},
		{"the objectives", root.Defs["objectives"], body("") + "objectives: {nope: 1}", "objectives.nope"},
		{"a wave", root.Defs["wave"], body("{waveNumber: 1, nope: 1, @}"), "waves[0].nope"},
		{"a server", root.Defs["server"], body("{waveNumber: 1, servers: [{serverId: s-1, launchConfig: {}, nope: 1}]}"), "waves[0].servers[0].nope"},
	} {
		if c.schema.AdditionalProperties != false {
			t.Errorf("%s: the schema lets unknown keys pass, the reader does not", c.what)
		}
		_, err := environment(nil).Read(source(c.file))
		if got, keys := knownKeys(t, c.file, c.path, err), slices.Sorted(maps.Keys(c.schema.Properties)); !slices.Equal(got, keys) {
			t.Errorf("%s: the reader reads %v, the schema has %v", c.what, got, keys)
		}
	}
}
