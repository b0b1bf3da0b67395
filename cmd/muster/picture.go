package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/event"
	"muster/recovery"
)

// picture is the view of somebody who watches: the waves as they stand, drawn
// again and again in the same place.
type picture struct {
	mu     sync.Mutex
	w      io.Writer
	style  style
	size   func() (width, height int)
	look   func() *event.Overview // nil: there is no record yet
	drawn  int                    // lines of the last drawing
	asking bool                   // somebody may be typing: nothing is drawn
	news   []string               // what happened last
	begun  time.Time
	speed  float64
	stop   chan struct{}
	done   sync.WaitGroup
	once   sync.Once
}

const (
	redraw   = 250 * time.Millisecond
	mostNews = 4
)

func newPicture(w io.Writer, s style, speed float64, begun time.Time, size func() (int, int), look func() *event.Overview) *picture {
	p := &picture{w: w, style: s, size: size, look: look, begun: begun, speed: speed, stop: make(chan struct{})}
	p.done.Go(func() {
		ticker := time.NewTicker(redraw)
		defer ticker.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-ticker.C:
				p.draw()
			}
		}
	})
	return p
}

func (p *picture) observe(_ recovery.ExecutionID, ev recovery.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.news = append(p.news, eventLine(false, ev, since(p.begun, ev, p.speed)))
	if len(p.news) > mostNews {
		p.news = p.news[len(p.news)-mostNews:]
	}
}

// draw draws what the record says now.
func (p *picture) draw() {
	p.mu.Lock()
	asking := p.asking
	p.mu.Unlock()
	if asking {
		return
	}
	a := p.look()
	p.mu.Lock()
	defer p.mu.Unlock()
	if a == nil || p.asking {
		return
	}
	width, height := p.size()
	text := frame(a, p.news, p.style, width, height)
	var b strings.Builder
	if p.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", p.drawn)
	}
	for _, line := range text {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	p.drawn = len(text)
	_, _ = io.WriteString(p.w, b.String())
}

func (p *picture) ask(questions []recovery.Question, hint string) {
	p.draw()
	p.mu.Lock()
	p.asking, p.drawn = true, 0
	p.mu.Unlock()
	(&lines{w: p.w, style: p.style}).ask(questions, hint)
}

// answered goes on with a new drawing, below what was asked.
func (p *picture) answered() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.asking {
		_, _ = io.WriteString(p.w, "\n")
	}
	p.asking = false
}

func (p *picture) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drawn = 0
	(&lines{w: p.w, style: p.style}).say(text)
}

func (p *picture) close() {
	p.once.Do(func() {
		close(p.stop)
		p.done.Wait()
		p.draw()
		p.answered()
	})
}

// frame is the picture: no more lines than the terminal has, none wider.
func frame(a *event.Overview, news []string, s style, columns, rows int) []string {
	if columns <= 0 {
		columns = usualWidth
	}
	if rows <= 0 {
		rows = 24
	}
	type row struct {
		text string
		look func(style, string) string
	}
	plain := func(_ style, text string) string { return text }
	head := row{fmt.Sprintf("%s  %s  %d of %d servers", a.ID, clock(time.Duration(a.Seconds)*time.Second), a.Recovered, a.Servers), style.strong}
	var waves, bad []row
	for i := range a.Waves {
		w := &a.Waves[i]
		mark, look := waveMark(w, a)
		took := ""
		if w.Seconds > 0 {
			took = clock(time.Duration(w.Seconds) * time.Second)
		}
		waves = append(waves, row{fmt.Sprintf(" %s %s %3d/%-3d %8s  %s", mark, pad(fit(title(w), 30), 30), w.Launched, w.Planned, took, cmp.Or(phases(w), strings.ToLower(string(w.Status)))), look})
		for _, f := range w.Fates {
			if f.Reason != "" && !f.Launched() {
				bad = append(bad, row{harmless(fmt.Sprintf("   ✗ wave %d: %s %s: %s", w.Number, f.Server, f.Hostname, f.Reason)), style.bad})
			}
		}
	}
	rest := []row{{harmless("   … " + a.Reason), style.busy}}
	for _, line := range news {
		rest = append(rest, row{line, style.faint})
	}
	most := max(rows-2, 4)
	all := []row{head}
	room := most - 1 - min(len(rest), 2)
	if len(waves) > room { // the waves that are over need least to be seen
		skip := 0
		for skip < len(waves)-room+1 && a.Waves[skip].Over() {
			skip++
		}
		hidden := skip
		waves = waves[skip:]
		if len(waves) > room-1 {
			hidden += len(waves) - (room - 1)
			waves = waves[:max(room-1, 0)]
		}
		waves = append([]row{{fmt.Sprintf("   (%d waves more)", hidden), plain}}, waves...)
	}
	all = append(all, waves...)
	all = append(all, bad[:min(len(bad), max(most-len(all)-len(rest), 0))]...)
	all = append(all, rest[:min(len(rest), max(most-len(all), 0))]...)
	out := make([]string, len(all))
	for i, r := range all {
		out[i] = r.look(s, fit(r.text, columns-1))
	}
	return out
}

func waveMark(w *event.WaveOverview, a *event.Overview) (string, func(style, string) string) {
	for _, q := range a.Questions {
		if q := recovery.Question(q); q.IsAbout(w.Number) {
			return "?", style.busy
		}
	}
	switch w.Status {
	case recovery.StatusCompleted:
		return "✓", style.good
	case recovery.StatusFailed:
		return "✗", style.bad
	case recovery.StatusSkipped:
		return "-", style.faint
	case recovery.StatusRunning, recovery.StatusStarting:
		return "▸", style.busy
	}
	return "·", style.faint
}

// phases counts the launches of a running wave by how far they have come; ""
// where none is under way.
func phases(w *event.WaveOverview) string {
	servers := map[string]int{}
	for _, f := range w.Fates {
		if w.Status == recovery.StatusRunning && !f.Done() {
			servers[strings.ToLower(cmp.Or(f.Phase, f.Status, "pending"))]++
		}
	}
	var words []string
	for _, phase := range slices.Sorted(maps.Keys(servers)) {
		words = append(words, fmt.Sprintf("%d %s", servers[phase], strings.ReplaceAll(phase, "_", " ")))
	}
	return strings.Join(words, ", ")
}
