package event_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/event"
)

// belongs says by which alias each thing may be asked for. What is new needs a
// line.
var belongs = map[string]event.Alias{
	"begin_execution": event.Orchestrate, "start_wave_recovery": event.Orchestrate, "record_wave_refusal": event.Orchestrate,
	"poll_wave_status": event.Orchestrate, "await_decision": event.Orchestrate, "finish_execution": event.Orchestrate,
	"execution_interrupted": event.Orchestrate,

	"start_execution": event.Operate, "pause": event.Operate, "resume": event.Operate, "decide": event.Operate, "cancel_execution": event.Operate,
	"terminate_instances": event.Operate, "put_plan": event.Operate, "put_group": event.Operate,

	"get_execution": event.Read, "list_executions": event.Read, "get_plan": event.Read, "list_plans": event.Read, "get_group": event.Read, "list_groups": event.Read,
}

func TestEachAliasAllowsItsOwnAndOperateReadsToo(t *testing.T) {
	h := newHub(t)
	kinds := map[string]string{}
	for _, name := range operationNames(t, h) {
		kinds[name] = "operation"
	}
	for _, name := range namesIn(t, h.ask(`{"action": "?"}`)) {
		kinds[name] = "action"
	}
	for name, kind := range kinds {
		own, ruled := belongs[name]
		if !ruled {
			t.Errorf("nobody says here by which alias the %s %s may be asked for", kind, name)
		}
		for _, alias := range []event.Alias{"", event.Read, event.Operate, event.Orchestrate, "live", "READ", "read "} {
			h.alias = alias
			allowed := alias == "" || alias == own || alias == event.Operate && own == event.Read
			answer := h.ask(fmt.Sprintf(`{%q: %q}`, kind, name))
			refused := bytes.Contains(answer, []byte(`"error":"NOT_ALLOWED"`))
			if refused == allowed {
				t.Errorf("%s by the alias %q: got %s", name, alias, answer)
			}
			if !refused {
				continue
			}
			if code := bytes.Contains(answer, []byte(`"statusCode":403`)); code != (kind == "operation") {
				t.Errorf("%s by the alias %q: got %s", name, alias, answer)
			}
			f := failed(t, answer)
			way := "there are: operate, orchestrate, read"
			if alias == event.Read || alias == event.Operate || alias == event.Orchestrate {
				way = fmt.Sprintf("by the alias %s", own)
			}
			if !strings.Contains(f.Message, way) || f.Retryable {
				t.Errorf("%s by the alias %q: got %+v, want a message that says %q", name, alias, f, way)
			}
		}
	}
	for name := range belongs {
		if kinds[name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestARefusalByAliasNamesAllThatTheAliasAllows(t *testing.T) {
	h := newHub(t)
	for _, alias := range []event.Alias{event.Read, event.Operate, event.Orchestrate} {
		h.alias = alias
		for name, own := range belongs {
			if own != event.Operate || alias == event.Operate {
				continue
			}
			_, list, _ := strings.Cut(failed(t, h.ask(op(name))).Message, "which allows: ")
			var want []string
			for other, own := range belongs {
				if own == alias {
					want = append(want, other)
				}
			}
			slices.Sort(want)
			if got := strings.Split(list, ", "); !slices.Equal(got, want) {
				t.Errorf("%s by %s names %v, want %v", name, alias, got, want)
			}
		}
	}
	h.alias = event.Operate
	golden(t, "operations/not-allowed-action", h.ask(tiny))
	h.alias = event.Read
	golden(t, "operations/not-allowed", h.ask(op("pause", exec1, byMe)))
}
