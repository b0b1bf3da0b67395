package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"muster/recovery"
)

// planDrawing draws a plan for somebody who looks at a terminal.
type planDrawing struct {
	plan   *recovery.Plan
	width  int
	ascii  bool
	style  style
	listed bool // too wide: told as a list
}

// The widths of a wave's box. Below the least nothing can be told any more.
const (
	leastBox = 16
	mostBox  = 34
)

func (d *planDrawing) String() string {
	out := d.clean(d.head() + "\n" + d.graph() + "\n" + d.legend())
	return out
}

// clean leaves characters that the terminal has.
func (d *planDrawing) clean(s string) string {
	if d.ascii {
		return ascii(s)
	}
	return s
}

// graph draws boxes as wide as their words want, narrower ones where the
// terminal is narrow, and a list where no boxes would do.
func (d *planDrawing) graph() string {
	want := leastBox
	for i := range d.plan.Waves {
		for _, line := range d.box(&d.plan.Waves[i], mostBox) {
			want = max(want, min(textWidth(line)+4, mostBox))
		}
	}
	widest := 0
	for _, layer := range d.plan.Layers() {
		widest = max(widest, len(layer))
	}
	if fits := (d.width + nodeGap) / widest; fits-nodeGap < want && fits-nodeGap >= leastBox {
		want = fits - nodeGap // so that what goes on at the same time stands side by side
	}
	for box := want; box >= leastBox && d.drawable(); box -= 2 {
		if pic := layOut(d.plan, box, d.width); pic != nil {
			return d.draw(pic)
		}
	}
	d.listed = true
	return d.list()
}

// mostLines is how many lines a picture may have that anybody would follow.
const mostLines = 400

// drawable says whether a picture would tell more than a list.
func (d *planDrawing) drawable() bool {
	lines := 0
	for _, before := range d.plan.RightBefore() {
		lines += len(before)
	}
	return lines <= mostLines && len(d.plan.Waves) <= mostLines/2
}

// draw paints the rows of boxes and what connects them.
func (d *planDrawing) draw(pic *planPicture) string {
	between := make([][]*planBus, len(pic.rows)) // what leads to each row
	tracks := make([]int, len(pic.rows))
	for i, row := range pic.rows {
		between[i] = planBuses(row)
		tracks[i] = route(between[i])
	}
	g := &grid{}
	y := 0
	for i, row := range pic.rows {
		if i > 0 {
			height := max(tracks[i], 1)
			d.connect(g, between[i], y, height)
			y += height
		}
		height := 0
		boxes := map[*planNode][]string{}
		for _, n := range row {
			if n.wave != nil {
				boxes[n] = d.box(n.wave, n.width)
				height = max(height, len(boxes[n])+2)
			}
		}
		for _, n := range row {
			if n.wave != nil {
				d.drawBox(g, n, boxes[n], y, height)
				continue
			}
			drawLane(g, n, y, height)
		}
		y += height
	}
	return g.render(d.style)
}

// connect draws the buses between two rows. A line that passes another's track
// goes over it; where lines are joined, they branch.
func (d *planDrawing) connect(g *grid, all []*planBus, y, height int) {
	owner := map[[2]int]*planBus{} // whose horizontal line a place is of
	for _, b := range all {
		for x := b.left; x <= b.right && b.track >= 0; x++ {
			owner[[2]int{x, b.track}] = b
			if x > b.left {
				g.line(x, y+b.track, toWest)
			}
			if x < b.right {
				g.line(x, y+b.track, toEast)
			}
		}
	}
	pass := func(x, track int) {
		if owner[[2]int{x, track}] != nil {
			c := g.at(x, y+track)
			c.text, c.lines = glyphs[toNorth|toSouth], toNorth|toSouth
		} else {
			g.line(x, y+track, toNorth|toSouth)
		}
	}
	for _, b := range all {
		for _, column := range b.from {
			end := b.track
			if end < 0 {
				end = height
			}
			for track := range end {
				pass(column, track)
			}
			if b.track >= 0 {
				g.line(column, y+end, toNorth)
			}
		}
		for _, n := range b.below {
			if b.track < 0 {
				continue
			}
			g.line(n.column, y+b.track, toSouth)
			for track := b.track + 1; track < height; track++ {
				pass(n.column, track)
			}
		}
	}
}

// drawLane draws a line past the boxes of a row; where it is on several
// buses below, it forks.
func drawLane(g *grid, n *planNode, y, height int) {
	for i := range height - 1 {
		g.line(n.column, y+i, toNorth|toSouth)
	}
	last := y + height - 1
	g.line(n.column, last, toNorth)
	first, end := n.column, n.column
	for _, port := range n.ports {
		g.line(port, last, toSouth)
		first, end = min(first, port), max(end, port)
	}
	for x := first; x < end; x++ {
		g.line(x, last, toEast)
		g.line(x+1, last, toWest)
	}
}

// label is what stands in the frame of a wave's box.
func (n *planNode) label() string { return strconv.Itoa(n.wave.Number) }

func (d *planDrawing) drawBox(g *grid, n *planNode, lines []string, y, height int) {
	bar := strings.Repeat("─", n.width-2)
	g.write(n.x, y, "┌"+bar+"┐", noPaint)
	g.write(n.x+2, y, " "+n.label()+" ", strongPaint)
	switch {
	case n.wave.PauseBefore:
		g.write(n.column, y, "⏸", busyPaint)
	case len(n.above) > 0:
		g.write(n.column, y, "▼", noPaint)
	}
	for i := 1; i < height-1; i++ {
		text, p := "", noPaint
		if i <= len(lines) {
			text = fit(lines[i-1], n.width-4)
		}
		if i == 1 {
			p = strongPaint
		}
		g.write(n.x, y+i, "│"+strings.Repeat(" ", n.width-2)+"│", noPaint)
		g.write(n.x+2, y+i, text, p)
	}
	g.write(n.x, y+height-1, "└"+bar+"┘", noPaint)
	for _, port := range n.ports {
		g.write(port, y+height-1, "┬", noPaint)
	}
}

// box is what is told of a wave in a box of some width.
func (d *planDrawing) box(w *recovery.PlannedWave, width int) []string {
	lines := []string{d.clean(harmless(w.Name))}
	if w.Name == "" {
		lines[0] = cmp.Or(string(w.Group), "wave "+strconv.Itoa(w.Number))
	}
	lines = append(lines, serverText(w))
	if len(d.accounts()) > 1 {
		account := w.Account.AccountID + " " + w.Account.Region
		if textWidth(account) <= width-4 {
			lines = append(lines, account)
		} else {
			lines = append(lines, w.Account.AccountID, w.Account.Region)
		}
	}
	switch w.OnFailure.OrDefault() {
	case recovery.StopOnFailure:
		lines = append(lines, "stops if it fails")
	case recovery.ContinueOnFailure:
		lines = append(lines, "goes on if it fails")
	}
	if w.TimeLimit() != recovery.DefaultWaveTimeout {
		lines = append(lines, "at most "+spell(w.TimeLimit()))
	}
	return lines
}

// serverText counts a wave's servers.
func serverText(w *recovery.PlannedWave) string {
	if len(w.Servers) == 0 && w.Tags != nil {
		var tags []string
		for _, key := range slices.Sorted(maps.Keys(w.Tags)) {
			tags = append(tags, harmless(key+"="+w.Tags[key]))
		}
		return "servers with " + strings.Join(tags, ", ")
	}
	text := recovery.Count(len(w.Servers), "server")
	if n := optionalServers(w); n > 0 {
		text += fmt.Sprintf(", %d optional", n)
	}
	return text
}

func optionalServers(w *recovery.PlannedWave) (n int) {
	for i := range w.Servers {
		if w.Servers[i].IsOptional() {
			n++
		}
	}
	return n
}

// accounts lists where the plan's waves are recovered.
func (d *planDrawing) accounts() []string {
	var all []string
	for i := range d.plan.Waves {
		a := d.plan.Waves[i].Account
		all = append(all, a.AccountID+" "+a.Region)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
