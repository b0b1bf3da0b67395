package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// problem is one thing that is wrong with a value.
type problem struct {
	Path    string // where: sourceServers.1.member.recoverySnapshotID, counted from 1 as AWS does
	Message string // what, in AWS's words and with the path

	unreadable bool // the value has another type than the shape
}

// checkShape tells all that AWS would refuse in a request, in the order of the members' names. v is what encoding/json
// decodes with UseNumber; a JSON null counts as absent, and a member that the shape does not know passes, as with AWS.
// Members that travel in the path, the query or a header are looked for in v under their member's name.
//
// Without strictIDs an identifier needs only its prefix and an identifier's characters (s-db-01 for a source server);
// everything else is as strict as ever.
func checkShape(shape string, v any, strictIDs bool) []problem {
	c := checker{strictIDs: strictIDs}
	c.value(shape, v, "")
	return c.problems
}

// checkAnswer is checkShape for what the simulator itself says: there an unknown member is a problem, too, because a
// client would never see it.
func checkAnswer(shape string, v any, strictIDs bool) []problem {
	c := checker{strictIDs: strictIDs, answer: true}
	c.value(shape, v, "")
	return c.problems
}

type checker struct {
	strictIDs bool
	answer    bool
	problems  []problem
}

func (c *checker) value(name string, v any, path string) {
	s := model().Shapes[name]
	if s == nil {
		panic("simulator: constraints.json has no shape " + name)
	}
	switch s.Type {
	case "structure":
		if m, ok := v.(map[string]any); ok {
			c.structure(s, m, path)
			return
		}
	case "list":
		if l, ok := v.([]any); ok {
			c.list(s, l, path)
			return
		}
	case "map":
		if m, ok := v.(map[string]any); ok {
			c.table(s, m, path)
			return
		}
	case "string":
		if t, ok := v.(string); ok {
			c.text(s, t, path)
			return
		}
	case "boolean":
		if _, ok := v.(bool); ok {
			return
		}
	case "integer", "long":
		if n, ok := v.(json.Number); ok {
			if i, err := strconv.ParseInt(n.String(), 10, 64); err == nil && (s.Type == "long" || int64(int32(i)) == i) {
				c.limits(s, i, i, path, "value")
				return
			}
		}
	default:
		panic("simulator: constraints.json: shape " + name + " has type " + s.Type)
	}
	c.problems = append(c.problems, problem{
		Path:       path,
		Message:    fmt.Sprintf("%s at '%s' can not be converted to %s", jsonType(v), path, s.Type),
		unreadable: true,
	})
}

func (c *checker) structure(s *shape, m map[string]any, path string) {
	for _, name := range sortedKeys(s.Members) {
		at := joinPath(path, name)
		v := m[name]
		if v == nil {
			if slices.Contains(s.Required, name) {
				c.failed("null", at, "Member must not be null")
			}
			continue
		}
		c.value(s.Members[name].Shape, v, at)
	}
	if !c.answer {
		return
	}
	for _, name := range sortedKeys(m) {
		if _, known := s.Members[name]; !known {
			at := joinPath(path, name)
			c.problems = append(c.problems, problem{Path: at, Message: fmt.Sprintf("'%s' is not a member", at)})
		}
	}
}

func (c *checker) list(s *shape, l []any, path string) {
	c.limits(s, int64(len(l)), l, path, "length")
	for i, v := range l {
		at := fmt.Sprintf("%s.%d.member", path, i+1)
		if v == nil {
			c.failed("null", at, "Member must not be null")
			continue
		}
		c.value(s.Member, v, at)
	}
}

func (c *checker) table(s *shape, m map[string]any, path string) {
	c.limits(s, int64(len(m)), m, path, "length")
	for _, key := range sortedKeys(m) {
		c.value(s.Key, key, joinPath(path, key))
		if m[key] == nil {
			c.failed("null", joinPath(path, key)+".member", "Member must not be null")
			continue
		}
		c.value(s.Value, m[key], joinPath(path, key)+".member")
	}
}

func (c *checker) text(s *shape, t, path string) {
	if s.relaxed != nil && !c.strictIDs {
		if !s.relaxed.MatchString(t) {
			c.failed(quote(t), path, "Member must satisfy regular expression pattern: "+s.Pattern)
		}
		return
	}
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, t) {
		c.failed(quote(t), path, "Member must satisfy enum value set: ["+strings.Join(s.Enum, ", ")+"]")
	}
	if s.strict != nil && !s.strict.MatchString(t) || s.Pattern == beyondRE2 && !longARN(t) {
		// An identifier's length is in its pattern: one complaint is enough.
		c.failed(quote(t), path, "Member must satisfy regular expression pattern: "+s.Pattern)
		return
	}
	c.limits(s, int64(utf8.RuneCountInString(t)), t, path, "length")
}

// longARN is arn:.{16,2044}, whose repeat count is beyond RE2.
func longARN(t string) bool {
	rest, ok := strings.CutPrefix(t, "arn:")
	n := utf8.RuneCountInString(rest)
	return ok && n >= 16 && n <= 2044 && !strings.Contains(rest, "\n")
}

// limits checks a length or a value against the shape's least and greatest.
func (c *checker) limits(s *shape, n int64, value any, path, what string) {
	if s.Min != nil && n < *s.Min {
		c.failed(quote(value), path, fmt.Sprintf("Member must have %s greater than or equal to %d", what, *s.Min))
	}
	if s.Max != nil && n > *s.Max {
		c.failed(quote(value), path, fmt.Sprintf("Member must have %s less than or equal to %d", what, *s.Max))
	}
}

func (c *checker) failed(value, path, constraint string) {
	if value != "null" {
		value = "'" + value + "'"
	}
	c.problems = append(c.problems, problem{
		Path:    path,
		Message: fmt.Sprintf("Value %s at '%s' failed to satisfy constraint: %s", value, path, constraint),
	})
}

// quote writes a value into a message, which AWS keeps short as well.
func quote(v any) string {
	t := fmt.Sprint(v)
	if r := []rune(t); len(r) > 200 {
		return string(r[:200]) + "..."
	}
	return t
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "NULL_VALUE"
	case bool:
		return "BOOLEAN_VALUE"
	case json.Number:
		return "NUMBER_VALUE"
	case string:
		return "STRING_VALUE"
	case []any:
		return "START_ARRAY"
	case map[string]any:
		return "START_OBJECT"
	}
	return fmt.Sprintf("%T", v)
}

func joinPath(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// sortedKeys makes every walk over a map the same walk: a seed must mean the same run again.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
