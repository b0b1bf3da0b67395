package planfile

import (
	"context"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// Groups are the protection groups of one plan, or of one file. They are a
// recovery.GroupStore.
type Groups struct {
	ids  []recovery.ProtectionGroupID // as the file orders them
	byID map[recovery.ProtectionGroupID]*group
}

// group is a protection group with what a plan's waves take from it.
type group struct {
	recovery.ProtectionGroup
	servers []recovery.SourceServerID
	tags    map[string]string
	account *recovery.AccountContext
}

func newGroups() *Groups {
	return &Groups{byID: map[recovery.ProtectionGroupID]*group{}}
}

var _ recovery.GroupStore = (*Groups)(nil)

// Group implements recovery.GroupStore. It never fails.
func (g *Groups) Group(_ context.Context, id recovery.ProtectionGroupID) (*recovery.ProtectionGroup, error) {
	found, ok := g.byID[id]
	if !ok {
		return nil, nil
	}
	return &found.ProtectionGroup, nil
}

// IDs lists the groups' ids in the file's order.
func (g *Groups) IDs() []recovery.ProtectionGroupID { return slices.Clone(g.ids) }

// Servers lists the servers that the file gives a group, in its order; nil
// where it gives none.
func (g *Groups) Servers(id recovery.ProtectionGroupID) []recovery.SourceServerID {
	if found, ok := g.byID[id]; ok {
		return slices.Clone(found.servers)
	}
	return nil
}

// Tags gives the tags by which DRS is asked for a group's servers; nil where
// the file has none.
func (g *Groups) Tags(id recovery.ProtectionGroupID) map[string]string {
	if found, ok := g.byID[id]; ok {
		return maps.Clone(found.tags)
	}
	return nil
}

// ByID gives every group by its id.
func (g *Groups) ByID() map[recovery.ProtectionGroupID]*recovery.ProtectionGroup {
	all := make(map[recovery.ProtectionGroupID]*recovery.ProtectionGroup, len(g.byID))
	for id, found := range g.byID {
		all[id] = &found.ProtectionGroup
	}
	return all
}

// ParseGroups reads the protection groups of a plan file, or of a file that
// holds nothing else. What a plan file holds besides is let pass unread, and
// so are variables of the environment. Name is the file's, for messages; the
// error is an *Error.
func ParseGroups(name string, data []byte) (*Groups, error) {
	c := new(newChecker(nil, &secrets{}))
	g := newGroups()
	if root := c.document(data, "groups"); root != nil {
		c.groupsFile(root, g)
	}
	return g, c.err(name)
}

// GroupsOf reads the value of a `groups:` key that somebody else's file holds.
// Name is that file's, for messages; the error is an *Error.
func GroupsOf(name string, groups *yaml.Node) (*Groups, error) {
	c := new(newChecker(nil, &secrets{}))
	g := newGroups()
	if groups != nil && !groups.IsZero() {
		c.secrets.within(groups)
		c.groups(groups, "groups", g)
	}
	return g, c.err(name)
}

func (c *checker) groupsFile(root *yaml.Node, g *Groups) {
	later := func(*yaml.Node, string) {}
	given := c.mapping(root, "", keys{
		"version":        c.version,
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

// groups adds a file's groups to those that are known already.
func (c *checker) groups(n *yaml.Node, path string, g *Groups) {
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		id := recovery.ProtectionGroupID(key.Value)
		if err := id.Check(); err != nil {
			c.complain(key, path, "the group's id %v", err)
		}
		if _, twice := g.byID[id]; twice {
			c.complain(key, path, "the plan has a group of this id already")
			return
		}
		g.ids = append(g.ids, id)
		g.byID[id] = c.group(value, path, id)
	})
}

func (c *checker) group(n *yaml.Node, path string, id recovery.ProtectionGroupID) *group {
	g := &group{ProtectionGroup: recovery.ProtectionGroup{ID: id, LaunchConfig: recovery.LaunchConfig{}}}
	var tags, launchConfig, overrides *yaml.Node
	given := c.mapping(n, path, keys{
		"launchConfig":   func(n *yaml.Node, path string) { launchConfig = n; g.LaunchConfig = c.launchConfig(n, path) },
		"overrides":      func(n *yaml.Node, path string) { overrides = n },
		"servers":        func(n *yaml.Node, path string) { g.servers = c.serverIDs(n, path) },
		"tags":           func(n *yaml.Node, path string) { tags = n; g.tags = c.tags(n, path) },
		"accountContext": func(n *yaml.Node, path string) { g.account = c.account(n, path) },
	})
	if given["servers"] && given["tags"] {
		c.complain(tags, join(path, "tags"), "a group has servers or tags, not both")
	}
	contradicts := c.contradictions(launchConfig, join(path, "launchConfig"), recovery.Server{}, g.LaunchConfig)
	if overrides != nil {
		c.overrides(overrides, join(path, "overrides"), g, !contradicts)
	}
	return g
}

// overrides reads what single servers set over their group. One that
// contradicts the group's settings is named, unless those contradict
// themselves.
func (c *checker) overrides(n *yaml.Node, path string, g *group, resolve bool) {
	g.Overrides = map[recovery.SourceServerID]recovery.LaunchConfig{}
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		id := recovery.SourceServerID(key.Value)
		if err := id.Check(); err != nil {
			c.complain(key, path, "%v", err)
		} else if g.servers != nil && !slices.Contains(g.servers, id) {
			c.complain(key, path, "is not among the group's servers")
		}
		g.Overrides[id] = c.launchConfig(value, path)
		if resolve {
			c.contradictions(key, path, recovery.Server{ID: id}, g.For(id))
		}
	})
}

// contradictions names the settings of a server, over its group's, that AWS
// could not do together.
func (c *checker) contradictions(n *yaml.Node, path string, s recovery.Server, group recovery.LaunchConfig) bool {
	_, problems := s.Resolve(group)
	for _, p := range problems {
		c.complain(n, path, "%s %s", p.Setting, p.Text)
	}
	return len(problems) > 0
}

func (c *checker) serverIDs(n *yaml.Node, path string) []recovery.SourceServerID {
	ids := []recovery.SourceServerID{}
	seen := map[recovery.SourceServerID]bool{}
	c.list(n, path, func(n *yaml.Node, path string) {
		id := recovery.SourceServerID(c.checked(n, path, func(s string) error { return recovery.SourceServerID(s).Check() }))
		if id == "" {
			return
		}
		if seen[id] {
			c.complain(n, path, "%s is named twice", id)
			return
		}
		seen[id] = true
		ids = append(ids, id)
	})
	return ids
}

// tags reads the tags that a group's servers carry. None at all would mean
// every server there is.
func (c *checker) tags(n *yaml.Node, path string) map[string]string {
	tags := map[string]string{}
	c.pairs(n, path, func(key, value *yaml.Node, path string) {
		if value.Kind == yaml.ScalarNode && value.Tag == "!!str" && value.Value == "" {
			tags[key.Value] = "" // AWS has tags without a value
		} else {
			tags[key.Value] = c.text(value, path)
		}
		if key.Value == "" || len(key.Value) > 128 || len(value.Value) > 256 {
			c.complain(key, path, "is no tag: a key has 1 to 128 characters, a value at most 256")
		}
	})
	if n := unfold(n); n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		c.complain(n, path, "is empty, and no tags at all would mean every server")
	}
	return tags
}
