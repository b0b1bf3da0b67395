package planfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/event"
	"muster/recovery"
)

// page is one file: the JSON document that its YAML stands for, and where each
// value and key of that stands in the file.
type page struct {
	name     string
	json     []byte
	marks    []mark // in the order of their offsets
	problems []Problem
	more     int  // problems beside those
	empty    bool // nothing could be read, which was said
	nodes    int  // aliases unfolded
	lookup   Lookup
	secrets  *recovery.Secrets
}

type mark struct{ offset, line, column int }

// Limits of a file, far above what a plan needs. They bound what reading one
// costs: the parser takes some 200 bytes for each value.
const (
	MostBytes  = 4 << 20
	mostValues = 200_000
	mostDepth  = 50
	// mostComment is how long a comment may be, in bytes of one line.
	mostComment = 64 << 10
)

func (p *page) complain(line, column int, path, format string, args ...any) {
	if len(p.problems) == event.MostFindings {
		p.more++
		return
	}
	p.problems = append(p.problems, Problem{p.name, line, column, path, fmt.Sprintf(format, args...)})
}

// read makes the document of a file; needs says what should be in it.
func read(s Source, needs string, lookup Lookup, secrets *recovery.Secrets) *page {
	p := &page{name: s.Name, json: []byte("null"), empty: true, lookup: lookup, secrets: secrets}
	for _, m := range inText.FindAllSubmatch(s.Data, -1) {
		secrets.Add(string(m[1]))
	}
	if p.tooMuch(s.Data) {
		return p
	}
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(s.Data))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF), err == nil && (len(doc.Content) == 0 || doc.Content[0].Tag == "!!null"):
		p.complain(0, 0, "", "the file is empty: it needs %s", needs)
		return p
	case err != nil:
		p.syntax(err, s.Data)
		return p
	}
	switch err := d.Decode(&second); {
	case err == nil:
		p.complain(second.Line, second.Column, "", "a second document begins here: a file holds one")
	case !errors.Is(err, io.EOF):
		p.syntax(err, s.Data)
	}
	p.empty = false
	p.write("", doc.Content[0])
	return p
}

// tooMuch refuses what no plan is, before anything is made of it.
func (p *page) tooMuch(data []byte) bool {
	if len(data) > MostBytes {
		p.complain(0, 0, "", "the file has %d bytes, and more than %d are not read", len(data), MostBytes)
		return true
	}
	values, depth, line := 0, 0, 1
	quoted, comment := false, -1 // where the line's comment begins
	for i, c := range data {
		switch c {
		case '\n':
			line++
			values++
			quoted, comment = false, -1
		case '"':
			quoted = !quoted
		case '#':
			if comment < 0 && !quoted && (i == 0 || strings.IndexByte(" \t\n", data[i-1]) >= 0) {
				comment = i
			}
		case '[', '{':
			values++
			if comment < 0 { // in a comment brackets mean nothing
				depth++
			}
		case ']', '}':
			if comment < 0 {
				depth = max(depth-1, 0)
			}
		case ',':
			values++
		}
		if comment >= 0 && i-comment > mostComment { // the parser takes minutes for one of megabytes
			p.complain(line, 1, "", "here a comment has more than %d bytes in one line: no plan has", mostComment)
			return true
		}
		if depth > mostDepth || values > mostValues {
			p.complain(line, 1, "", "here the file has more than %d values, or brackets more than %d deep: no plan has", mostValues, mostDepth)
			return true
		}
	}
	return false
}

// inText is a secret as it stands in a text that may be no document at all.
var inText = regexp.MustCompile(`(?i)(?:externalId|taskToken)["']?[ \t]*:[ \t]*(?:&[^ ]+[ \t]+)?["']?([^\s"',{}\[\]#]{2,})`)

// write makes the document of a node; before opens what it is in.
func (p *page) write(before string, n *yaml.Node) {
	var out bytes.Buffer
	out.WriteString(before)
	p.value(&out, n, "", "", 0)
	out.WriteString(strings.Repeat("}", strings.Count(before, "{")))
	p.json = out.Bytes()
}

// place gives the line and column of what stands at an offset of the document.
func (p *page) place(offset int) (line, column int) {
	i, found := slices.BinarySearchFunc(p.marks, offset, func(m mark, offset int) int { return m.offset - offset })
	if !found {
		return 0, 0
	}
	return p.marks[i].line, p.marks[i].column
}

// value writes one value, whose key is the last of its path.
func (p *page) value(out *bytes.Buffer, n *yaml.Node, path, key string, depth int) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	p.marks = append(p.marks, mark{out.Len(), n.Line, n.Column})
	p.nodes++
	switch {
	case p.nodes >= mostValues || depth > mostDepth:
		if p.nodes = max(p.nodes, mostValues); p.nodes == mostValues || depth > mostDepth {
			p.complain(n.Line, n.Column, path, "is too large, or too deep, once aliases are unfolded")
		}
		p.nodes++
		out.WriteString("null")
	case n.Kind == yaml.MappingNode:
		p.mapping(out, n, path, depth)
	case n.Kind == yaml.SequenceNode:
		out.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				out.WriteByte(',')
			}
			p.value(out, item, path+"["+strconv.Itoa(i)+"]", "", depth+1)
		}
		out.WriteByte(']')
	default:
		p.scalar(out, n, path, key)
	}
}

func (p *page) mapping(out *bytes.Buffer, n *yaml.Node, path string, depth int) {
	out.WriteByte('{')
	first := true
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		for key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			p.complain(key.Line, key.Column, path, "a key must be a plain word, not a list or a mapping")
			continue
		case key.Tag == "!!merge":
			p.complain(key.Line, key.Column, path, "merge keys (<<) are not read; repeat the settings, or use an alias for the whole value")
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		p.marks = append(p.marks, mark{out.Len(), key.Line, key.Column})
		out.Write(quoted(key.Value))
		out.WriteByte(':')
		p.value(out, n.Content[i+1], strings.TrimPrefix(path+"."+word(key.Value), "."), key.Value, depth+1)
	}
	out.WriteByte('}')
}

// word gives a key as it stands in a path.
func word(key string) string {
	if recovery.ProtectionGroupID(key).Check() != nil {
		return recovery.Quote(key)
	}
	return key
}

func quoted(text string) []byte {
	out, _ := json.Marshal(text) // of a text it gives no error
	return out
}

var (
	// fromEnvironment is how a file names a secret instead of holding it.
	fromEnvironment = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)
	plainNumber     = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)
)

const curly = "“”„‘’‚«»"

func (p *page) scalar(out *bytes.Buffer, n *yaml.Node, path, key string) {
	text := n.Value
	secret := strings.EqualFold(key, "externalId") || strings.EqualFold(key, "taskToken")
	if secret {
		p.secrets.Add(text)
	}
	switch n.Tag {
	case "!!null":
		out.WriteString("null")
		return
	case "!!bool":
		if b, err := strconv.ParseBool(text); err == nil {
			fmt.Fprint(out, b)
			return
		}
	case "!!int", "!!float":
		if plainNumber.MatchString(text) {
			out.WriteString(text)
			return
		}
		p.complain(n.Line, n.Column, path, "is a number to YAML, and perhaps another than it shows: put a text between quotes, and write a number in plain digits")
		out.WriteString("null")
		return
	case "!!str", "!!timestamp":
	default:
		p.complain(n.Line, n.Column, path, "tags such as %s are not read; write the value alone", recovery.Quote(n.Tag))
		out.WriteString("null")
		return
	}
	plain := n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
	variable := fromEnvironment.FindStringSubmatch(text)
	switch {
	case plain && strings.ContainsAny(text[:min(len(text), 3)], curly):
		p.complain(n.Line, n.Column, path, `stands between curly quotation marks, which are a part of the text to YAML: type straight ones (")`)
		text = strings.Trim(text, curly)
	case key == "externalId" && variable != nil:
		p.variable(out, n, path, variable[1])
		return
	case key == "externalId" && strings.Contains(text, "${"), variable != nil:
		p.complain(n.Line, n.Column, path, "a variable is the whole value of an externalId, as in externalId: \"${NAME}\": nowhere else is one read, and nothing stands before or behind it")
		out.WriteString("null")
		return
	}
	out.Write(quoted(text))
}

// variable writes an external id that the environment holds. No problem may
// repeat it.
func (p *page) variable(out *bytes.Buffer, n *yaml.Node, path, name string) {
	var value string
	if p.lookup != nil {
		var set bool
		if value, set = p.lookup(name); !set {
			p.complain(n.Line, n.Column, path, "the environment variable %s is not set", name)
		} else if err := recovery.CheckExternalID(value); err != nil {
			p.complain(n.Line, n.Column, path, "what the environment variable %s holds %v", name, err)
			p.secrets.Add(value)
			value = ""
		}
	}
	if value == "" {
		out.WriteString("null")
		return
	}
	p.secrets.Add(value)
	out.Write(quoted(value))
}
