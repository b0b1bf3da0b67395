package stepfunctions

import (
	"fmt"
	"strings"
)

// A template makes a value: Parameters and ResultSelector. A key that ends in
// .$ takes its value from a path.
type template func(*scope) (value, error)

// A scope is what paths may lead into.
type scope struct {
	data    value
	context func() value // built where it is asked for: it holds the whole input
}

func (s *scope) find(p *path) (value, bool) {
	if p.context {
		return p.from(s.context())
	}
	return p.from(s.data)
}

// need is find where a path that leads nowhere is an error.
func (s *scope) need(p *path, field string) (value, error) {
	v, ok := s.find(p)
	if !ok {
		return nil, &TaskError{Runtime, fmt.Sprintf("the path %q of %s leads nowhere in the input", p.text, field)}
	}
	return v, nil
}

// template reads a template, which the language wants to be an object.
func (l *loader) template(place string, v value, token bool) template {
	if kind(v) != isObject {
		l.problem(place, "has to be an object")
		return nil
	}
	return l.part(place, v, token)
}

func (l *loader) part(place string, v value, token bool) template {
	switch kind(v) {
	case isObject:
		return l.object(place, v, token)
	case isArray:
		var parts []template
		for i, e := range elements(v) {
			parts = append(parts, l.part(fmt.Sprintf("%s[%d]", place, i), e.value, token))
		}
		return func(s *scope) (value, error) { return join(s, '[', ']', nil, parts) }
	}
	return func(*scope) (value, error) { return v, nil }
}

func (l *loader) object(place string, v value, token bool) template {
	var keys []value
	var parts []template
	seen := map[string]bool{}
	for _, m := range members(v) {
		at := place + "." + m.key
		key, dynamic := strings.CutSuffix(m.key, ".$")
		if key == "" && dynamic {
			l.problem(at, "has no name before .$")
		}
		if seen[key] {
			l.problem(at, "is there twice")
		}
		seen[key] = true
		part := l.part
		if dynamic {
			part = l.dynamic
		}
		keys, parts = append(keys, append(quote(key), ':')), append(parts, part(at, m.value, token))
	}
	return func(s *scope) (value, error) { return join(s, '{', '}', keys, parts) }
}

func join(s *scope, open, closing byte, keys []value, parts []template) (value, error) {
	out := value{open}
	for i, part := range parts {
		if i > 0 {
			out = append(out, ',')
		}
		if keys != nil {
			out = append(out, keys[i]...)
		}
		v, err := part(s)
		if err != nil {
			return nil, err
		}
		out = append(out, v...)
	}
	return append(out, closing), nil
}

func (l *loader) dynamic(place string, v value, token bool) template {
	p := l.path(place, v, token)
	if p == nil {
		return nil
	}
	return func(s *scope) (value, error) {
		if found, ok := s.find(p); ok {
			return found, nil
		}
		return nil, &TaskError{ParameterPathFailure, fmt.Sprintf("the path %q of %s leads nowhere in the input", p.text, place)}
	}
}
