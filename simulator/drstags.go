package simulator

import (
	"fmt"
	"strings"
	"unicode"
)

// tagsOf finds the tags of whatever an ARN names.
func (h *handling) tagsOf(in map[string]any) (map[string]string, *apiError) {
	arn := stringAt(in, "resourceArn")
	kind, id, _ := strings.Cut(strings.TrimPrefix(arn, fmt.Sprintf("arn:aws:drs:%s:%s:", h.at.region, h.at.account)), "/")
	h.touch(id)
	switch kind {
	case "source-server":
		if s := h.servers[id]; s != nil {
			return s.tags, nil
		}
	case "job":
		if j := h.job(id); j != nil {
			return j.tags, nil
		}
	case "recovery-instance":
		if n := h.instance(id); n != nil {
			return n.tags, nil
		}
	}
	return nil, &apiError{Status: 404, Code: "ResourceNotFoundException", Message: fmt.Sprintf("Resource %s not found.", arn)}
}

func (h *handling) listTagsForResource(in map[string]any) (any, *apiError) {
	tags, e := h.tagsOf(in)
	if e != nil {
		return nil, e
	}
	return map[string]any{"tags": tags}, nil
}

func (h *handling) tagResource(in map[string]any) (any, *apiError) {
	if _, ok := h.oracle.call(DenyTagging); ok && !h.replaying {
		return nil, accessDenied(h.caller, "drs:TagResource", stringAt(in, "resourceArn"))
	}
	tags, e := h.tagsOf(in)
	if e != nil {
		return nil, e
	}
	more := stringMap(in, "tags")
	if e := checkTags(tags, more); e != nil {
		return nil, e
	}
	for k, v := range more {
		tags[k] = v
	}
	return nil, nil
}

func (h *handling) untagResource(in map[string]any) (any, *apiError) {
	tags, e := h.tagsOf(in)
	if e != nil {
		return nil, e
	}
	for _, k := range stringsAt(in, "tagKeys") {
		delete(tags, k)
	}
	return nil, nil
}

// checkTags holds tags to what AWS's tagging has and the model does not say: a
// key has 1 to 128 characters, a value takes letters, digits, spaces and
// _ . : / = + - @, the prefix aws: is AWS's, and there are fifty at most.
func checkTags(have, more map[string]string) *apiError {
	count := len(have)
	for _, k := range sortedKeys(more) {
		if _, ok := have[k]; !ok {
			count++
		}
		switch {
		case k == "" || len([]rune(k)) > 128:
			return invalid("A tag's key must have 1 to 128 characters: %q.", k)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return invalid("Tag keys that begin with aws: are reserved: %q.", k)
		case !tagText(k):
			return invalid("Invalid character in the tag key %q.", k)
		case !tagText(more[k]):
			return invalid("Invalid character in the value of tag %q: %q.", k, more[k])
		}
	}
	if count > 50 {
		return invalid("A resource has at most 50 tags.")
	}
	return nil
}

func tagText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Zs, r) && !strings.ContainsRune("_.:/=+-@", r)
	})
}
