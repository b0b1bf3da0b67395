package planfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"muster/event"
)

// Problem is one thing about a file that whoever wrote it should see.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"` // from 1, as Column; 0: of the file as a whole
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"` // of the value in the document, e.g. groups["pg-db"].servers[0]
	Message string `json:"message"`
}

// String gives the problem as editors read it: name:line:column: what.
func (p Problem) String() string {
	at := p.File + ":"
	if p.Line > 0 {
		at += fmt.Sprintf("%d:%d:", p.Line, p.Column)
	}
	if p.Path != "" {
		at += " " + p.Path + ":"
	}
	return at + " " + p.Message
}

// Error names the problems of the files that are read together: of each file
// all of them, or the first thousand that were found.
type Error struct {
	Problems []Problem
	More     int       // beside those
	Doubts   []Problem // what is probably a slip beside what is one
}

// mostShown keeps the message of files that are wrong throughout readable.
const mostShown = 20

func (e *Error) Error() string {
	var lines []string
	for _, p := range e.Problems[:min(len(e.Problems), mostShown)] {
		lines = append(lines, p.String())
	}
	if rest := len(e.Problems) - len(lines) + e.More; rest > 0 {
		lines = append(lines, fmt.Sprintf("%s: and %d more", e.Problems[0].File, rest))
	}
	return strings.Join(lines, "\n")
}

// add adds what was found in a file's document to what was found in the file.
func (e *Error) add(p *page, found event.Findings) {
	said := map[[2]int]bool{} // by line and column: one slip has one message
	for _, problem := range p.problems {
		said[[2]int{problem.Line, problem.Column}] = true
	}
	problems, doubts := p.problems, []Problem(nil)
	for _, f := range found.All {
		line, column := p.place(f.Offset)
		switch one := (Problem{p.name, line, column, f.Path, f.Text}); {
		case p.empty || said[[2]int{line, column}]:
		case f.Doubt:
			doubts = append(doubts, one)
		default:
			problems = append(problems, one)
		}
	}
	most := min(len(problems), event.MostFindings)
	e.More += p.more + found.More + len(problems) - most
	e.Problems = append(e.Problems, p.told(problems)[:most]...)
	e.Doubts = append(e.Doubts, p.told(doubts)...)
}

// told puts problems in the order of the file, and hides the secrets of the
// files that are read together.
func (p *page) told(all []Problem) []Problem {
	slices.SortStableFunc(all, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	for i := range all {
		all[i].Path, all[i].Message = p.secrets.Hide(all[i].Path), p.secrets.Hide(all[i].Message)
	}
	return all
}

// err is the error, or nil where nothing is wrong.
func (e *Error) err() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}
