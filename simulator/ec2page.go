package simulator

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// ec2Filter is Filter.N: a resource passes if one of the values matches, and it must pass every filter.
type ec2Filter struct {
	Name   string
	Values []string
}

func (f ec2Filter) matches(values []string) bool {
	for _, pattern := range f.Values {
		for _, v := range values {
			if wildcard(pattern, v) {
				return true
			}
		}
	}
	return false
}

func (c *ec2Call) filters() []ec2Filter {
	var filters []ec2Filter
	for _, p := range c.prefixes("Filter") {
		f := ec2Filter{Name: c.required(p + "Name"), Values: c.list(p + "Value")}
		if len(f.Values) == 0 {
			c.fail("InvalidParameterValue", "The filter '%s' has no values", f.Name)
		}
		if len(f.Values) > 200 {
			c.fail("FilterLimitExceeded", "The maximum number of filter values specified on a single call is 200")
		}
		filters = append(filters, f)
	}
	return filters
}

// pass tells whether a resource passes, by its values for filters. Tags are matched by tag:KEY and tag-key. An unknown
// filter fails the call.
func (c *ec2Call) pass(filters []ec2Filter, tags map[string]string, attributes map[string][]string) bool {
	for _, f := range filters {
		values, known := attributes[f.Name]
		if key, ok := strings.CutPrefix(f.Name, "tag:"); ok {
			known = true
			if v, ok := tags[key]; ok {
				values = []string{v}
			}
		} else if f.Name == "tag-key" {
			known, values = true, sortedKeys(tags)
		}
		if !known {
			c.fail("InvalidParameterValue", "The filter '%s' is invalid", f.Name)
			return false
		}
		if !f.matches(values) {
			return false
		}
	}
	return true
}

// ec2List is how an action lists resources of one kind.
type ec2List[T any] struct {
	key         func(T) string
	least, most int64 // items of a page
	tags        func(T) map[string]string
	attributes  func(T) map[string][]string // for filters
}

// page cuts a page out of the resources that pass the filters.
func (l ec2List[T]) page(c *ec2Call, filters []ec2Filter, found []T) (page []T, next any, err *apiError) {
	found = slices.DeleteFunc(found, func(r T) bool { return !c.pass(filters, l.tags(r), l.attributes(r)) })
	page, next = ec2Page(c, found, l.key, l.least, l.most)
	return page, next, c.ready()
}

// wildcard tells whether v matches a filter's value, in which * stands for any text and ? for one character; a
// backslash takes their meaning away.
func wildcard(pattern, v string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(v) + 1 {
				if wildcard(pattern[1:], v[i:]) {
					return true
				}
			}
			return false
		case '?':
			_, size := utf8.DecodeRuneInString(v)
			if size == 0 {
				return false
			}
			pattern, v = pattern[1:], v[size:]
			continue
		case '\\':
			if len(pattern) > 1 {
				pattern = pattern[1:]
			}
		}
		if v == "" || v[0] != pattern[0] {
			return false
		}
		pattern, v = pattern[1:], v[1:]
	}
	return v == ""
}

// ec2Page cuts a page out of items: MaxResults between lo and hi, and NextToken, which says after which key to go on,
// so that what appears or goes between two pages neither hides nor doubles anything else. items come in any order and
// leave in that of their keys. Without MaxResults a page is as large as it may be.
func ec2Page[T any](c *ec2Call, items []T, key func(T) string, lo, hi int64) ([]T, any) {
	sort.Slice(items, func(i, j int) bool { return key(items[i]) < key(items[j]) })
	size, given := c.integer("MaxResults")
	token := c.text("NextToken")
	switch {
	case !given:
		size = hi
	case size < lo:
		c.fail("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than or equal to %d.", size, lo)
		return nil, nil
	case size > hi:
		c.fail("InvalidParameterValue", "Value ( %d ) for parameter maxResults is invalid. Expecting a value less than or equal to %d.", size, hi)
		return nil, nil
	}
	mark := c.pageMark()
	if token != "" {
		plain, err := base64.RawURLEncoding.DecodeString(token)
		after, ok := strings.CutPrefix(string(plain), mark)
		if err != nil || !ok {
			c.fail("InvalidNextToken", "The token '%s' is invalid", token)
			return nil, nil
		}
		start := sort.Search(len(items), func(i int) bool { return key(items[i]) > after })
		items = items[start:]
	}
	if int64(len(items)) <= size {
		return items, nil
	}
	items = items[:size]
	return items, base64.RawURLEncoding.EncodeToString([]byte(mark + key(items[size-1])))
}

// pageMark ties a token to its request: one from another question is not an answer to this one.
func (c *ec2Call) pageMark() string {
	request := url.Values{}
	for name, v := range c.values {
		if !slices.Contains([]string{"Action", "Version", "MaxResults", "NextToken"}, name) {
			request[name] = v
		}
	}
	h := fnv.New64a()
	fmt.Fprint(h, c.action, request.Encode())
	return fmt.Sprintf("%016x ", h.Sum64())
}
