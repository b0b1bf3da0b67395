package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// ControlPath is what the control endpoint is below. It is not AWS's: it sets faults in a running world and shows
// what goes on in it.
//
//	GET    /_muster/calls?since=N   the calls after the Nth, as JSON
//	GET    /_muster/faults          the faults in force, and how often they struck
//	POST   /_muster/faults          sets one: a JSON object, or a line as ParseFault reads it
//	DELETE /_muster/faults?name=N   clears those of a name, or all
//	GET    /_muster/world           jobs, servers and instances in short
const ControlPath = "/_muster/"

const serviceControl = "muster"

func (w *World) control(r *http.Request, body []byte) *answer {
	a := newAnswer()
	show := func(status int, v any) *answer {
		a.status = status
		a.header.Set("Content-Type", "application/json")
		enc := json.NewEncoder(a)
		enc.SetIndent("", " ")
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			a.status = http.StatusInternalServerError
		}
		return a
	}
	wrong := func(status int, format string, args ...any) *answer {
		return show(status, map[string]string{"error": fmt.Sprintf(format, args...)})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.log != nil && w.broken == nil {
		if w.broken = w.log.lock(); w.broken == nil {
			defer w.log.unlock()
			w.broken = w.apply()
		}
	}
	if w.broken != nil {
		return wrong(500, "%v", w.broken)
	}
	now := w.tick()
	switch what := strings.TrimPrefix(r.URL.Path, ControlPath); r.Method + " " + what {
	case "GET calls":
		since, _ := strconv.Atoi(r.URL.Query().Get("since"))
		calls := []Call{}
		for _, c := range w.calls.kept {
			if c.N > since {
				calls = append(calls, c)
			}
		}
		return show(200, calls)
	case "GET world":
		return show(200, w.summary(now))
	case "GET faults":
		return show(200, w.showFaults())
	case "POST faults":
		f, err := readFault(body)
		if err != nil {
			return wrong(400, "%v", err)
		}
		if err := w.command("SetFault", f); err != nil {
			return wrong(500, "%v", err)
		}
		return show(201, f)
	case "DELETE faults":
		name := r.URL.Query().Get("name")
		if _, ok := faultKinds[name]; name != "" && !ok {
			return wrong(400, "no fault is called %q (there are %s)", name, strings.Join(FaultNames(), ", "))
		}
		if err := w.command("ClearFaults", name); err != nil {
			return wrong(500, "%v", err)
		}
		return show(200, w.showFaults())
	}
	return wrong(404, "%s %s is not here: try GET calls, GET world, GET, POST or DELETE faults under %s", r.Method, r.URL.Path, ControlPath)
}

// readFault reads a fault as JSON or as a flag's line.
func readFault(body []byte) (Fault, error) {
	text := strings.TrimSpace(string(body))
	if !strings.HasPrefix(text, "{") {
		return ParseFault(text)
	}
	var f Fault
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return f, fmt.Errorf("%v (a fault has name, %s)", err, strings.Join(faultFields(), ", "))
	}
	for _, p := range f.problems() {
		return f, fmt.Errorf("%s%s", strings.TrimPrefix(p.Path+": ", ": "), p.Message)
	}
	return f, nil
}

// command changes the faults in force, here and for everybody on the same journal.
func (w *World) command(operation string, input any) error {
	raw, err := json.Marshal(input)
	if err != nil {
		return err
	}
	e := entry{At: w.now, Service: serviceControl, Operation: operation, Input: raw, Took: true}
	if err := w.replayControl(&e); err != nil {
		return err
	}
	if w.log == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := w.log.append(line); err != nil {
		w.broken = err
		return err
	}
	return nil
}

func (w *World) replayControl(e *entry) error {
	switch e.Operation {
	case "SetFault":
		var f Fault
		if err := json.Unmarshal(e.Input, &f); err != nil {
			return err
		}
		w.faults.added++
		w.faults.add("run:"+strconv.Itoa(w.faults.added), f, true)
	case "ClearFaults":
		var name string
		if err := json.Unmarshal(e.Input, &name); err != nil {
			return err
		}
		w.faults.clear(name)
	default:
		return fmt.Errorf("unknown command %q", e.Operation)
	}
	return nil
}

func (w *World) showFaults() any {
	type shown struct {
		Fault
		ID     string `json:"id"`
		Struck int    `json:"struck"`
	}
	list := []shown{}
	for _, f := range w.faults.active {
		list = append(list, shown{Fault: f.Fault, ID: f.id, Struck: f.struck})
	}
	return list
}
