package planfile

import (
	"regexp"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// Lookup reads a variable of the environment; false: it is not set.
type Lookup func(name string) (string, bool)

// fromEnvironment is how a file names a secret instead of holding it.
var fromEnvironment = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// account reads an account context.
func (c *checker) account(n *yaml.Node, path string) *recovery.AccountContext {
	var a recovery.AccountContext
	given := c.mapping(n, path, keys{
		"accountId": func(n *yaml.Node, path string) { a.AccountID = c.checked(n, path, recovery.CheckAccountID) },
		"region":    func(n *yaml.Node, path string) { a.Region = c.checked(n, path, recovery.CheckRegion) },
		"roleName":  func(n *yaml.Node, path string) { a.RoleName = c.checked(n, path, recovery.CheckRoleName) },
		"externalId": func(n *yaml.Node, path string) {
			a.ExternalID = recovery.NewSecret(c.externalID(n, path))
		},
	})
	for _, key := range []string{"accountId", "region", "roleName"} {
		if given != nil && !given[key] {
			c.complain(n, path, "%s is missing", key)
		}
	}
	return &a
}

// externalID reads an external id, from the environment where the file says
// so. No problem may repeat it.
func (c *checker) externalID(n *yaml.Node, path string) string {
	m := fromEnvironment.FindStringSubmatch(n.Value)
	if m == nil || n.Kind != yaml.ScalarNode {
		return c.checked(n, path, recovery.CheckExternalID)
	}
	if c.lookup == nil {
		return ""
	}
	value, set := c.lookup(m[1])
	if !set {
		c.complain(n, path, "the environment variable %s is not set", m[1])
		return ""
	}
	if err := recovery.CheckExternalID(value); err != nil {
		c.complain(n, path, "what the environment variable %s holds %v", m[1], err)
		return ""
	}
	return value
}
