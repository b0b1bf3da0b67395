//go:build rehearsal

package rehearsal_test

import (
	"fmt"
	"strings"
	"testing"
)

// lookForSecrets looks for secrets wherever people or other services may see
// them.
func lookForSecrets(t *testing.T, p *person) {
	c := p.cloud
	secrets := map[string]string{"an external id": "muster-web-shop-1", "another external id": "muster-web-shop-2", "the function's credentials": secretKey}
	var states strings.Builder
	c.machine.mu.Lock()
	for token := range c.machine.tokens {
		secrets["the task token "+token[:4]+"…"] = token
	}
	for _, r := range c.machine.runs {
		states.Write(r.input)
		for _, e := range r.history {
			fmt.Fprintln(&states, e.Data)
		}
	}
	c.machine.mu.Unlock()
	if len(secrets) < 5 {
		t.Errorf("only %d secrets are known: no task waited for a token", len(secrets))
	}
	var messages strings.Builder
	for _, m := range c.people.all() {
		fmt.Fprintf(&messages, "%s\n%s\n", m.subject, m.text)
	}
	for where, text := range map[string]string{
		"the function's log": c.function.logs.all(), "the state machine's states": states.String(), "messages": messages.String(), "answers": strings.Join(p.answers, "\n"),
	} {
		if len(text) < 1000 {
			t.Errorf("%s: only %d bytes were kept", where, len(text))
		}
		for name, secret := range secrets {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s tell %s: …%s…", where, name, text[max(0, at-200):min(len(text), at+len(secret)+50)])
			}
		}
	}
	for _, metric := range []string{"DecisionWaitSeconds", "WavesFailed", "ExecutionsInterrupted"} {
		if !strings.Contains(c.function.logs.all(), `"`+metric+`":`) {
			t.Errorf("the log has no metric %s", metric)
		}
	}
}
