package planfile

import (
	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// launchConfig reads launch settings.
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
