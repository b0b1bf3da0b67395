package main

import (
	"math"
)

// place gives every node its left edge, near the middle of what it is
// connected to; false: a row is wider than all may be.
func (pic *planPicture) place(most int) bool {
	for _, row := range pic.rows {
		x := 0
		for _, n := range row {
			n.x = x
			x += n.width + nodeGap
		}
		pic.width = max(pic.width, x-nodeGap)
	}
	if pic.width > most {
		return false
	}
	for _, row := range pic.rows {
		last := row[len(row)-1]
		shift := (pic.width - last.x - last.width) / 2
		for _, n := range row {
			n.x += shift
		}
	}
	for sweep := range 12 {
		for i := range pic.rows {
			if sweep%2 == 0 {
				pic.settle(pic.rows[i], true)
			} else {
				pic.settle(pic.rows[len(pic.rows)-1-i], false)
			}
		}
	}
	for _, row := range pic.rows {
		for _, n := range row {
			n.column = n.center()
		}
	}
	return true
}

func (n *planNode) center() int { return n.x + n.width/2 }

// settle moves the nodes of one row as near as they get to the middles of
// their neighbours of one side: the least squares under the order of the row
// (isotonic regression, by pooling those that are in each other's way).
func (pic *planPicture) settle(row []*planNode, down bool) {
	type pool struct {
		sum   float64
		count int
	}
	var pools []pool
	offset := 0
	offsets := make([]int, len(row))
	for i, n := range row {
		near, want := n.below, float64(n.x)
		if down {
			near = n.above
		}
		if len(near) > 0 {
			sum := 0
			for _, other := range near {
				sum += other.center()
			}
			want = float64(sum)/float64(len(near)) - float64(n.width/2)
		}
		offsets[i] = offset
		pools = append(pools, pool{want - float64(offset), 1})
		offset += n.width + nodeGap
		for len(pools) > 1 {
			a, b := pools[len(pools)-2], pools[len(pools)-1]
			if a.sum/float64(a.count) <= b.sum/float64(b.count) {
				break
			}
			pools = append(pools[:len(pools)-2], pool{a.sum + b.sum, a.count + b.count})
		}
	}
	room := pic.width - (offset - nodeGap)
	i := 0
	for _, p := range pools {
		x := min(max(int(math.Floor(p.sum/float64(p.count)+0.5)), 0), room)
		for range p.count {
			row[i].x = x + offsets[i]
			i++
		}
	}
}
