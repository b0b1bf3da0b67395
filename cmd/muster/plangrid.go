package main

import (
	"strings"
	"unicode"
)

// grid is a picture of characters, each with how it is painted.
type grid struct{ rows [][]cell }

type cell struct {
	text  string // "": the second half of a wide character
	paint paint
	lines direction // of the lines that meet here; text is made of them
}

type paint byte

const (
	noPaint paint = iota
	strongPaint
	busyPaint
	faintPaint
)

type direction byte

const (
	toNorth direction = 1 << iota
	toEast
	toSouth
	toWest
)

// glyphs draw lines by where they lead.
var glyphs = map[direction]string{
	toNorth: "│", toSouth: "│", toNorth | toSouth: "│", toWest: "─", toEast: "─", toWest | toEast: "─",
	toNorth | toEast: "╰", toNorth | toWest: "╯", toSouth | toEast: "╭", toSouth | toWest: "╮",
	toNorth | toSouth | toEast: "├", toNorth | toSouth | toWest: "┤", toWest | toEast | toNorth: "┴", toWest | toEast | toSouth: "┬",
	toNorth | toSouth | toWest | toEast: "┼",
}

func (g *grid) at(x, y int) *cell {
	for len(g.rows) <= y {
		g.rows = append(g.rows, nil)
	}
	for len(g.rows[y]) <= x {
		g.rows[y] = append(g.rows[y], cell{text: " "})
	}
	return &g.rows[y][x]
}

func (g *grid) line(x, y int, d direction) {
	c := g.at(x, y)
	c.lines |= d
	c.text = glyphs[c.lines]
}

// write puts a text at a place.
func (g *grid) write(x, y int, text string, p paint) {
	for _, r := range text {
		switch w := runeWidth(r); w {
		case 0:
			if x > 0 {
				g.at(x-1, y).text += string(r)
			}
		default:
			*g.at(x, y) = cell{text: string(r), paint: p}
			if w == 2 {
				*g.at(x+1, y) = cell{paint: p}
			}
			x += w
		}
	}
}

// render gives the picture as text.
func (g *grid) render(s style) string {
	var out strings.Builder
	for _, row := range g.rows {
		var line strings.Builder
		for i := 0; i < len(row); {
			var run strings.Builder
			p := row[i].paint
			for ; i < len(row) && row[i].paint == p; i++ {
				run.WriteString(row[i].text)
			}
			line.WriteString(p.apply(s, run.String()))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}

func (p paint) apply(s style, text string) string {
	switch p {
	case strongPaint:
		return s.strong(text)
	case busyPaint:
		return s.busy(text)
	case faintPaint:
		return s.faint(text)
	}
	return text
}

// asciiOf draws the same with characters that every terminal has.
var asciiOf = strings.NewReplacer(
	"│", "|", "─", "-", "╰", "+", "╯", "+", "╭", "+", "╮", "+", "├", "+", "┤", "+", "┴", "+", "┬", "+", "┼", "+",
	"┌", "+", "┐", "+", "└", "+", "┘", "+", "▼", "v", "⏸", "P", "…", "~", " · ", ", ",
)

// ascii leaves no character that is not ASCII.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x80:
			return r
		case runeWidth(r) == 0:
			return -1
		}
		return '?'
	}, asciiOf.Replace(s))
}

// wide are the characters that take two columns of a terminal.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{{0x1100, 0x115f, 1}, {0x2e80, 0x303e, 1}, {0x3041, 0xa4cf, 1}, {0xac00, 0xd7a3, 1}, {0xf900, 0xfaff, 1}, {0xfe30, 0xfe6f, 1}, {0xff00, 0xff60, 1}, {0xffe0, 0xffe6, 1}},
	R32: []unicode.Range32{{0x1f300, 0x1f64f, 1}, {0x1f680, 0x1f6ff, 1}, {0x1f900, 0x1faff, 1}, {0x20000, 0x3fffd, 1}},
}

func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.Is(wide, r):
		return 2
	}
	return 1
}

// textWidth is how many columns a text takes.
func textWidth(s string) (width int) {
	for _, r := range s {
		width += runeWidth(r)
	}
	return width
}

// fit cuts a text that is too wide.
func fit(s string, width int) string {
	if textWidth(s) <= width {
		return s
	}
	var out strings.Builder
	left := width - 1
	for _, r := range s {
		if left -= runeWidth(r); left < 0 {
			break
		}
		out.WriteRune(r)
	}
	return out.String() + "…"
}
