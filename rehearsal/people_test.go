//go:build rehearsal

package rehearsal_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// people is SNS, as whoever subscribed to the topic sees it.
type people struct {
	endpoint string
	mu       sync.Mutex
	messages []message
}

type message struct{ subject, text, execution string }

func openTopic(t *testing.T, c *cloud) *people {
	t.Helper()
	p := &people{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Get("Action") != "Publish" || r.PostForm.Get("TopicArn") != c.stack.Outputs["TopicArn"] {
			t.Errorf("SNS was asked for %s on %s, want Publish on %s", r.PostForm.Get("Action"), r.PostForm.Get("TopicArn"), c.stack.Outputs["TopicArn"])
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>NotFound</Code><Message>Topic does not exist</Message></Error></ErrorResponse>`)
			return
		}
		m := message{subject: r.PostForm.Get("Subject"), text: r.PostForm.Get("Message")}
		for i := 1; r.PostForm.Has(fmt.Sprintf("MessageAttributes.entry.%d.Name", i)); i++ {
			if entry := fmt.Sprintf("MessageAttributes.entry.%d.", i); r.PostForm.Get(entry+"Name") == "executionId" {
				m.execution = r.PostForm.Get(entry + "Value.StringValue")
			}
		}
		p.mu.Lock()
		p.messages = append(p.messages, m)
		p.mu.Unlock()
		fmt.Fprint(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
		c.bell.ring()
	}))
	t.Cleanup(server.Close)
	p.endpoint = server.URL
	return p
}

// told gives the first message about an execution that holds all of the words.
func (p *people) told(execution string, words ...string) (m message, is bool) {
	for _, m := range p.all() {
		missing := func(word string) bool { return !strings.Contains(m.subject+"\n"+m.text, word) }
		if m.execution == execution && !slices.ContainsFunc(words, missing) {
			return m, true
		}
	}
	return message{}, false
}

func (p *people) subjects() (all []string) {
	for _, m := range p.all() {
		all = append(all, m.subject)
	}
	return all
}

func (p *people) all() []message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages)
}
