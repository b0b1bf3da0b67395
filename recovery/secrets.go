package recovery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Secrets are those of a document that somebody wrote. No message about it may
// repeat one, also where the same text stands as a name, a key or an alias by
// mistake. The zero value holds none.
type Secrets struct {
	short   map[string]bool // by their whole text
	lengths [shortSecret]bool
	long    []string // of these the beginning is enough: messages cut long text
	sorted  bool
	count   int
}

const (
	shortSecret = 48
	// mostSecrets is how many are told apart. A plan has one for each wave and
	// group.
	mostSecrets = 20_000
)

// Add notes a secret, in every way in which messages spell text.
func (s *Secrets) Add(text string) {
	if len(text) < 2 || s.count > mostSecrets { // AWS takes none that is shorter
		return
	}
	quoted := fmt.Sprintf("%+q", text)
	shown := strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsGraphic(r) }), " ")
	for _, t := range slices.Compact([]string{text, quoted[1 : len(quoted)-1], shown}) {
		switch {
		case len(t) < 2:
		case len(t) >= shortSecret:
			s.long = append(s.long, t)
			s.sorted = false
		case !s.short[t]:
			if s.short == nil {
				s.short = map[string]bool{}
			}
			s.short[t], s.lengths[len(t)] = true, true
		default:
			continue
		}
		s.count++
	}
}

// Hide gives a message with [redacted] in the place of every secret, and of
// whatever has the form of an AWS secret access key. Where there are more
// secrets than can be told apart, all of it is hidden.
func (s *Secrets) Hide(message string) string {
	if s.count > mostSecrets {
		return redacted
	}
	message = accessKey.ReplaceAllStringFunc(message, func(run string) string {
		if len(run) == 40 && strings.ContainsFunc(run, unicode.IsUpper) && strings.ContainsFunc(run, unicode.IsLower) && strings.ContainsFunc(run, unicode.IsDigit) {
			return redacted
		}
		return run
	})
	if s.count == 0 {
		return message
	}
	var out strings.Builder
	for i := 0; i < len(message); {
		if n := s.at(message, i); n > 0 {
			out.WriteString(redacted)
			i += n
			continue
		}
		out.WriteByte(message[i])
		i++
	}
	return out.String()
}

var accessKey = regexp.MustCompile(`[A-Za-z0-9/+=]{40,}`)

// at gives the length of the secret that stands at a place, or 0.
func (s *Secrets) at(message string, i int) int {
	rest := message[i:]
	if !s.sorted {
		slices.Sort(s.long)
		s.long, s.sorted = slices.Compact(s.long), true
	}
	// What has most in common with a text stands beside it in the order.
	beside, _ := slices.BinarySearch(s.long, rest)
	most := 0
	for _, k := range []int{beside - 1, beside} {
		if k >= 0 && k < len(s.long) {
			most = max(most, common(s.long[k], rest))
		}
	}
	if most >= shortSecret {
		return most
	}
	for n := min(shortSecret-1, len(rest)); n > 1; n-- {
		if s.lengths[n] && s.short[rest[:n]] && (n >= 8 || alone(message, i, i+n)) {
			return n
		}
	}
	return 0
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// alone says whether a part of a text is a word of its own: a secret of few
// letters is in many words.
func alone(text string, from, to int) bool {
	word := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' }
	return (from == 0 || !word(text[from-1])) && (to == len(text) || !word(text[to]))
}
