package muster_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages are all documents for people, by their path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || name == "bin" || name == "dist" || d.Name() == "node_modules"):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			page, err := os.ReadFile(name)
			all[filepath.ToSlash(name)] = string(page)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	unsaid  = regexp.MustCompile(`[^\pL\pN_ -]`)
)

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for name, page := range all {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := name
			if to != "" {
				target = path.Join(path.Dir(name), to)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which does not exist", name, m[1])
			}
			if target := all[target]; anchor != "" && target != "" && !hasAnchor(target, anchor) {
				t.Errorf("%s links to %s, where no heading is called so", name, m[1])
			}
		}
	}
}

func hasAnchor(page, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		if strings.ReplaceAll(unsaid.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-") == anchor {
			return true
		}
	}
	return strings.Contains(page, fmt.Sprintf("<a id=%q>", anchor))
}

func TestEveryAlarmAndEveryErrorHasARunbook(t *testing.T) {
	index := pages(t)["docs/runbooks/README.md"]
	for file, name := range map[string]string{
		"deploy/hub.yaml":   `(?m)^  (\w+):\n    Type: AWS::CloudWatch::Alarm$`,
		"recovery/error.go": `Code = "(\w+)"`,
	} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(name).FindAllStringSubmatch(string(source), -1)
		if len(found) < 5 {
			t.Errorf("%s names only %d", file, len(found))
		}
		for _, m := range found {
			if !strings.Contains(index, "| `"+m[1]+"` | [") {
				t.Errorf("docs/runbooks/README.md says nothing of %s", m[1])
			}
		}
	}
}
