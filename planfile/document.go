package planfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document parses the one YAML document that a file holds; needs says what
// should be in it.
func (c *checker) document(data []byte, needs string) *yaml.Node {
	var doc, second yaml.Node
	c.secrets.spelled(data)
	d := yaml.NewDecoder(bytes.NewReader(data))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		c.complain(nil, "", "the file is empty: it needs %s", needs)
		return nil
	case err != nil:
		c.problems = append(c.problems, c.syntaxProblem(err, data))
		return nil
	}
	switch err := d.Decode(&second); {
	case err == nil:
		c.complain(&second, "", "a second document begins here: a file holds one")
	case !errors.Is(err, io.EOF):
		c.problems = append(c.problems, c.syntaxProblem(err, data))
	}
	if len(doc.Content) == 0 {
		c.complain(nil, "", "the file is empty: it needs %s", needs)
		return nil
	}
	c.secrets.within(doc.Content[0])
	return doc.Content[0]
}

// version reads the version of the format.
func (c *checker) version(n *yaml.Node, path string) {
	if n.Tag != "!!int" || n.Value != "1" {
		c.complain(n, path, "must be 1, the only version there is")
	}
}

var (
	yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)
	// The parser counts lines from 0 in complaints of its own, and from 1 in
	// those of its scanner.
	countsFromZero = regexp.MustCompile(`did not find expected (<document start>|node content|'-' indicator|key$|',' or '[]}]')`)
)

// cut shortens what may repeat a file without end.
func cut(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(text[:most], ""), len(text)-most)
}

// syntaxProblem takes apart what the YAML parser says, whose errors have no
// fields of their own.
func (c *checker) syntaxProblem(err error, data []byte) Problem {
	text := err.Error()
	p := Problem{Line: 1, Column: 1}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		if countsFromZero.MatchString(text) {
			p.Line++
		}
		text = strings.TrimPrefix(text, m[0])
	}
	p.Message = "not YAML: " + cut(c.secrets.hide(strings.TrimPrefix(text, "yaml: ")))
	if strings.Contains(text, "',' or '}'") && bytes.Contains(data, []byte("${")) {
		p.Message += ` (between { and }, write "${NAME}" with quotes)`
	}
	return p
}
