package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/term"
)

// style colours text where somebody sees colours.
type style bool

func (s style) paint(code, text string) string {
	if !s {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) good(text string) string   { return s.paint("32", text) }
func (s style) bad(text string) string    { return s.paint("31", text) }
func (s style) busy(text string) string   { return s.paint("33", text) }
func (s style) faint(text string) string  { return s.paint("2", text) }
func (s style) strong(text string) string { return s.paint("1", text) }

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// harmless makes text from outside safe to show: whatever is not a visible
// character or a space is written as an escape, so that it cannot drive a
// terminal or pretend to be a line of ours.
func harmless(s string) string {
	if !strings.ContainsFunc(s, invisible) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if invisible(r) {
			b.WriteString(escape(r))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// harmlessLines is harmless for a text of several lines.
func harmlessLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = harmless(line)
	}
	return strings.Join(lines, "\n")
}

func invisible(r rune) bool { return r != ' ' && !unicode.IsGraphic(r) || r == unicode.ReplacementChar }

// escape writes a character as JSON strings do.
func escape(r rune) string {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	}
	return fmt.Sprintf(`\u%04x`, r)
}

// pretty renders a JSON document for somebody who looks at a terminal.
func pretty(doc []byte) []byte {
	var out bytes.Buffer
	if json.Indent(&out, doc, "", "  ") != nil {
		return doc
	}
	return []byte(harmlessLines(out.String()))
}

// sizeOf is how many columns and rows a terminal has; 0 where there is none, or
// it does not say.
func sizeOf(w io.Writer, isTerminal bool) (width, height int) {
	f, is := w.(*os.File)
	if !is || !isTerminal {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}
