package main

import (
	"cmp"
	"fmt"
	"slices"

	"muster/recovery"
)

// A picture of a plan is made of rows. In a row stand the boxes of waves that
// wait for nothing in it, and lanes, in which lines of earlier rows go past it.
// What leads to a box or lane is one bus: it joins all that the wave waits for,
// and forks to all boxes and lanes that wait for exactly the same. So every
// line in the picture means what it seems to mean, however they cross.

// planNode is a box or a lane of a picture.
type planNode struct {
	wave   *recovery.PlannedWave // nil: a lane
	above  []*planNode           // in the row before
	below  []*planNode
	ahead  []int // waves of later rows that its line leads to
	buses  int   // how many buses to the next row it is on
	x      int   // its left edge
	width  int
	column int   // where its line comes in
	ports  []int // where its lines go out, one for each bus
}

// nodeGap is what lies between two nodes at least.
const nodeGap = 2

type planPicture struct {
	rows  [][]*planNode
	width int
}

// layOut puts the waves into rows of boxes of one width, so that all is at
// most so wide; nil: it cannot be.
func layOut(p *recovery.Plan, box, most int) *planPicture {
	for perRow := (most + nodeGap) / (box + nodeGap); perRow > 0; perRow-- {
		pic := &planPicture{rows: rowsOf(p, box, perRow)}
		if slices.ContainsFunc(slices.Concat(pic.rows...), func(n *planNode) bool { return n.wave != nil && 2*n.buses+2 > n.width }) {
			return nil // more lines than the box has room for
		}
		pic.order()
		if pic.place(most) {
			return pic
		}
		widest := 0
		for _, layer := range p.Layers() {
			widest = max(widest, len(layer))
		}
		perRow = min(perRow, widest)
	}
	return nil
}

// rowsOf makes the rows: the layers of the plan, cut where they are too wide.
func rowsOf(p *recovery.Plan, box, perRow int) [][]*planNode {
	before := p.RightBefore()
	after := map[int][]int{}
	for wave, on := range before {
		for _, b := range on {
			after[b] = append(after[b], wave)
		}
	}
	var rows [][]*planNode
	row := map[int]int{} // wave → its row
	for _, layer := range p.Layers() {
		for chunk := range slices.Chunk(layer, perRow) {
			var boxes []*planNode
			for _, number := range chunk {
				row[number] = len(rows)
				slices.Sort(after[number])
				boxes = append(boxes, &planNode{wave: p.Wave(number), width: box, ahead: after[number]})
			}
			rows = append(rows, boxes)
		}
	}
	for i := 1; i < len(rows); i++ {
		rows[i] = connect(rows[i-1], rows[i], func(wave int) bool { return row[wave] > i })
		for _, b := range planBuses(rows[i]) {
			for _, n := range b.above {
				n.buses++
			}
		}
		for _, n := range rows[i-1] {
			if n.wave == nil {
				n.width = max(3, 2*n.buses+1) // room for its line to give way and to fork
			}
		}
	}
	return rows
}

// connect leads the lines of one row to the next one's boxes, and adds the
// lanes for those that go on: lines to the same waves share a lane.
func connect(above, boxes []*planNode, later func(wave int) bool) []*planNode {
	below := boxes
	lanes := map[string]*planNode{}
	for _, a := range above {
		ahead := []int{}
		for _, wave := range a.ahead {
			if later(wave) {
				ahead = append(ahead, wave)
				continue
			}
			for _, b := range boxes {
				if b.wave.Number == wave {
					join(a, b)
				}
			}
		}
		if len(ahead) == 0 {
			continue
		}
		key := fmt.Sprint(ahead)
		if lanes[key] == nil {
			lanes[key] = &planNode{width: 3, ahead: ahead}
			below = append(below, lanes[key])
		}
		join(a, lanes[key])
	}
	return below
}

func join(above, below *planNode) {
	above.below = append(above.below, below)
	below.above = append(below.above, above)
}

// order puts the nodes of each row beside those they belong to, so that few
// lines cross; what is all the same stays in the order of the waves' numbers.
func (pic *planPicture) order() {
	best := pic.copyRows()
	fewest := pic.crossings()
	for sweep := range 8 {
		down := sweep%2 == 0
		for i := range pic.rows {
			row := pic.rows[i]
			if !down {
				row = pic.rows[len(pic.rows)-1-i]
			}
			at := pic.places()
			slices.SortStableFunc(row, func(a, b *planNode) int {
				return cmp.Compare(middle(a, down, at), middle(b, down, at))
			})
		}
		if n := pic.crossings(); n < fewest {
			best, fewest = pic.copyRows(), n
		}
	}
	pic.rows = best
}

func (pic *planPicture) copyRows() [][]*planNode {
	rows := make([][]*planNode, len(pic.rows))
	for i, row := range pic.rows {
		rows[i] = slices.Clone(row)
	}
	return rows
}

// places gives every node's place in its row, from 0 to 1.
func (pic *planPicture) places() map[*planNode]float64 {
	at := map[*planNode]float64{}
	for _, row := range pic.rows {
		for i, n := range row {
			at[n] = (float64(i) + 0.5) / float64(len(row))
		}
	}
	return at
}

// middle is where a node's neighbours of one side are; its own place where it
// has none.
func middle(n *planNode, down bool, at map[*planNode]float64) float64 {
	near := n.below
	if down {
		near = n.above
	}
	if len(near) == 0 {
		return at[n]
	}
	sum := 0.0
	for _, other := range near {
		sum += at[other]
	}
	return sum / float64(len(near))
}

// crossings counts the pairs of lines that cross.
func (pic *planPicture) crossings() int {
	at := pic.places()
	count := 0
	for _, row := range pic.rows {
		type line struct{ from, to float64 }
		var lines []line
		for _, n := range row {
			for _, b := range n.below {
				lines = append(lines, line{at[n], at[b]})
			}
		}
		for i, a := range lines {
			for _, b := range lines[:i] {
				if (a.from-b.from)*(a.to-b.to) < 0 {
					count++
				}
			}
		}
	}
	return count
}
