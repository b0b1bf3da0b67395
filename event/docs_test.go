package event_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/recovery"
)

// docs/operations.md has a row for each operation, with its parameters and its
// alias, and one for each way in which it fails.
func TestTheDocumentedOperationsAreTheOperations(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	h := newHub(t)
	names := operationNames(t, h)
	rows := map[string]string{}
	quoted := regexp.MustCompile("`([A-Za-z_]+)`")
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(line, "|"); len(cells) == 6 && strings.Contains(cells[1], "`") && !strings.Contains(cells[1], "operation`") {
			name := quoted.FindStringSubmatch(cells[1])[1]
			rows[name] = line
			if !slices.Contains(names, name) {
				t.Errorf("the page has an operation %s, which there is not", name)
			}
			var got []string
			for _, p := range quoted.FindAllStringSubmatch(cells[2], -1) {
				got = append(got, p[1])
			}
			slices.Sort(got)
			if want := parameters(t, h, name); !slices.Equal(got, want) {
				t.Errorf("the page says that %s takes %v, and it takes %v", name, got, want)
			}
			if want := "`" + string(belongs[name]) + "`"; strings.TrimSpace(cells[4]) != want {
				t.Errorf("the page says that %s is asked for by %s, want %s", name, cells[4], want)
			}
		}
	}
	for _, name := range names {
		if rows[name] == "" {
			t.Errorf("the page says nothing of %s", name)
		}
	}
	for _, code := range []recovery.Code{recovery.ValidationError, recovery.UnknownOperation, recovery.NotAllowed, recovery.NotFound, recovery.WrongState,
		recovery.Superseded, recovery.PlanInProgress, recovery.RecordDamaged, recovery.WorkflowError, recovery.DRSAPIError, recovery.CrossAccountError} {
		if !strings.Contains(string(page), "`"+string(code)+"`") {
			t.Errorf("the page says nothing of %s", code)
		}
	}
}

// parameters are those that the handler itself names.
func parameters(t *testing.T, h *hub, name string) []string {
	t.Helper()
	_, rest, _ := strings.Cut(failed(t, h.ask(op(name, `"?": 1`))).Message, "there are: ")
	list, _, _ := strings.Cut(rest, ";")
	return strings.Split(list, ", ")
}
