package planfile

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/recovery"
)

// secrets are those of the files that belong together.
type secrets struct {
	found  recovery.Secrets
	lookup Lookup // nil: variables of the environment are not looked up
}

func (s *secrets) add(text string) { s.found.Add(text) }

func (s *secrets) hide(message string) string { return s.found.Hide(message) }

// secretKey says whether a key is that of a secret, also one that is written
// wrong.
func secretKey(key string) bool {
	return strings.EqualFold(key, "externalId") || strings.EqualFold(key, "taskToken")
}

// within finds the secrets of a document, each node once: aliases are looked
// at where they lead to.
func (s *secrets) within(n *yaml.Node) {
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && secretKey(n.Content[i-1].Value) {
			if value := unfold(child); value.Kind == yaml.ScalarNode {
				s.add(s.named(value.Value))
			}
		}
		s.within(child)
	}
}

// named gives what a secret is, where the environment has it.
func (s *secrets) named(text string) string {
	m := fromEnvironment.FindStringSubmatch(text)
	if m == nil {
		return text
	}
	if s.lookup == nil {
		return ""
	}
	value, _ := s.lookup(m[1])
	return value
}

// inText is a secret as it stands in a text that may be no document at all.
var inText = regexp.MustCompile(`(?i)(?:externalId|taskToken)["']?[ \t]*:[ \t]*(?:&[^ ]+[ \t]+)?["']?([^\s"',{}\[\]#]{2,})`)

// spelled finds secrets in the text of a file.
func (s *secrets) spelled(data []byte) {
	for _, m := range inText.FindAllSubmatch(data, -1) {
		s.add(string(m[1]))
	}
}
