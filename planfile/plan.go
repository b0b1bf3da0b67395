package planfile

import (
	"errors"
	"time"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// File is what a plan file says, whole: every wave has its servers, or the
// tags by which DRS is asked for them, and its account.
type File struct {
	Plan   *recovery.Plan
	Groups *Groups
}

// Source is one file to read. Name is for messages.
type Source struct {
	Name string
	Data []byte
}

// Reader reads plan files.
type Reader struct {
	// Lookup reads the variables that a file names as ${NAME}. Nil: none is set.
	Lookup Lookup
}

// Read reads a plan, and the files that hold groups of it. The error names
// everything that is wrong with all of them: an *Error for each file.
func (r Reader) Read(plan Source, groups ...Source) (*File, error) {
	lookup := r.Lookup
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	file := &File{Plan: &recovery.Plan{}, Groups: newGroups()}
	hidden := &secrets{lookup: lookup}
	p := &planReader{checker: newChecker(lookup, hidden), plan: file.Plan, groups: file.Groups}
	root := p.document(plan.Data, "a plan and its waves")
	if root != nil {
		p.file(root)
	}
	var others []*checker
	for _, source := range groups {
		c := new(newChecker(lookup, hidden))
		others = append(others, c)
		if groupsRoot := c.document(source.Data, "groups"); groupsRoot != nil {
			c.groupsFile(groupsRoot, file.Groups)
		}
	}
	if root != nil {
		p.settle()
	}
	wrong := []error{p.err(plan.Name)}
	for i, c := range others {
		wrong = append(wrong, c.err(groups[i].Name))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	return file, nil
}

// planReader reads one plan file. First it reads what is written, and keeps
// where; then, when all groups are known, it settles what the waves take from
// them and from the plan, and checks what only the whole can tell.
type planReader struct {
	checker
	plan    *recovery.Plan
	groups  *Groups
	account *recovery.AccountContext
	waves   []writtenWave // of plan.Waves
	root    *yaml.Node
}

func (p *planReader) file(root *yaml.Node) {
	p.root = root
	given := p.mapping(root, "", keys{
		"version":        p.version,
		"plan":           p.identity,
		"accountContext": func(n *yaml.Node, path string) { p.account = p.checker.account(n, path) },
		"objectives":     p.objectives,
		"waves":          p.readWaves,
		"groups":         func(n *yaml.Node, path string) { p.checker.groups(n, path, p.groups) },
	})
	for _, key := range []string{"version", "plan", "waves"} {
		if given != nil && !given[key] {
			p.complain(root, "", "%s is missing", key)
		}
	}
}

func (p *planReader) identity(n *yaml.Node, path string) {
	given := p.mapping(n, path, keys{
		"id": func(n *yaml.Node, path string) {
			p.plan.ID = recovery.PlanID(p.checked(n, path, func(s string) error { return recovery.PlanID(s).Check() }))
		},
		"name":  func(n *yaml.Node, path string) { p.plan.Name = p.checked(n, path, recovery.CheckText) },
		"owner": func(n *yaml.Node, path string) { p.plan.Owner = p.checked(n, path, recovery.CheckText) },
	})
	if given != nil && !given["id"] {
		p.complain(n, path, "id is missing")
	}
}

// longestObjective is a year: nobody promises less.
const longestObjective = 365 * 24 * 60

func (p *planReader) objectives(n *yaml.Node, path string) {
	minutes := func(into *time.Duration) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) {
			m, ok := p.number(n, path)
			if ok && (m < 1 || m > longestObjective) {
				p.complain(n, path, "is %d, but an objective is from 1 to %d minutes", m, longestObjective)
			}
			*into = time.Duration(m) * time.Minute
		}
	}
	p.mapping(n, path, keys{
		"recoveryTimeMinutes":  minutes(&p.plan.Objectives.RecoveryTime),
		"recoveryPointMinutes": minutes(&p.plan.Objectives.RecoveryPoint),
	})
}
