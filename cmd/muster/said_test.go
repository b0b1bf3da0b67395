package main

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// A command that leads to a deployed Muster, wherever it is told; a comment,
// or what follows in a shell, is none of it.
var toldCommand = regexp.MustCompile("(?m)\\bmuster ([a-z]+ [^\n`#|&;\\\\]*--function [^\n`#|&;\\\\]*)")

var quoted = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// Pages, templates and what people are told by SNS (as its test has it) name
// commands to type. Each is one that there is, with those very arguments.
func TestEveryCommandForADeployedMusterThatPeopleAreToldExists(t *testing.T) {
	root := os.DirFS("../..")
	told := map[string]int{}
	check := func(name string) {
		text, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range toldCommand.FindAllStringSubmatch(string(text), -1) {
			line, _, _ := strings.Cut(match[1], `\n`)
			if strings.Contains(line, "…") || strings.Contains(line, "[") || strings.Contains(line, "%s") {
				continue // it stands for several
			}
			line = strings.ReplaceAll(line, "--wave N", "--wave 1")
			words := strings.Fields(strings.ReplaceAll(quoted.ReplaceAllString(line, "WORD"), `"`, ""))
			told[name]++
			cmd, rest, err := (&Main{Env: os.Getenv}).root().Find(words)
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: muster %s: %v", name, line, err)
			}
		}
	}
	check("cmd/execution-handler/notice_test.go")
	check("deploy/hub.yaml")
	err := fs.WalkDir(root, "docs", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			check(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cmd/execution-handler/notice_test.go", "deploy/hub.yaml", "docs/install.md", "docs/commands.md"} {
		if told[name] < 2 {
			t.Errorf("%s: %d commands were found in it", name, told[name])
		}
	}
}
