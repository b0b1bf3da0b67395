// What SECURITY.md promises is held by tests, as a test.
package muster_test

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func TestEveryPromiseOfSecurityHasItsTests(t *testing.T) {
	for _, missing := range brokenPromises(t, os.DirFS(".")) {
		t.Error(missing)
	}
}

func TestAPromiseWithoutATestIsFound(t *testing.T) {
	const held = "## Promises\n1. **It holds.** `sqlite: TestItHolds`\n"
	for name, c := range map[string]struct{ page, test, want string }{
		"all is well":                 {held, "package sqlite; func TestItHolds(t *testing.T) {}", ""},
		"no promises":                 {"## Secrets\n", "package sqlite", "there are no promises"},
		"a promise without a test":    {"## Promises\n1. **It holds.**\n", "package sqlite", "promise 1 names no test"},
		"a test that is not there":    {held, "package sqlite; func TestItHoldsNot(t *testing.T) {}", "promise 1: there is no test TestItHolds in sqlite"},
		"a method of that name":       {held, "package sqlite; func (s *suite) TestItHolds() {}", "promise 1: there is no test TestItHolds in sqlite"},
		"a test that is not run here": {held, "//go:build broken\n\npackage sqlite; func TestItHolds(t *testing.T) {}", "promise 1: there is no test TestItHolds in sqlite"},
		"a number left out":           {"## Promises\n2. **It holds.** `sqlite: TestItHolds`\n", "package sqlite; func TestItHolds(t *testing.T) {}", "promise 2 stands in place 1"},
	} {
		t.Run(name, func(t *testing.T) {
			got := brokenPromises(t, fstest.MapFS{"SECURITY.md": {Data: []byte(c.page)}, "sqlite/x_test.go": {Data: []byte(c.test)}})
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

var (
	promise = regexp.MustCompile(`(?m)^([0-9]+)\. .*$`)
	heldBy  = regexp.MustCompile("`([a-z./-]+): (Test[A-Za-z0-9]+)`")
)

// brokenPromises names every numbered promise of SECURITY.md that no test of
// the name beside it holds.
func brokenPromises(t *testing.T, tree fs.FS) []string {
	t.Helper()
	page, err := fs.ReadFile(tree, "SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Promises\n")
	var broken []string
	promises := promise.FindAllStringSubmatch(section, -1)
	if len(promises) == 0 {
		return []string{"there are no promises"}
	}
	for i, p := range promises {
		if p[1] != strconv.Itoa(i+1) {
			broken = append(broken, fmt.Sprintf("promise %s stands in place %d", p[1], i+1))
		}
		tests := heldBy.FindAllStringSubmatch(p[0], -1)
		if len(tests) == 0 {
			broken = append(broken, fmt.Sprintf("promise %s names no test", p[1]))
		}
		for _, test := range tests {
			if room, name := test[1], test[2]; !slices.Contains(testsOf(t, tree, room), name) {
				broken = append(broken, fmt.Sprintf("promise %s: there is no test %s in %s", p[1], name, room))
			}
		}
	}
	return broken
}

// testsOf names the tests of a room that every run has: those that need no tag.
func testsOf(t *testing.T, tree fs.FS, room string) []string {
	t.Helper()
	files, err := fs.Glob(tree, path.Join(room, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		source, err := fs.ReadFile(tree, file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(parsed.Comments, func(c *ast.CommentGroup) bool { return constraint.IsGoBuild(c.List[0].Text) }) {
			continue
		}
		for _, d := range parsed.Decls {
			if f, is := d.(*ast.FuncDecl); is && f.Recv == nil {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
