package wiring

import (
	"regexp"

	"muster/event"
)

var version = regexp.MustCompile(`^[0-9]+$`)

// AliasOf gives the alias that a function's qualifier is. A version is none,
// and neither is $LATEST: whoever may call those is held up by nobody's alias.
func AliasOf(qualifier string) event.Alias {
	if qualifier == "$LATEST" || version.MatchString(qualifier) {
		return ""
	}
	return event.Alias(qualifier)
}
