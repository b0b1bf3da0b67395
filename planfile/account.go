package planfile

import (
	"regexp"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// fromEnvironment is how a file names a secret instead of holding it.
var fromEnvironment = regexp.MustCompile(`^\$\{[A-Za-z_][A-Za-z0-9_]*\}$`)

func (c *checker) accountContext(n *yaml.Node, path string) {
	with := func(check func(string) error) func(*yaml.Node, string) {
		return func(n *yaml.Node, path string) {
			if s := c.text(n, path); s != "" {
				if err := check(s); err != nil {
					c.complain(n, path, "%v", err)
				}
			}
		}
	}
	given := c.mapping(n, path, keys{
		"accountId": with(recovery.CheckAccountID),
		"region":    with(recovery.CheckRegion),
		"roleName":  with(recovery.CheckRoleName),
		"externalId": with(func(s string) error {
			if fromEnvironment.MatchString(s) {
				return nil
			}
			return recovery.CheckExternalID(s)
		}),
	})
	for _, key := range []string{"accountId", "region", "roleName"} {
		if given != nil && !given[key] {
			c.complain(n, path, "%s is missing", key)
		}
	}
}
