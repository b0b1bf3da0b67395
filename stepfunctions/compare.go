package stepfunctions

import (
	"cmp"
	"regexp"
	"strings"
	"time"
)

// An operator compares two values of the kind that it takes. Values of
// another kind never hold.
type operator struct {
	wants string
	takes func(value) bool
	holds func(v, other value) bool
	well  func(value) bool // of what stands in the definition, nil: takes
}

func (o operator) wellWritten(v value) bool { return o.takes(v) && (o.well == nil || o.well(v)) }

// operators is every comparison; those but StringMatches have a sister that
// takes the other value from a path, and ends in Path.
var operators = func() map[string]operator {
	all := map[string]operator{
		"BooleanEquals": {wants: "true or false", takes: is(isBoolean), holds: func(v, other value) bool { return string(v) == string(other) }},
		"StringMatches": {`a string in which \ stands before * or \ only`, is(isString), matches, isPattern},
	}
	orders := map[string]func(order int) bool{
		"Equals":            func(o int) bool { return o == 0 },
		"LessThan":          func(o int) bool { return o < 0 },
		"GreaterThan":       func(o int) bool { return o > 0 },
		"LessThanEquals":    func(o int) bool { return o <= 0 },
		"GreaterThanEquals": func(o int) bool { return o >= 0 },
	}
	for name, holds := range orders {
		all["String"+name] = operator{wants: "a string", takes: is(isString), holds: func(v, other value) bool {
			return holds(strings.Compare(unquote(v), unquote(other)))
		}}
		all["Numeric"+name] = operator{wants: "a number", takes: is(isNumber), holds: func(v, other value) bool {
			return holds(cmp.Compare(number(v), number(other)))
		}}
		all["Timestamp"+name] = operator{wants: "a time such as 2026-03-14T01:59:00Z", takes: isTimestamp, holds: func(v, other value) bool {
			a, _ := timestamp(v)
			b, _ := timestamp(other)
			return holds(a.Compare(b))
		}}
	}
	return all
}()

// kindTests ask what a value is, whatever it says.
var kindTests = map[string]func(value) bool{
	"IsNull":      is(isNull),
	"IsPresent":   func(value) bool { return true },
	"IsNumeric":   is(isNumber),
	"IsString":    is(isString),
	"IsBoolean":   is(isBoolean),
	"IsTimestamp": isTimestamp,
}

func is(want byte) func(value) bool { return func(v value) bool { return kind(v) == want } }

func isTimestamp(v value) bool {
	_, ok := timestamp(v)
	return ok
}

// timestamp reads a time as the language writes it: RFC 3339 with a capital T,
// and a capital Z where there is no offset.
func timestamp(v value) (time.Time, bool) {
	if kind(v) != isString {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, unquote(v))
	return t, err == nil
}

func isPattern(v value) bool {
	rest := strings.NewReplacer(`\\`, "", `\*`, "").Replace(unquote(v))
	return !strings.Contains(rest, `\`)
}

// matches compares with a pattern in which * stands for anything, \* for an
// asterisk and \\ for a backslash.
func matches(v, pattern value) bool {
	var b strings.Builder
	for rest := unquote(pattern); rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\*`), strings.HasPrefix(rest, `\\`):
			b.WriteString(regexp.QuoteMeta(rest[1:2]))
			rest = rest[2:]
		case rest[0] == '*':
			b.WriteString(`.*`)
			rest = rest[1:]
		default:
			n := strings.IndexAny(rest[1:], `*\`) + 1
			if n == 0 {
				n = len(rest)
			}
			b.WriteString(regexp.QuoteMeta(rest[:n]))
			rest = rest[n:]
		}
	}
	r, err := regexp.Compile(`(?s)\A` + b.String() + `\z`)
	return err == nil && r.MatchString(unquote(v))
}
