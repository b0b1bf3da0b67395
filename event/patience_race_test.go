//go:build race

package event_test

import "time"

// The race detector makes reading bytes one by one very slow.
const (
	patience = 3 * time.Second
	shrink   = 10
)
