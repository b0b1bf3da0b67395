// The walls of the house, as a test: which room may import what, and why.
package muster_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// wall says what a room may import. A rule is an import path; one that ends
// in /... takes everything below it, too.
type wall struct {
	rooms   []string // rooms of this house
	modules []string // packages of other modules
	never   []string // packages of the standard library that are closed to it
	open    []string // exceptions from never
	why     string
}

const (
	aws  = "github.com/aws/aws-sdk-go-v2/..."
	yaml = "go.yaml.in/yaml/v3"
)

// walls is every room there is. A new room needs a line here and a sentence in
// ARCHITECTURE.md.
var walls = map[string]wall{
	"": {
		why: "the root of the module holds no code",
	},
	"recovery": {
		never: []string{"os/...", "net/...", "log/slog", "testing/..."}, open: []string{"net/netip"},
		why: "recovery is the language that all rooms speak: it knows nobody and touches nothing",
	},
	"orchestrator": {
		rooms: []string{"recovery"}, never: []string{"encoding/json", "log/slog", "os/...", "net/...", "testing/..."},
		why: "orchestrator knows the order of things, and nothing of JSON, AWS or logs: it tells what happens through Observe",
	},
	"event": {
		rooms: []string{"recovery", "orchestrator"}, never: []string{"net/..."},
		why: "event knows JSON and nothing of AWS or of Lambda",
	},
	"client": {
		rooms: []string{"recovery", "event"},
		why:   "client asks for operations over one function, and does not know who answers",
	},
	"awserror": {
		rooms: []string{"recovery"}, modules: []string{aws, "github.com/aws/smithy-go/..."},
		why: "awserror knows how AWS's SDK fails, and of no service what it does",
	},
	"awsdrs": {
		rooms: []string{"recovery", "awserror"}, modules: []string{aws, "github.com/aws/smithy-go/...", "golang.org/x/time/rate"},
		why: "awsdrs knows one technology, and is told what to do in recovery's words alone",
	},
	"awslambda": {
		rooms: []string{"recovery", "awserror"}, modules: []string{aws, "github.com/aws/smithy-go/..."},
		why: "awslambda knows one technology, and not what it asks",
	},
	"awssteps": {
		rooms: []string{"recovery", "awserror"}, modules: []string{aws, "github.com/aws/smithy-go/..."},
		why: "awssteps knows one technology, and is told what to do in recovery's words alone",
	},
	"dynamo": {
		rooms: []string{"recovery", "awserror"}, modules: []string{aws, "github.com/aws/smithy-go/..."},
		why: "dynamo knows one technology, and is told what to do in recovery's words alone",
	},
	"dynamotest": {
		modules: []string{aws, "github.com/truora/minidyn/..."},
		why:     "dynamotest is DynamoDB for tests, and does not know us: whoever agrees with it agrees with a protocol",
	},
	"sqlite": {
		rooms: []string{"recovery"}, modules: []string{"modernc.org/sqlite/..."},
		why: "sqlite knows one technology, and is told what to do in recovery's words alone",
	},
	"simulator": {
		modules: []string{yaml},
		why:     "the simulator cannot reach AWS and does not know us: whoever agrees with it agrees with a protocol",
	},
	"driver": {
		why: "driver knows actions, and nothing of what they are about: it does what the handler says is next",
	},
	"stepfunctions": {
		why: "stepfunctions knows states, and nothing of what they are about: whoever agrees with it agrees with a language",
	},
	"awssns": {
		rooms: []string{"awserror"}, modules: []string{aws},
		why: "awssns knows one technology, and not what it tells",
	},
	"cloudformation": {
		modules: []string{yaml},
		why:     "cloudformation knows templates, and nothing of what they deploy",
	},
	"deploy": {
		why: "deploy holds what is deployed, and runs nothing of it",
	},
	"planfile": {
		rooms: []string{"recovery", "event"}, modules: []string{yaml},
		why: "planfile knows YAML, and leaves what a document says to the one reader, which is event's",
	},
	"recoverytest": {
		rooms: []string{"recovery"}, modules: testModules,
		why: "recoverytest judges every store and region alike, so it knows none of them",
	},
	"rehearsal": {
		why: "rehearsal is tests from outside alone: it puts a deployment together, and is in no program",
	},
	"cmd/wiring": {
		rooms: anyRoom, modules: []string{"..."},
		why: "cmd puts the rooms together",
	},
	"cmd/muster": {
		rooms: anyRoom, modules: []string{"..."},
		why: "cmd puts the rooms together",
	},
	"cmd/execution-handler": {
		rooms: anyRoom, modules: []string{"..."},
		why: "cmd puts the rooms together",
	},
}

var (
	anyRoom = []string{"..."}
	// testModules may be used by every test, and by rooms that only tests import.
	testModules = []string{"github.com/google/go-cmp/...", "pgregory.net/rapid", "go.uber.org/goleak"}
)

// onlyInTests are rooms that no program holds.
var onlyInTests = []string{"cloudformation", "dynamotest", "recoverytest"}

// onlyInCmd is closed to every other room.
var onlyInCmd = []struct{ name, why string }{
	{"flag", "settings reach a room through its fields, and are read in cmd"},
	{"log", "rooms return errors and tell what happens; cmd logs"},
	{"log/slog", "rooms return errors and tell what happens; cmd logs"},
	{"github.com/aws/aws-lambda-go/...", "only a command knows that it runs in Lambda"},
	{"github.com/spf13/cobra", "only a command has a command line"},
	{"os.Getenv", "settings reach a room through its fields, and are read in cmd"},
	{"os.LookupEnv", "settings reach a room through its fields, and are read in cmd"},
	{"os.Environ", "settings reach a room through its fields, and are read in cmd"},
	{"os.Args", "settings reach a room through its fields, and are read in cmd"},
	{"os.Exit", "a room returns an error; a command decides what becomes of the process"},
	{"os.Stdin", "who talks to people is a command"},
	{"os.Stdout", "who talks to people is a command"},
	{"os.Stderr", "who talks to people is a command"},
}

func TestTheWallsStand(t *testing.T) {
	for _, broken := range brokenWalls(t, os.DirFS(".")) {
		t.Error(broken)
	}
	for room := range walls {
		if _, err := os.Stat(path.Join(".", room)); err != nil {
			t.Errorf("the walls name the room %s, which does not exist", room)
		}
	}
}

func TestABrokenWallIsFound(t *testing.T) {
	for _, c := range []struct{ name, file, source, want string }{
		{"a room that is not in the table", "report/report.go", `package report`,
			"report is not in the table of walls"},
		{"the language imports a room", "recovery/x.go", `package recovery; import "muster/event"`,
			"recovery must not import muster/event: recovery is the language"},
		{"the language imports a module", "recovery/x.go", `package recovery; import _ "go.yaml.in/yaml/v3"`,
			"recovery must not import go.yaml.in/yaml/v3: recovery is the language"},
		{"the language touches the system", "recovery/x.go", `package recovery; import "os/exec"`,
			"recovery must not import os/exec: recovery is the language"},
		{"the language touches the network", "recovery/x.go", `package recovery; import "net/http"`,
			"recovery must not import net/http: recovery is the language"},
		{"the language knows tests", "recovery/x.go", `package recovery; import "testing"`,
			"recovery must not import testing: recovery is the language"},
		{"the order of things knows JSON", "orchestrator/x.go", `package orchestrator; import "encoding/json"`,
			"orchestrator must not import encoding/json: orchestrator knows the order"},
		{"the order of things knows AWS", "orchestrator/x.go", `package orchestrator; import "github.com/aws/aws-sdk-go-v2/aws"`,
			"orchestrator must not import github.com/aws/aws-sdk-go-v2/aws: orchestrator knows the order"},
		{"event knows Lambda", "event/x.go", `package event; import "github.com/aws/aws-lambda-go/lambda"`,
			"event must not import github.com/aws/aws-lambda-go/lambda: only a command knows that it runs in Lambda"},
		{"one technology knows another", "awsdrs/x.go", `package awsdrs; import "muster/sqlite"`,
			"awsdrs must not import muster/sqlite: awsdrs knows one technology"},
		{"a technology knows the order of things", "sqlite/x.go", `package sqlite; import "muster/orchestrator"`,
			"sqlite must not import muster/orchestrator: sqlite knows one technology"},
		{"a technology knows its stand-in", "dynamo/x_test.go", `package dynamo; import "muster/dynamotest"`,
			"dynamo must not import muster/dynamotest: dynamo knows one technology"},
		{"the simulator reaches AWS", "simulator/x.go", `package simulator; import "github.com/aws/smithy-go"`,
			"simulator must not import github.com/aws/smithy-go: the simulator cannot reach AWS"},
		{"the simulator knows us", "simulator/x.go", `package simulator; import "muster/recovery"`,
			"simulator must not import muster/recovery: the simulator cannot reach AWS and does not know us"},
		{"the language of states knows recovery", "stepfunctions/x.go", `package stepfunctions; import "muster/recovery"`,
			"stepfunctions must not import muster/recovery: stepfunctions knows states"},
		{"what is deployed runs", "deploy/x.go", `package deploy; import "muster/stepfunctions"`,
			"deploy must not import muster/stepfunctions: deploy holds what is deployed"},
		{"a command is imported", "event/x.go", `package event; import "muster/cmd/wiring"`,
			"event must not import muster/cmd/wiring: commands put rooms together, and no room knows them"},
		{"a room logs", "event/x.go", `package event; import "log/slog"`,
			"event must not import log/slog: rooms return errors"},
		{"a room has flags", "simulator/x.go", `package simulator; import "flag"`,
			"simulator must not import flag: settings reach a room through its fields"},
		{"a room reads the environment", "sqlite/x.go", `package sqlite; import "os"; var _ = os.Getenv("HOME")`,
			"sqlite must not use os.Getenv: settings reach a room"},
		{"a room reads the environment by another name", "sqlite/x.go", `package sqlite; import sys "os"; var _, _ = sys.LookupEnv("HOME")`,
			"sqlite must not use os.LookupEnv: settings reach a room"},
		{"a room hides where names come from", "sqlite/x.go", `package sqlite; import . "os"; var _ = Getenv("HOME")`,
			"sqlite must not import os into its own names"},
		{"a room ends the process", "awsdrs/x.go", `package awsdrs; import "os"; func f() { os.Exit(1) }`,
			"awsdrs must not use os.Exit: a room returns an error"},
		{"a room's own tests know another room", "sqlite/x_test.go", `package sqlite; import "muster/event"`,
			"sqlite must not import muster/event: sqlite knows one technology"},
		{"a file that is built only elsewhere", "sqlite/x_plan9.go", "//go:build plan9\n\npackage sqlite; import \"muster/event\"",
			"sqlite must not import muster/event"},
		{"a program holds what is for tests", "cmd/muster/x.go", `package main; import "muster/dynamotest"`,
			"cmd/muster must not import muster/dynamotest: only tests import it"},
		{"a room within a room", "sqlite/inner/x.go", `package inner`,
			"sqlite/inner is not in the table of walls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := brokenWalls(t, fstest.MapFS{c.file: &fstest.MapFile{Data: []byte(c.source)}})
			if len(got) != 1 || !strings.Contains(got[0], c.want) || !strings.HasPrefix(got[0], c.file) {
				t.Errorf("got  %q\nwant %s: %s…", got, c.file, c.want)
			}
		})
	}
}

func TestWhatIsAllowedIsNoBrokenWall(t *testing.T) {
	for file, source := range map[string]string{
		"recovery/x.go":             `package recovery; import ("net/netip"; "fmt")`,
		"recovery/x_test.go":        `package recovery; import ("testing"; "os"; "pgregory.net/rapid")`,
		"sqlite/x_test.go":          `package sqlite_test; import ("muster/simulator"; "muster/awsdrs"; "os"); var _ = os.Args`,
		"sqlite/x.go":               `package sqlite; import ("os"; "modernc.org/sqlite"; "muster/recovery"); var _ = os.Remove`,
		"sqlite/own.go":             `package sqlite; var os struct{ Args int }; var _ = os.Args`,
		"cmd/muster/x.go":           `package main; import ("muster/cmd/wiring"; "log/slog"; "os"; "github.com/spf13/cobra"); func f() { os.Exit(0) }`,
		"awsdrs/testdata/broken.go": `package broken; import "muster/event"`,
	} {
		if got := brokenWalls(t, fstest.MapFS{file: &fstest.MapFile{Data: []byte(source)}}); len(got) > 0 {
			t.Errorf("%q", got)
		}
	}
}

// brokenWalls reads every Go file of a tree, whatever it is built for, and
// says where one breaks a wall. Packages of tests from outside (package
// x_test) are exempt; a room's own tests may use all of the standard library,
// and what tests are written with.
func brokenWalls(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var broken []string
	err := fs.WalkDir(tree, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(file) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(tree, file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, b := range judge(file, parsed) {
			broken = append(broken, file+": "+b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return broken
}

func judge(file string, f *ast.File) []string {
	isTest := strings.HasSuffix(file, "_test.go")
	if isTest && strings.HasSuffix(f.Name.Name, "_test") {
		return nil
	}
	room := path.Dir(file)
	if room == "." {
		room = ""
	}
	w, known := walls[room]
	if !known {
		return []string{room + " is not in the table of walls: a new room needs one line there and one sentence in ARCHITECTURE.md"}
	}
	var broken []string
	names := map[string]string{} // what the file calls a package → its path
	for _, spec := range f.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = imported
		if why := w.closed(room, imported, isTest); why != "" {
			broken = append(broken, room+" must not import "+imported+": "+why)
		} else if name == "." {
			broken = append(broken, room+" must not import "+imported+" into its own names: what is used has to be seen")
		}
	}
	if isTest || inCmd(room) {
		return broken
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && names[x.Name] != "" {
				used := names[x.Name] + "." + sel.Sel.Name
				if why := cmdOnly(used); why != "" {
					broken = append(broken, room+" must not use "+used+": "+why)
				}
			}
		}
		return true
	})
	return broken
}

// closed gives the reason why a room may not import a package, or "".
func (w wall) closed(room, imported string, isTest bool) string {
	if why := cmdOnly(imported); why != "" && !inCmd(room) && !isTest {
		return why
	}
	switch other, ours := strings.CutPrefix(imported, "muster/"); {
	case imported == "C" || imported == "unsafe":
		return "this house is built from plain Go"
	case ours && inCmd(other) && !inCmd(room):
		return "commands put rooms together, and no room knows them"
	case ours && !isTest && slices.Contains(onlyInTests, other):
		return "only tests import it"
	case ours:
		if !matches(w.rooms, other) {
			return w.why
		}
	case strings.Contains(strings.Split(imported, "/")[0], "."):
		if !matches(w.modules, imported) && !(isTest && matches(testModules, imported)) {
			return w.why
		}
	default:
		if !isTest && matches(w.never, imported) && !matches(w.open, imported) {
			return w.why
		}
	}
	return ""
}

func cmdOnly(name string) string {
	for _, c := range onlyInCmd {
		if matches([]string{c.name}, name) {
			return c.why
		}
	}
	return ""
}

func inCmd(room string) bool { return strings.HasPrefix(room, "cmd/") }

func matches(rules []string, name string) bool {
	return slices.ContainsFunc(rules, func(rule string) bool {
		prefix, tree := strings.CutSuffix(rule, "...")
		prefix = strings.TrimSuffix(prefix, "/")
		return name == prefix || tree && (prefix == "" || strings.HasPrefix(name, prefix+"/"))
	})
}
