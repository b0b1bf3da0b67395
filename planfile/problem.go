package planfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster/event"
	"muster/recovery"
)

// Problem is one thing about a file that whoever wrote it should see.
type Problem struct {
	Line, Column int    // from 1; 0: of the file as a whole
	Path         string // of the value in the document, e.g. groups["pg-db"].servers[0]
	Message      string
}

func (p Problem) String() string {
	text := p.Message
	if p.Path != "" {
		text = p.Path + ": " + text
	}
	if p.Line > 0 {
		text = fmt.Sprintf("%d:%d: %s", p.Line, p.Column, text)
	}
	return text
}

// Error names the problems of one file: all of them, or the first thousand that
// were found.
type Error struct {
	Name     string // of the file
	Problems []Problem
	More     int // beside those
}

// mostShown keeps the message of a file that is wrong throughout readable.
const mostShown = 20

func (e *Error) Error() string {
	var lines []string
	for i, p := range e.Problems {
		if i == mostShown {
			lines = append(lines, fmt.Sprintf("%s: and %d more", e.Name, len(e.Problems)-mostShown+e.More))
			break
		}
		colon := ":" // name:line:column: is what editors jump to
		if p.Line == 0 {
			colon = ": "
		}
		lines = append(lines, e.Name+colon+p.String())
	}
	return strings.Join(lines, "\n")
}

// judge gives what is wrong with a file, and what is doubtful (nil: nothing),
// from what was found in its document. It tells no secret of the files that are
// read together.
func (p *page) judge(found event.Findings, secrets *recovery.Secrets) (wrong error, doubts *Error) {
	said := map[[2]int]bool{} // by line and column: one slip has one message
	for _, problem := range p.problems {
		said[[2]int{problem.Line, problem.Column}] = true
	}
	bad, doubtful := &Error{p.name, p.problems, p.more + found.More}, &Error{Name: p.name}
	for _, f := range found.All {
		line, column := p.place(f.Offset)
		if p.empty || said[[2]int{line, column}] {
			continue
		}
		to := bad
		if f.Doubt {
			to = doubtful
		}
		to.Problems = append(to.Problems, Problem{line, column, f.Path, f.Text})
	}
	for _, e := range []*Error{bad, doubtful} {
		slices.SortStableFunc(e.Problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
		if over := len(e.Problems) - event.MostFindings; over > 0 {
			e.Problems, e.More = e.Problems[:event.MostFindings], e.More+over
		}
		for i := range e.Problems {
			one := &e.Problems[i]
			one.Path, one.Message = secrets.Hide(one.Path), secrets.Hide(one.Message)
		}
	}
	if len(doubtful.Problems) == 0 {
		doubtful = nil
	}
	if len(bad.Problems) == 0 {
		return nil, doubtful
	}
	return bad, doubtful
}
