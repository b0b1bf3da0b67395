package recovery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// PlanProblem is one thing that is wrong with a plan. Where it is about one
// server or one dependency of the wave, that has its index; -1: it is not.
type PlanProblem struct {
	Wave       int // index in Plan.Waves; -1: it is about the plan as a whole
	Dependency int // index in the wave's DependsOn
	Server     int // index in the wave's Servers
	Text       string
}

// Check names everything that is wrong with the order of the waves: numbers
// that stand twice, dependencies on waves that do not exist or on the wave
// itself, and waves that wait for one another, one circle for each such group
// of waves. Nil means that every wave can be reached.
func (p *Plan) Check() []PlanProblem {
	if len(p.Waves) > MostWaves {
		return []PlanProblem{{-1, -1, -1, fmt.Sprintf("has %d waves, and a plan may have %d", len(p.Waves), MostWaves)}}
	}
	var problems []PlanProblem
	complain := func(wave, dependency int, format string, args ...any) {
		problems = append(problems, PlanProblem{wave, dependency, -1, fmt.Sprintf(format, args...)})
	}
	g := p.graph()
	numbers := sync.OnceValue(func() string { return g.numbers(10) })
	for i := range p.Waves {
		w := &p.Waves[i]
		if first := g.index[w.Number]; first != i {
			complain(i, -1, "wave %d is there already", w.Number)
		}
		for d, n := range w.DependsOn {
			if n == w.Number {
				complain(i, d, "wave %d depends on itself", n)
			} else if _, exists := g.index[n]; !exists {
				complain(i, d, "there is no wave %d; there are %s", n, numbers())
			}
		}
	}
	for _, circle := range g.circles() {
		first := &p.Waves[circle[0]]
		before := p.Waves[circle[len(circle)-1]].Number
		complain(circle[0], slices.Index(first.DependsOn, before), "%s", p.circleText(circle))
	}
	return problems
}

// circleText tells a circle: each wave before the one that waits for it.
func (p *Plan) circleText(circle []int) string {
	var words, implied []string
	for i, at := range circle {
		w := &p.Waves[at]
		words = append(words, strconv.Itoa(w.Number))
		if i > 0 && len(w.DependsOn) == 0 {
			implied = append(implied, strconv.Itoa(w.Number))
		}
	}
	text := fmt.Sprintf("waves wait for one another in a circle, so that none of them could start: %s → %s", strings.Join(words, " → "), words[0])
	switch len(implied) {
	case 0:
	case 1:
		text += fmt.Sprintf(" (wave %s names no dependsOnWaves, so it follows every lower wave)", implied[0])
	default:
		text += fmt.Sprintf(" (waves %s name no dependsOnWaves, so they follow every lower wave)", strings.Join(implied, ", "))
	}
	return text
}

// waveGraph is the order of a plan's waves by their indexes. Dependencies that
// do not exist are not in it, nor are those of a wave on itself; of two waves
// with one number, the first counts.
type waveGraph struct {
	plan  *Plan
	index map[int]int // number → index
	on    [][]int     // index → indexes of the waves it waits for, by number
}

func (p *Plan) graph() *waveGraph {
	g := &waveGraph{p, make(map[int]int, len(p.Waves)), make([][]int, len(p.Waves))}
	for i := range p.Waves {
		if _, twice := g.index[p.Waves[i].Number]; !twice {
			g.index[p.Waves[i].Number] = i
		}
	}
	for number, i := range g.index {
		for _, n := range p.Dependencies(number) {
			if on, exists := g.index[n]; exists && on != i {
				g.on[i] = append(g.on[i], on)
			}
		}
	}
	return g
}

// numbers names some of the waves, for a message.
func (g *waveGraph) numbers(most int) string {
	var words []string
	for _, i := range g.sorted() {
		if len(words) == most {
			words = append(words, fmt.Sprintf("and %d more", len(g.index)-most))
			break
		}
		words = append(words, strconv.Itoa(g.plan.Waves[i].Number))
	}
	return strings.Join(words, ", ")
}

// sorted gives the waves' indexes by number.
func (g *waveGraph) sorted() []int {
	all := make([]int, 0, len(g.index))
	for _, i := range g.index {
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b int) int { return g.plan.Waves[a].Number - g.plan.Waves[b].Number })
	return all
}

// Layers orders the waves for a picture: every wave stands in the first layer
// below all those it waits for; within a layer they are sorted. Waves that
// wait for one another are in none.
func (p *Plan) Layers() [][]int {
	g := p.graph()
	depth := make([]int, len(p.Waves))
	var layers [][]int
	for _, i := range g.topological() {
		for _, on := range g.on[i] {
			depth[i] = max(depth[i], depth[on]+1)
		}
		for len(layers) <= depth[i] {
			layers = append(layers, nil)
		}
		layers[depth[i]] = append(layers[depth[i]], p.Waves[i].Number)
	}
	for _, layer := range layers {
		slices.Sort(layer)
	}
	return layers
}

// topological gives the waves' indexes, each after those it waits for, less
// those that could never start.
func (g *waveGraph) topological() []int {
	left := make([]int, len(g.on))
	follow := make([][]int, len(g.on))
	var order []int
	for _, i := range g.sorted() {
		left[i] = len(g.on[i])
		for _, on := range g.on[i] {
			follow[on] = append(follow[on], i)
		}
		if left[i] == 0 {
			order = append(order, i)
		}
	}
	for next := 0; next < len(order); next++ {
		for _, i := range follow[order[next]] {
			if left[i]--; left[i] == 0 {
				order = append(order, i)
			}
		}
	}
	return order
}

// RightBefore gives, for every wave, those of its dependencies that no other
// of them waits for: what an arrow is drawn for, and what it really waits for.
// Waves that could never start have none.
func (p *Plan) RightBefore() map[int][]int {
	g := p.graph()
	order := g.topological()
	place := make([]int, len(g.on)) // in that order
	for at, i := range order {
		place[i] = at
	}
	words := (len(g.on) + 63) / 64
	behind := make([][]uint64, len(g.on)) // all that has to be over before a wave, as bits
	direct := make(map[int][]int, len(order))
	for _, i := range order {
		behind[i] = make([]uint64, words)
		on := slices.SortedFunc(slices.Values(g.on[i]), func(a, b int) int { return place[b] - place[a] })
		numbers := []int{}
		for _, d := range on {
			if behind[i][d/64]&(1<<(d%64)) == 0 {
				numbers = append(numbers, p.Waves[d].Number)
			}
			behind[i][d/64] |= 1 << (d % 64)
			for w, bits := range behind[d] {
				behind[i][w] |= bits
			}
		}
		slices.Sort(numbers)
		direct[p.Waves[i].Number] = numbers
	}
	return direct
}
