package planfile

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// checker walks a document and collects what is wrong with it.
type checker struct {
	lookup   Lookup // nil: variables of the environment are not looked up
	problems []Problem
	more     int // problems beside those
	visited  int // nodes, aliases unfolded
	secrets  *secrets
}

// newChecker makes the checker of one of the files that belong together: none
// of them repeats a secret of another.
func newChecker(lookup Lookup, s *secrets) checker { return checker{lookup: lookup, secrets: s} }

// mostProblems is how many problems of a file are kept; the rest are counted.
const mostProblems = 1000

// mostVisited bounds what a file of aliases to aliases can unfold to.
const mostVisited = 200_000

// keys are the keys of a mapping, each with what reads its value.
type keys map[string]func(n *yaml.Node, path string)

func (c *checker) complain(n *yaml.Node, path, format string, args ...any) {
	if len(c.problems) == mostProblems {
		c.more++
		return
	}
	p := Problem{Path: path, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	c.problems = append(c.problems, p)
}

// err gives what is wrong, when the files that belong together have been read.
func (c *checker) err(name string) error {
	if len(c.problems) == 0 {
		return nil
	}
	for i := range c.problems {
		p := &c.problems[i]
		p.Path, p.Message = c.secrets.hide(p.Path), c.secrets.hide(p.Message)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &Error{Name: name, Problems: c.problems, More: c.more}
}

// mapping reads a mapping whose keys are known, and tells which it has (null is
// none); nil when it is no mapping.
func (c *checker) mapping(n *yaml.Node, path string, known keys) map[string]bool {
	given := map[string]bool{}
	ok := c.pairs(n, path, func(key, value *yaml.Node, path string) {
		read, found := known[key.Value]
		if !found {
			allowed := slices.Sorted(maps.Keys(known))
			c.complain(key, path, "is not known here; there are %s", strings.Join(allowed, ", "))
			return
		}
		if value.Tag != "!!null" {
			given[key.Value] = true
			read(value, path)
		}
	})
	if !ok {
		return nil
	}
	return given
}

// pairs visits a mapping's pairs, and complains of a key that stands twice.
func (c *checker) pairs(n *yaml.Node, path string, visit func(key, value *yaml.Node, path string)) bool {
	n = unfold(n)
	if n.Tag == "!!null" {
		return true // nothing is an empty mapping
	}
	if n.Kind != yaml.MappingNode {
		c.complain(n, path, "must be a mapping, not %s", kindOf(n))
		return false
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && c.visit(n, path); i += 2 {
		key, value := unfold(n.Content[i]), unfold(n.Content[i+1])
		at := join(path, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			c.complain(key, path, "a key must be a plain word, not %s", kindOf(key))
		case key.Tag == "!!merge":
			c.complain(key, path, "merge keys (<<) are not read; repeat the settings, or use an alias for the whole value")
		case seen[key.Value]:
			c.complain(key, at, "stands here a second time")
		default:
			seen[key.Value] = true
			visit(key, value, at)
		}
	}
	return true
}

func (c *checker) list(n *yaml.Node, path string, visit func(n *yaml.Node, path string)) {
	n = unfold(n)
	if n.Kind != yaml.SequenceNode {
		c.complain(n, path, "must be a list, not %s", kindOf(n))
		return
	}
	for i := 0; i < len(n.Content) && c.visit(n, path); i++ {
		visit(unfold(n.Content[i]), path+"["+strconv.Itoa(i)+"]")
	}
}

// text gives a string; "" after complaining.
func (c *checker) text(n *yaml.Node, path string) string {
	switch {
	case n.Kind != yaml.ScalarNode:
		c.complain(n, path, "must be a string, not %s", kindOf(n))
	case n.Tag != "!!str":
		c.complain(n, path, "must be a string: put it between quotes")
	case n.Value == "":
		c.complain(n, path, "is empty")
	default:
		return n.Value
	}
	return ""
}

// checked gives a string that passes a check; "" after complaining.
func (c *checker) checked(n *yaml.Node, path string, check func(string) error) string {
	s := c.text(n, path)
	if s == "" {
		return ""
	}
	if err := check(s); err != nil {
		c.complain(n, path, "%v", err)
		return ""
	}
	return s
}

var wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,8})$`)

// number gives a whole number; false after complaining. YAML has octal and
// other ways to write one, which say another number than they show.
func (c *checker) number(n *yaml.Node, path string) (int, bool) {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || !wholeNumber.MatchString(n.Value) {
		c.complain(n, path, "must be a whole number, not %s", kindOf(n))
		return 0, false
	}
	i, _ := strconv.Atoi(n.Value)
	return i, true
}

// flag gives true or false; false after complaining, too.
func (c *checker) flag(n *yaml.Node, path string) bool {
	b, ok := scalar(n).(bool)
	if !ok {
		c.complain(n, path, "must be true or false, not %s", kindOf(n))
	}
	return b
}

// value gives a scalar or a list as a document's decoder would.
func (c *checker) value(n *yaml.Node) any {
	n = unfold(n)
	if n.Kind == yaml.SequenceNode {
		items := make([]any, len(n.Content))
		for i, item := range n.Content {
			items[i] = scalar(unfold(item))
		}
		return items
	}
	return scalar(n)
}

// scalar gives a string, a bool or nil; anything else as its node, which no
// setting accepts.
func scalar(n *yaml.Node) any {
	switch {
	case n.Kind != yaml.ScalarNode:
		return n
	case n.Tag == "!!str":
		return n.Value
	case n.Tag == "!!null":
		return nil
	case n.Tag == "!!bool":
		b, err := strconv.ParseBool(n.Value)
		if err == nil {
			return b
		}
	}
	return n
}

// visit counts a node, and says whether to go on.
func (c *checker) visit(n *yaml.Node, path string) bool {
	c.visited++
	if c.visited == mostVisited {
		c.complain(n, path, "the file is too large once its aliases are unfolded")
	}
	return c.visited < mostVisited
}

// unfold follows an alias to what it stands for.
func unfold(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	return recovery.Quote(n.Value)
}
