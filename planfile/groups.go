package planfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// Groups are the protection groups of one file. They are a
// recovery.GroupStore.
type Groups struct {
	ids     []recovery.ProtectionGroupID // as the file orders them
	byID    map[recovery.ProtectionGroupID]*recovery.ProtectionGroup
	servers map[recovery.ProtectionGroupID][]recovery.SourceServerID
}

func newGroups() *Groups {
	return &Groups{
		byID:    map[recovery.ProtectionGroupID]*recovery.ProtectionGroup{},
		servers: map[recovery.ProtectionGroupID][]recovery.SourceServerID{},
	}
}

var _ recovery.GroupStore = (*Groups)(nil)

// Group implements recovery.GroupStore. It never fails.
func (g *Groups) Group(_ context.Context, id recovery.ProtectionGroupID) (*recovery.ProtectionGroup, error) {
	return g.byID[id], nil
}

// IDs lists the groups' ids in the file's order.
func (g *Groups) IDs() []recovery.ProtectionGroupID { return slices.Clone(g.ids) }

// Servers lists the servers that the file gives a group, in its order; nil
// where it gives none.
func (g *Groups) Servers(id recovery.ProtectionGroupID) []recovery.SourceServerID {
	return slices.Clone(g.servers[id])
}

// ParseGroups reads the protection groups of a plan file, or of a file that
// holds nothing else. Name is the file's, for messages; the error is an *Error.
func ParseGroups(name string, data []byte) (*Groups, error) {
	c := &checker{}
	g := newGroups()
	if root := c.document(data); root != nil {
		c.file(root, g)
	}
	return g, c.err(name)
}

// GroupsOf reads the value of a `groups:` key that somebody else's file holds.
// Name is that file's, for messages; the error is an *Error.
func GroupsOf(name string, groups *yaml.Node) (*Groups, error) {
	c := &checker{}
	g := newGroups()
	if groups != nil && !groups.IsZero() {
		c.groups(groups, "groups", g)
	}
	return g, c.err(name)
}

// document parses the one YAML document that a file holds.
func (c *checker) document(data []byte) *yaml.Node {
	var doc, second yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		c.complain(nil, "", "the file is empty: it needs groups")
		return nil
	case err != nil:
		c.problems = append(c.problems, syntaxProblem(err))
		return nil
	}
	switch err := d.Decode(&second); {
	case err == nil:
		c.complain(&second, "", "a second document begins here: a file holds one")
	case !errors.Is(err, io.EOF):
		c.problems = append(c.problems, syntaxProblem(err))
	}
	if len(doc.Content) == 0 {
		c.complain(nil, "", "the file is empty: it needs groups")
		return nil
	}
	return doc.Content[0]
}

// file reads a whole document. What a plan file holds besides its groups is
// let pass unread: it is for whoever runs the plan, and is checked there.
func (c *checker) file(root *yaml.Node, g *Groups) {
	given := c.mapping(root, "", keys{
		"version": func(n *yaml.Node, path string) {
			if n.Tag != "!!int" || n.Value != "1" {
				c.complain(n, path, "must be 1, the only version there is")
			}
		},
		"groups":         func(n *yaml.Node, path string) { c.groups(n, path, g) },
		"plan":           later,
		"accountContext": later,
		"objectives":     later,
		"waves":          later,
	})
	if given != nil && !given["groups"] {
		c.complain(root, "", "there are no groups: the key groups is missing")
	}
}

// later accepts a value that is not read yet.
func later(*yaml.Node, string) {}

func (c *checker) groups(n *yaml.Node, path string, g *Groups) {
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		id := recovery.ProtectionGroupID(key.Value)
		if err := id.Check(); err != nil {
			c.complain(key, path, "the group's id %v", err)
		}
		g.ids = append(g.ids, id)
		g.byID[id], g.servers[id] = c.group(value, path, id)
	})
}

func (c *checker) group(n *yaml.Node, path string, id recovery.ProtectionGroupID) (*recovery.ProtectionGroup, []recovery.SourceServerID) {
	group := &recovery.ProtectionGroup{ID: id, LaunchConfig: recovery.LaunchConfig{}}
	var servers, tags *yaml.Node
	var overrides func(listed []recovery.SourceServerID)
	var listed []recovery.SourceServerID
	c.mapping(n, path, keys{
		"launchConfig": func(n *yaml.Node, path string) { group.LaunchConfig = c.launchConfig(n, path) },
		"overrides": func(n *yaml.Node, path string) {
			overrides = func(listed []recovery.SourceServerID) {
				group.Overrides = c.overrides(n, path, listed)
			}
		},
		// Servers by their tags are looked up, and accounts entered, by
		// whoever runs a plan: both are checked here, and not kept yet.
		"servers":        func(n *yaml.Node, path string) { servers, listed = n, c.servers(n, path) },
		"tags":           func(n *yaml.Node, path string) { tags = n; c.tags(n, path) },
		"accountContext": c.accountContext,
	})
	if servers != nil && tags != nil {
		c.complain(tags, join(path, "tags"), "a group has servers or tags, not both")
	}
	if overrides != nil {
		overrides(listed)
	}
	return group, listed
}

func (c *checker) overrides(n *yaml.Node, path string, listed []recovery.SourceServerID) map[recovery.SourceServerID]recovery.LaunchConfig {
	all := map[recovery.SourceServerID]recovery.LaunchConfig{}
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		id := recovery.SourceServerID(key.Value)
		if err := id.Check(); err != nil {
			c.complain(key, path, "%v", err)
		} else if listed != nil && !slices.Contains(listed, id) {
			c.complain(key, path, "is not among the group's servers")
		}
		all[id] = c.launchConfig(value, path)
	})
	return all
}

func (c *checker) launchConfig(n *yaml.Node, path string) recovery.LaunchConfig {
	config := recovery.LaunchConfig{}
	set := func(key string, n *yaml.Node, path string) {
		if err := config.Set(key, c.value(n)); err != nil {
			c.complain(n, path, "%v", err)
		}
	}
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		// DRS nests this one; both spellings are the same setting.
		if key.Value == "licensing" {
			c.pairs(value, path, func(inner, value *yaml.Node, path string) {
				set("licensing."+inner.Value, value, path)
			})
			return
		}
		set(key.Value, value, path)
	})
	return config
}

func (c *checker) servers(n *yaml.Node, path string) []recovery.SourceServerID {
	ids := []recovery.SourceServerID{}
	seen := map[recovery.SourceServerID]bool{}
	c.list(n, path, func(n *yaml.Node, path string) {
		id := recovery.SourceServerID(c.text(n, path))
		switch err := id.Check(); {
		case id == "": // c.text has complained
		case err != nil:
			c.complain(n, path, "%v", err)
		case seen[id]:
			c.complain(n, path, "%s is named twice", id)
		}
		seen[id] = true
		ids = append(ids, id)
	})
	return ids
}

func (c *checker) tags(n *yaml.Node, path string) {
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		c.text(value, path)
	})
}
