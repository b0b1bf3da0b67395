package main

import (
	"cmp"
	"fmt"
	"slices"
)

// planBus joins the lines of some nodes and forks to nodes of the next row.
// Every line belongs to one bus only, or else a reader who follows one bus
// could turn into another.
type planBus struct {
	above, below []*planNode
	from         []int // the columns in which the lines of above come down
	left, right  int
	track        int // which of the lines between the rows it runs on; -1: it is a straight line down
}

// planBuses says which buses connect a row with the one above it.
func planBuses(row []*planNode) (all []*planBus) {
	byAbove := map[string]*planBus{}
	for _, n := range row {
		if len(n.above) == 0 {
			continue
		}
		var names []string
		for _, a := range n.above {
			names = append(names, fmt.Sprintf("%p", a))
		}
		slices.Sort(names)
		key := fmt.Sprint(names)
		if byAbove[key] == nil {
			byAbove[key] = &planBus{above: n.above}
			all = append(all, byAbove[key])
		}
		byAbove[key].below = append(byAbove[key].below, n)
	}
	return all
}

// route gives each bus its columns and its track, and says how many tracks
// there are.
func route(all []*planBus) int {
	ofNode := map[*planNode][]*planBus{}
	var above []*planNode
	for _, b := range all {
		for _, n := range b.above {
			if ofNode[n] == nil {
				above = append(above, n)
			}
			ofNode[n] = append(ofNode[n], b)
		}
	}
	for _, n := range above {
		own := ofNode[n]
		slices.SortStableFunc(own, func(a, b *planBus) int { return cmp.Compare(a.heading(), b.heading()) })
		n.ports = n.portColumns(len(own))
		for i, b := range own {
			b.from = append(b.from, n.ports[i])
		}
	}
	taken := map[int]*planBus{} // column → the bus whose line comes down in it
	for _, b := range all {
		for _, column := range b.from {
			taken[column] = b
		}
	}
	for _, b := range all {
		for _, n := range b.below {
			n.column = n.entry(b, taken)
		}
	}
	return giveTracks(all)
}

// heading is where a bus leads on the whole.
func (b *planBus) heading() float64 {
	sum := 0
	for _, n := range b.below {
		sum += n.center()
	}
	return float64(sum) / float64(len(b.below))
}

// portColumns spreads the lines that go out of a node.
func (n *planNode) portColumns(count int) []int {
	middle := n.center()
	if n.wave == nil && count == 1 {
		middle = n.column // a lane goes straight on
	}
	apart := 2
	if n.wave != nil {
		apart = min(max((n.width-3)/count, 2), 6)
	}
	columns := make([]int, count)
	for i := range columns {
		columns[i] = middle - apart*(count-1)/2 + apart*i
	}
	return columns
}

// mostAside is how far from a box's middle its line comes in so as to come
// straight down.
const mostAside = 3

// entry finds where a node's line comes in: straight below a line of its bus,
// or else nearest to its middle, where no line of another bus comes down.
func (n *planNode) entry(own *planBus, taken map[int]*planBus) int {
	first, last := n.x, n.x+n.width-1
	if n.wave != nil {
		first, last = n.x+len(n.label())+4, n.x+n.width-2
	}
	free := func(column int) bool {
		return column >= first && column <= last && (taken[column] == nil || taken[column] == own)
	}
	want := n.center()
	for _, column := range own.from {
		if away := column - n.center(); free(column) && max(away, -away) <= mostAside {
			want = column
			break
		}
	}
	for away := range n.width {
		for _, column := range []int{want - away, want + away} {
			if free(column) {
				return column
			}
		}
	}
	return n.center()
}

// giveTracks lets buses share a track where they do not meet.
func giveTracks(all []*planBus) int {
	for _, b := range all {
		b.left, b.right = b.from[0], b.from[0]
		for _, column := range b.from {
			b.left, b.right = min(b.left, column), max(b.right, column)
		}
		for _, n := range b.below {
			b.left, b.right = min(b.left, n.column), max(b.right, n.column)
		}
	}
	order := slices.Clone(all)
	slices.SortStableFunc(order, func(a, b *planBus) int { return cmp.Or(a.left-b.left, a.right-b.right) })
	var ends []int // of each track
	for _, b := range order {
		if b.left == b.right {
			b.track = -1
			continue
		}
		b.track = slices.IndexFunc(ends, func(end int) bool { return end+1 < b.left })
		if b.track < 0 {
			b.track = len(ends)
			ends = append(ends, 0)
		}
		ends[b.track] = b.right
	}
	return len(ends)
}
