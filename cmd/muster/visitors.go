package main

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
)

// visitors are the connections that are open, the oldest first, and at most so
// many: whoever comes to a full house takes the place of the one who has waited
// longest without having sent a whole request. So clients that say nothing, or
// say it slowly, keep nobody out, and cost no more than their number.
type visitors struct {
	most int

	mu   sync.Mutex
	open []*visitor
}

type visitor struct {
	conn   net.Conn
	silent bool // nothing of a first request has come
	asked  bool // a whole request has come, and is not answered yet
}

type visitorKey struct{}

// attend has the server tell of its connections.
func (v *visitors) attend(s *http.Server) {
	s.ConnState = v.changed
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, visitorKey{}, c)
	}
}

func (v *visitors) changed(c net.Conn, state http.ConnState) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := slices.IndexFunc(v.open, func(o *visitor) bool { return o.conn == c })
	switch {
	case state == http.StateNew:
		v.open = append(v.open, &visitor{conn: c, silent: true})
		v.makeRoom()
	case at < 0: // was sent away
	case state == http.StateActive:
		v.open[at].silent = false
	case state == http.StateIdle:
		v.open[at].asked = false
	case state == http.StateClosed, state == http.StateHijacked:
		v.open = slices.Delete(v.open, at, at+1)
	}
}

// makeRoom sends one away if there are too many: the newest, where all others
// are being answered.
func (v *visitors) makeRoom() {
	if len(v.open) <= v.most {
		return
	}
	at := slices.IndexFunc(v.open, func(o *visitor) bool { return !o.asked })
	v.open[at].conn.Close()
	v.open = slices.Delete(v.open, at, at+1)
}

// received notes that the request of a context has come whole.
func (v *visitors) received(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range v.open {
		if o.conn == ctx.Value(visitorKey{}) {
			o.asked = true
		}
	}
}

// leave sends those away who have said nothing: http.Server would wait for
// them.
func (v *visitors) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, o := range v.open {
		if o.silent {
			o.conn.Close()
		}
	}
}
