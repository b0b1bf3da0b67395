package simulator

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FleetError is everything that is wrong with a fleet file, in the file's order.
type FleetError struct {
	// Name of the file or fleet.
	Name     string
	Problems []FleetProblem
}

// FleetProblem is one thing that is wrong, and where.
type FleetProblem struct {
	// Line and Column count from 1; 0 where the place is unknown.
	Line, Column int
	// Path in the file, such as accounts.123456789012.regions.us-east-1.servers[3].lag.
	Path    string
	Message string
}

// Error lists all problems, one a line where there are several.
func (e *FleetError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("%s:%d:%d: ", e.Name, p.Line, p.Column)
		if p.Path != "" {
			lines[i] += p.Path + ": "
		}
		lines[i] += p.Message
	}
	if len(lines) == 1 {
		return "fleet " + lines[0]
	}
	return fmt.Sprintf("fleet %s has %d problems:\n  %s", e.Name, len(lines), strings.Join(lines, "\n  "))
}

// maxNodes bounds what a fleet file may unfold to, aliases counted each time
// they are used: a few lines of YAML can otherwise mean billions.
const (
	maxNodes    = 500_000
	maxDepth    = 64
	maxProblems = 200
)

// decoder reads YAML nodes into Go values. It is as strict as
// yaml.Decoder.KnownFields, but names every problem, each with its column and
// its path, and it remembers where everything stood for the checks that follow.
type decoder struct {
	places   map[string]*yaml.Node // by path
	problems []FleetProblem
	nodes    int
}

// A defaulter sets its own defaults before a file is read into it.
type defaulter interface{ defaults() }

// A nodeReader reads itself from a node.
type nodeReader interface{ readNode(n *yaml.Node) error }

// a textReader reads itself from a scalar.
type textReader interface{ UnmarshalText([]byte) error }

var yamlNodeType = reflect.TypeOf(yaml.Node{})

func (d *decoder) complain(n *yaml.Node, path, format string, args ...any) {
	if len(d.problems) > maxProblems {
		return
	}
	p := FleetProblem{Path: path, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	if len(d.problems) == maxProblems {
		p = FleetProblem{Line: p.Line, Column: p.Column, Message: "and more: the rest is not shown"}
	}
	d.problems = append(d.problems, p)
}

// at complains about what stands at path, or about the nearest thing above it that stands in the file.
func (d *decoder) at(path, format string, args ...any) {
	p := path
	for p != "" && d.places[p] == nil {
		if i := strings.LastIndexAny(p, ".["); i >= 0 {
			p = p[:i]
		} else {
			p = ""
		}
	}
	d.complain(d.places[p], path, format, args...)
}

func (d *decoder) sorted() []FleetProblem {
	slices.SortStableFunc(d.problems, func(a, b FleetProblem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return d.problems
}

func (d *decoder) read(n *yaml.Node, v reflect.Value, path string, depth int) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.nodes++
	if d.nodes > maxNodes || depth > maxDepth {
		if d.nodes != maxNodes+2 {
			d.complain(n, path, "the file is too large or too deep once its aliases are unfolded")
			d.nodes = maxNodes + 1
		}
		return
	}
	d.places[path] = n
	if v.Type() == yamlNodeType {
		v.Set(reflect.ValueOf(*n))
		return
	}
	if v.Kind() == reflect.Pointer {
		if n.Tag == "!!null" {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		d.read(n, v.Elem(), path, depth+1)
		return
	}
	if def, ok := v.Addr().Interface().(defaulter); ok {
		def.defaults()
	}
	switch target := v.Addr().Interface().(type) {
	case nodeReader:
		if err := target.readNode(n); err != nil {
			d.complain(n, path, "%v", err)
		}
		return
	case textReader:
		if n.Kind != yaml.ScalarNode {
			d.complain(n, path, "must be a plain value, not %s", kindName(n))
		} else if err := target.UnmarshalText([]byte(n.Value)); err != nil {
			d.complain(n, path, "%v", err)
		}
		return
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return // as if it were absent
	}
	switch v.Kind() {
	case reflect.Struct:
		d.readStruct(n, v, path, depth)
	case reflect.Map:
		d.readMap(n, v, path, depth)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.complain(n, path, "must be a list, not %s", kindName(n))
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 0, min(len(n.Content), 1000)))
		for i, item := range n.Content {
			e := reflect.New(v.Type().Elem()).Elem()
			d.read(item, e, fmt.Sprintf("%s[%d]", path, i), depth+1)
			v.Set(reflect.Append(v, e))
			if d.nodes > maxNodes {
				return
			}
		}
	default:
		d.readScalar(n, v, path)
	}
}

func (d *decoder) readStruct(n *yaml.Node, v reflect.Value, path string, depth int) {
	fields := map[string]int{}
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && name != "-" {
			fields[name] = i
			names = append(names, name)
		}
	}
	d.pairs(n, path, func(key, value *yaml.Node) {
		i, ok := fields[key.Value]
		if !ok {
			d.complain(key, joinPath(path, key.Value), "unknown key %q (allowed: %s)", key.Value, strings.Join(names, ", "))
			return
		}
		d.read(value, v.Field(i), joinPath(path, key.Value), depth+1)
	})
}

func (d *decoder) readMap(n *yaml.Node, v reflect.Value, path string, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, path, func(key, value *yaml.Node) {
		e := reflect.New(v.Type().Elem()).Elem()
		if e.Kind() == reflect.Pointer {
			e.Set(reflect.New(e.Type().Elem())) // an account without a body is still an account
			if def, ok := e.Interface().(defaulter); ok {
				def.defaults()
			}
		}
		d.read(value, e, joinPath(path, key.Value), depth+1)
		v.SetMapIndex(reflect.ValueOf(key.Value), e)
	})
}

// pairs visits the pairs of a mapping: its own, and then those that it merges
// in (<<) and does not have itself.
func (d *decoder) pairs(n *yaml.Node, path string, visit func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.complain(n, path, "must be a mapping, not %s", kindName(n))
		return
	}
	seen := map[string]bool{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.complain(key, path, "a key must be a plain word, not %s", kindName(key))
		case key.Tag == "!!merge":
			merges = append(merges, value)
		case seen[key.Value]:
			d.complain(key, joinPath(path, key.Value), "the key stands here a second time")
		default:
			seen[key.Value] = true
			visit(key, value)
		}
	}
	for _, m := range merges {
		d.merge(m, path, seen, visit, 0)
	}
}

func (d *decoder) merge(m *yaml.Node, path string, seen map[string]bool, visit func(key, value *yaml.Node), depth int) {
	for m.Kind == yaml.AliasNode {
		m = m.Alias
	}
	d.nodes++
	if depth > maxDepth || d.nodes > maxNodes {
		d.complain(m, path, "merges too deep")
		return
	}
	switch m.Kind {
	case yaml.SequenceNode:
		for _, item := range m.Content {
			d.merge(item, path, seen, visit, depth+1)
		}
	case yaml.MappingNode:
		var deeper []*yaml.Node
		for i := 0; i+1 < len(m.Content); i += 2 {
			key, value := m.Content[i], m.Content[i+1]
			if key.Tag == "!!merge" {
				deeper = append(deeper, value)
			} else if key.Kind == yaml.ScalarNode && !seen[key.Value] {
				seen[key.Value] = true
				visit(key, value)
			}
		}
		for _, node := range deeper {
			d.merge(node, path, seen, visit, depth+1)
		}
	default:
		d.complain(m, path, "only a mapping can be merged")
	}
}

func (d *decoder) readScalar(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.ScalarNode {
		d.complain(n, path, "must be a plain value, not %s", kindName(n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		b, err := strconv.ParseBool(n.Value)
		if n.Tag != "!!bool" || err != nil {
			d.complain(n, path, "must be true or false, not %q", n.Value)
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		i, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil || n.Tag != "!!int" {
			d.complain(n, path, "must be a whole number, not %q", n.Value)
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || n.Tag != "!!int" && n.Tag != "!!float" {
			d.complain(n, path, "must be a number, not %q", n.Value)
			return
		}
		v.SetFloat(f)
	default:
		panic("fleet: no reading for a " + v.Kind().String())
	}
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		if n.Tag == "!!null" {
			return "nothing"
		}
		return strconv.Quote(n.Value)
	}
	return "that"
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntaxProblem turns what the YAML parser says into a problem of ours.
func syntaxProblem(err error) FleetProblem {
	p := FleetProblem{Message: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Column = 1
		p.Message = "not YAML: " + strings.TrimPrefix(err.Error(), m[0])
	}
	return p
}
