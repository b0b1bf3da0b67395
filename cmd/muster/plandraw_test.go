package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/recovery"
)

// drawn makes a plan of lines like "2 Application: 1"; a name's end in ! makes
// a gate, in * stands in another account, independent of lower waves.
func drawn(lines ...string) *recovery.Plan {
	p := &recovery.Plan{ID: "rp-1"}
	for _, line := range lines {
		head, on, _ := strings.Cut(line, ":")
		number, name, _ := strings.Cut(head, " ")
		w := recovery.PlannedWave{Wave: recovery.Wave{Account: recovery.AccountContext{AccountID: "111122223333", Region: "us-west-2"}}, Independent: true}
		fmt.Sscan(number, &w.Number)
		if name, w.PauseBefore = strings.CutSuffix(name, "!"); strings.HasSuffix(name, "*") {
			name = strings.TrimSuffix(name, "*")
			w.Account.AccountID = "444455556666"
		}
		w.Name = name
		for i := range 1 + w.Number*7%12 {
			w.Servers = append(w.Servers, recovery.Server{ID: recovery.SourceServerID(fmt.Sprintf("s-%d-%d", w.Number, i))})
		}
		for _, field := range strings.Fields(on) {
			var n int
			fmt.Sscan(field, &n)
			w.DependsOn = append(w.DependsOn, n)
		}
		p.Waves = append(p.Waves, w)
	}
	return p
}

// thirty is thirty waves, six deep.
func thirty() *recovery.Plan {
	var lines []string
	for i := range 30 {
		line := fmt.Sprintf("%d Site %c tier %d", i+1, 'A'+i%5, i/5+1)
		if i%7 == 6 {
			line += "!"
		}
		line += ":"
		if i >= 5 {
			line += fmt.Sprintf(" %d", i-4)
			if i%3 == 0 {
				line += fmt.Sprintf(" %d", (i/5-1)*5+(i+2)%5+1)
			}
			if i == 29 {
				line += " 2"
			}
		}
		lines = append(lines, line)
	}
	return drawn(lines...)
}

func fanOut() *recovery.Plan {
	lines := []string{"1 Network"}
	all := ":"
	for i := range 12 {
		lines = append(lines, fmt.Sprintf("%d Shard %d: 1", i+2, i+1))
		all += fmt.Sprint(" ", i+2)
	}
	return drawn(append(lines, "14 Front door!"+all)...)
}

func shop() *recovery.Plan {
	p := drawn("1 Databases", "2 Applications: 1", "3 Search and cache*: 1", "4 Web servers!: 2 3", "5 Reports and batch: 1")
	p.Name, p.Owner = "Web shop", "dr-team@example.com"
	p.Objectives = recovery.Objectives{RecoveryTime: 2 * time.Hour, RecoveryPoint: 15 * time.Minute}
	p.Waves[1].OnFailure, p.Waves[4].OnFailure = recovery.StopOnFailure, recovery.ContinueOnFailure
	p.Waves[3].Timeout = 90 * time.Minute
	p.Waves[2].Servers[0].Impact = recovery.Optional
	p.Waves[4].Servers, p.Waves[4].Tags = nil, map[string]string{"Tier": "batch"}
	return p
}

func TestPlansAreDrawn(t *testing.T) {
	for _, c := range []struct {
		name  string
		plan  *recovery.Plan
		width int
		ascii bool
	}{
		{"line", drawn("1 Databases", "2 Applications: 1", "3 Web: 2"), 80, false},
		{"diamond", drawn("1 Databases", "2 Applications: 1", "3 Search: 1", "4 Web: 2 3"), 80, false},
		{"diamond-ascii", drawn("1 Databases", "2 Applications: 1", "3 Súche!: 1", "4 Web: 2 3"), 80, true},
		{"shop", shop(), 100, false},
		{"shop-narrow", shop(), 44, false},
		{"shop-list", shop(), 12, false},
		{"thirty", thirty(), 120, false},
		{"wide", fanOut(), 100, false},
		{"long-lines", drawn("1 A", "2 B: 1", "3 C: 1", "4 D: 2", "5 E: 3 4", "6 F: 1", "7 G: 5 6", "8 H: 2"), 100, false},
		{"everyone", drawn("1 A", "2 B", "3 C", "4 D: 1 2", "5 E: 2 3", "6 F: 1 3", "7 G: 1 2 3"), 100, false},
		{"alone", drawn("1 "), 80, false},
		{"names", drawn("1 データベース層の復旧とその他のもの", "2 A very long name of a wave that nobody can read: 1", "3 Éte\u0301: 1"), 60, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := planDrawing{plan: c.plan, width: c.width, ascii: c.ascii}
			got := d.String()
			for range 5 {
				if again := d.String(); again != got {
					t.Fatalf("drawn again, it is\n%s\nand not\n%s", again, got)
				}
			}
			golden := filepath.Join("testdata", "plans", c.name+".txt")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Whoever follows the lines of a picture with a finger, down and sideways and
// over the lines that they cross, comes to exactly the waves that wait.
func TestTheLinesOfAPictureLeadToTheWavesThatWait(t *testing.T) {
	followed, listed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "waves")
		p := &recovery.Plan{ID: "rp-1"}
		for i := range n {
			w := recovery.PlannedWave{Wave: recovery.Wave{Number: i + 1, Servers: make([]recovery.Server, 1)}, Independent: true}
			for before := range i {
				if rapid.IntRange(0, 3).Draw(t, "depends") == 0 {
					w.DependsOn = append(w.DependsOn, before+1)
				}
			}
			p.Waves = append(p.Waves, w)
		}
		d := planDrawing{plan: p, width: rapid.SampledFrom([]int{40, 60, 80, 200}).Draw(t, "width")}
		drawing := d.graph()
		for i, line := range strings.Split(drawing, "\n") {
			if textWidth(line) > d.width && strings.Contains(drawing, "┌") {
				t.Fatalf("line %d is wider than %d:\n%s", i, d.width, drawing)
			}
		}
		if !strings.Contains(drawing, "┌") {
			listed++
			return
		}
		followed++
		if diff := cmp.Diff(p.RightBefore(), follow(drawing)); diff != "" {
			t.Fatalf("-want +got:\n%s\n%s", diff, drawing)
		}
	})
	t.Logf("%d pictures, %d lists", followed, listed)
	if followed < listed {
		t.Errorf("only %d of %d plans were drawn", followed, followed+listed)
	}
}

// follow reads a drawing: which waves lie right before which.
func follow(drawing string) map[int][]int {
	var cells [][]rune
	for _, line := range strings.Split(drawing, "\n") {
		cells = append(cells, []rune(line))
	}
	at := func(x, y int) rune {
		if y >= len(cells) || x < 0 || x >= len(cells[y]) {
			return ' '
		}
		return cells[y][x]
	}
	exits := map[rune]direction{}
	for d, glyph := range glyphs {
		exits[[]rune(glyph)[0]] |= d
	}
	exits['│'], exits['─'] = toNorth|toSouth, toEast|toWest
	// waveAt reads the number of the box whose frame a place is in: the label
	// stands to the left, in the frame above.
	waveAt := func(x, y int) int {
		for at(x, y) != '┌' && at(x, y) != '└' {
			x--
		}
		for at(x, y) != '┌' {
			y--
		}
		number := 0
		fmt.Sscan(string(cells[y][x+2:x+8]), &number)
		return number
	}
	found := map[int][]int{}
	type step struct {
		x, y int
		from direction // where it comes from
	}
	for y := range cells {
		for x, r := range cells[y] {
			if r == '┌' {
				if n := waveAt(x, y); found[n] == nil {
					found[n] = []int{}
				}
			}
			if r != '┬' || !inBottom(cells[y], x) {
				continue
			}
			source := waveAt(x, y)
			seen := map[step]bool{}
			for queue := []step{{x, y + 1, toNorth}}; len(queue) > 0; queue = queue[1:] {
				s := queue[0]
				if seen[s] {
					continue
				}
				seen[s] = true
				r := at(s.x, s.y)
				if r == '▼' || r == '⏸' {
					target := waveAt(s.x, s.y)
					found[target] = append(found[target], source)
					continue
				}
				out := exits[r]
				if r == '│' && s.from&(toEast|toWest) != 0 {
					out = toEast | toWest // over a line that it crosses
				}
				if out&toSouth != 0 {
					queue = append(queue, step{s.x, s.y + 1, toNorth})
				}
				if out&toEast != 0 && s.from != toEast {
					queue = append(queue, step{s.x + 1, s.y, toWest})
				}
				if out&toWest != 0 && s.from != toWest {
					queue = append(queue, step{s.x - 1, s.y, toEast})
				}
			}
		}
	}
	for n := range found {
		slices.Sort(found[n])
		found[n] = slices.Compact(found[n])
	}
	return found
}

// inBottom says whether a place in a line is in the lower frame of a box.
func inBottom(line []rune, x int) bool {
	for ; x >= 0; x-- {
		switch line[x] {
		case '└':
			return true
		case '─', '┬':
		default:
			return false
		}
	}
	return false
}
