package planfile

import (
	"fmt"
	"strings"

	"muster/recovery"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line, Column int    // from 1; 0: of the file as a whole
	Path         string // of the value in the document, e.g. groups.pg-db.servers[0]
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

// join adds a key to a path. A key that is no plain word is quoted, so that it
// can neither pretend to be a path nor drive a terminal.
func join(path, key string) string {
	if recovery.ProtectionGroupID(key).Check() != nil {
		key = recovery.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
