package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"muster/recovery"
	"muster/simulator"
	"muster/sqlite"
)

// A fleet, a seed and an endpoint have a folder each: whoever looks without
// saying which one looks at the default fleet's, and may have meant another.

// unsaid says whether no flag says which record is meant.
func (w *worldFlags) unsaid() bool {
	return w.fleet == simulator.DefaultFleet && w.data == "" && w.store == "" && w.endpoint == "" && w.seed == 0 && !w.aws && w.function == ""
}

// folder is one with executions, of which one began last at a time.
type folder struct {
	path string
	last time.Time
}

// chooseFolder looks whether the default folder is the one that is meant. Where
// it has no executions and one other has, it takes that, and says so; else it
// names those that have.
func (m *Main) chooseFolder(ctx context.Context, w *worldFlags, name string) error {
	if !w.unsaid() {
		return nil
	}
	own, err := w.recordFolder(ctx, m)
	if err != nil {
		return err
	}
	all := foldersWithExecutions(ctx, filepath.Dir(own))
	others := slices.DeleteFunc(slices.Clone(all), func(f folder) bool { return f.path == own })
	switch {
	case len(others) == 0:
	case len(all) == 1:
		w.data = others[0].path
		fmt.Fprintf(m.Stderr, "%s\n", m.style().faint(harmless("looking in "+w.data+", the one folder with executions")))
	case len(all) == len(others):
		return usage(named(others), "there are no executions in %s, and no flag says which folder is meant", own)
	case name == "" || name == "last":
		fmt.Fprintf(m.Stderr, "%s\n", m.style().faint(harmlessLines("looking in "+own+"\n"+named(others))))
	}
	return nil
}

// named names folders for somebody to choose.
func named(folders []folder) string {
	lines := []string{"Other folders with executions, newest first:"}
	for _, f := range folders {
		lines = append(lines, fmt.Sprintf("  --data %s  (%s)", recovery.ShellWord(f.path), f.last.Local().Format(listedTime)))
	}
	return strings.Join(lines, "\n")
}

// foldersWithExecutions are those below a folder, the newest first. One that
// cannot be read is left out: nothing was said of it.
func foldersWithExecutions(ctx context.Context, home string) (found []folder) {
	records, _ := filepath.Glob(filepath.Join(home, "*", recordFile)) // the pattern is a good one
	for _, record := range records {
		start, err := sqlite.NewestStart(ctx, record)
		if err != nil || start == "" {
			continue
		}
		began, err := time.Parse(time.RFC3339, start)
		if err != nil { // who began it by an event may have said something else
			if file, err := os.Stat(record); err == nil {
				began = file.ModTime()
			}
		}
		found = append(found, folder{filepath.Dir(record), began})
	}
	slices.SortStableFunc(found, func(a, b folder) int { return b.last.Compare(a.last) })
	return found
}
