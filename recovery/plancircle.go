package recovery

import "slices"

// circles finds waves that wait for one another: of every such group the
// shortest circle through its lowest wave, which stands first, each wave
// before the one that waits for it. The lowest wave of a circle names the one
// it waits for, because only lower waves are followed without being named.
func (g *waveGraph) circles() [][]int {
	group := g.groups()
	done := map[int]bool{}
	var all [][]int
	for _, i := range g.sorted() {
		if done[group[i]] {
			continue
		}
		if circle := g.circle(i, group); circle != nil {
			done[group[i]] = true
			all = append(all, circle)
		}
	}
	return all
}

// circle looks for the shortest way from a wave, over what each waits for,
// back to it.
func (g *waveGraph) circle(start int, group []int) []int {
	from := map[int]int{start: start} // wave → the one that waits for it
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		for _, on := range g.on[queue[0]] {
			if on == start {
				// From the last wave found, back to the start: those that wait.
				circle := []int{start}
				for i := queue[0]; i != start; i = from[i] {
					circle = append(circle, i)
				}
				return circle
			}
			if _, seen := from[on]; !seen && group[on] == group[start] {
				from[on] = queue[0]
				queue = append(queue, on)
			}
		}
	}
	return nil
}

// groups gives every wave the number of its strongly connected component
// (Tarjan): waves that wait for one another share one.
func (g *waveGraph) groups() []int {
	const none = -1
	count := len(g.on)
	group, seen, low := make([]int, count), make([]int, count), make([]int, count)
	for i := range count {
		group[i], seen[i] = none, none
	}
	var stack []int
	clock, found := 0, 0
	var visit func(i int)
	visit = func(i int) {
		seen[i], low[i] = clock, clock
		clock++
		stack = append(stack, i)
		for _, on := range g.on[i] {
			if seen[on] == none {
				visit(on)
				low[i] = min(low[i], low[on])
			} else if group[on] == none {
				low[i] = min(low[i], seen[on])
			}
		}
		if low[i] != seen[i] {
			return
		}
		at := slices.Index(stack, i)
		for _, member := range stack[at:] {
			group[member] = found
		}
		stack = stack[:at]
		found++
	}
	for _, i := range g.sorted() {
		if seen[i] == none {
			visit(i)
		}
	}
	return group
}
