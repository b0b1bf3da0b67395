package stepfunctions

import (
	"encoding/json"
	"time"
)

// contextObject is what $$ is.
func (r *run) contextObject() value {
	const arn = "arn:aws:states:local:000000000000:"
	object := func(members ...any) value {
		out := emptyObject
		for i := 0; i < len(members); i += 2 {
			v, raw := members[i+1].(value)
			if !raw {
				v, _ = json.Marshal(members[i+1])
			}
			out = withMember(out, members[i].(string), v)
		}
		return out
	}
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	all := object(
		"Execution", object("Id", arn+"execution:"+r.Machine+":"+r.name, "Input", value(r.started.Input), "Name", r.name, "StartTime", stamp(r.started.At)),
		"State", object("EnteredTime", stamp(r.entered), "Name", r.state, "RetryCount", r.retried()),
		"StateMachine", object("Id", arn+"stateMachine:"+r.Machine, "Name", r.Machine))
	if r.token != "" {
		all = withMember(all, "Task", object("Token", r.token))
	}
	return all
}
