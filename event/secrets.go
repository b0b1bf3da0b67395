package event

import (
	"strings"

	"muster/recovery"
)

// longestSecret is more than any external id or task token.
const longestSecret = 64 << 10

// secrets finds the secrets of a document, wherever they stand in it: strings
// of keys that are those of secrets, also of ones that are written wrong. It
// goes through the document once.
func (v value) secrets() *recovery.Secrets {
	s := &recovery.Secrets{}
	for i := v.start; i < v.end; i++ {
		if v.doc[i] != '"' {
			continue
		}
		key := value{v.doc, i, skipString(v.doc, i)}
		i = skipSpace(v.doc, key.end)
		if i >= v.end || v.doc[i] != ':' {
			i = key.end - 1
			continue
		}
		if i = skipSpace(v.doc, i+1); v.doc[i] != '"' {
			i--
			continue
		}
		word := value{v.doc, i, skipString(v.doc, i)}
		i = word.end - 1
		if name := (member{key: key}).name(); (strings.EqualFold(name, "externalId") || strings.EqualFold(name, "taskToken")) && word.end-word.start < longestSecret {
			s.Add(word.text())
		}
	}
	return s
}
