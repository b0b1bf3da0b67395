package planfile

import (
	"bytes"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)

// slips are what people write that is no YAML: how the parser words it (its
// errors have no fields), what to say instead, and what of the line it is about.
var slips = []struct {
	words, says string
	of          *regexp.Regexp
}{
	{"did not find expected ',' or", `a variable between { and } needs quotes: "${NAME}"`, regexp.MustCompile(`[:,\[{] *()\$\{`)},
	{"did not find expected ',' or", "a bracket that opens here is not closed, or a comma is missing behind one of its values", regexp.MustCompile(`()[\[{][^\[{]*$`)},
	{"did not find expected node content", "a value is missing here, or a bracket that opens is not closed", nil},
	{"mapping values are not allowed", "a colon stands in a text that has no quotes, or the line is indented too far", regexp.MustCompile(`:(?: .*?[^:])?()(?:: |:$)`)},
	{"did not find expected key", "the line is not indented as those that it belongs to", nil},
	{"did not find expected '-' indicator", "the line is not indented as the list that it belongs to", nil},
	{"block sequence entries are not allowed", "a list begins in a place where none can be: put its - on a line of its own", regexp.MustCompile(`()- `)},
	{"found unexpected end of stream", "a quotation mark opens here, and none closes", regexp.MustCompile(`()["']`)},
	{"could not find expected ':'", "a colon and a space are missing behind a key, or the line is not indented as the one before it", nil},
	{"cannot start any token", "a text that begins with one of @ ` % needs quotes", regexp.MustCompile("()[@`%]")},
	{"unknown escape character", `\ has a meaning between double quotes: write \\, or use single quotes`, regexp.MustCompile(`()\\`)},
}

// syntax tells in our own words why a file is no YAML, and where.
func (p *page) syntax(err error, data []byte) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	lines := bytes.SplitAfter(data, []byte("\n"))
	at := 1
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		at, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	if name, unknown := strings.CutPrefix(text, "unknown anchor '"); unknown {
		name = "*" + strings.TrimSuffix(name, "' referenced")
		for i, line := range lines {
			if column := bytes.Index(line, []byte(name)); column >= 0 {
				p.complain(i+1, columnOf(line, column), "", "%s stands for a value that is named before it (with &), and none is", cut(name))
				return
			}
		}
	}
	at = firstWrong(lines, at, text)
	for i, line := range lines {
		indent := len(line) - len(bytes.TrimLeft(line, " \t"))
		if tab := bytes.IndexByte(line[:indent], '\t'); tab >= 0 && i+1 >= at-1 && i+1 <= at+1 && len(bytes.TrimSpace(line)) > 0 {
			p.complain(i+1, tab+1, "", "a tab stands before the text of this line: YAML is indented with spaces")
			return
		}
	}
	line := lines[min(at, len(lines))-1]
	first := len(line) - len(bytes.TrimLeft(line, " "))
	for _, slip := range slips {
		if !strings.Contains(text, slip.words) {
			continue
		}
		column := first
		if slip.of != nil {
			m := slip.of.FindSubmatchIndex(bytes.TrimRight(line, "\r\n"))
			if m == nil && strings.HasPrefix(slip.says, "a variable") {
				continue
			}
			if m != nil {
				column = m[2]
			}
		}
		p.complain(at, columnOf(line, column), "", "not YAML: %s", slip.says)
		return
	}
	p.complain(at, columnOf(line, first), "", "not YAML: %s", cut(text))
}

// firstWrong gives the first line with which the parser stops for that reason.
// It says where what it was reading begins, which may be far above.
func firstWrong(lines [][]byte, from int, text string) int {
	from = max(1, min(from, len(lines))-1)
	n := sort.Search(len(lines)-from, func(i int) bool {
		var n yaml.Node
		err := yaml.Unmarshal(bytes.Join(lines[:from+i], nil), &n)
		return err != nil && strings.HasSuffix(err.Error(), text)
	})
	return from + n
}

// columnOf counts characters, as editors do.
func columnOf(line []byte, offset int) int { return utf8.RuneCount(line[:offset]) + 1 }

// cut shortens what may repeat a file without end.
func cut(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes more)", strings.ToValidUTF8(text[:most], ""), len(text)-most)
}
