//go:build !race

package event_test

import "time"

// An event of ten megabytes takes well under a second on a machine of one's
// own. What is more is for neighbours; what grows with the square of an
// event's size is found all the same.
const (
	patience = 3 * time.Second
	shrink   = 1
)
