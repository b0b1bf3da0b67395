package simulator

import (
	"slices"
	"time"
)

// point is a recovery point (DRS calls it a recovery snapshot).
type point struct {
	id       string
	expected time.Time
	finished bool // only a finished one has a timestamp and can be launched from
}

func sortPoints(ps []point) {
	slices.SortStableFunc(ps, func(a, b point) int { return a.expected.Compare(b.expected) })
}

// newest finds the latest recovery point that can be launched from.
func newest(ps []point) (point, bool) {
	for i := len(ps) - 1; i >= 0; i-- {
		if ps[i].finished {
			return ps[i], true
		}
	}
	return point{}, false
}
