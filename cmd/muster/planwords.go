package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"muster/recovery"
)

// head says what the plan is.
func (d *planDrawing) head() string {
	p := d.plan
	title := string(p.ID)
	if p.Name != "" {
		title = d.style.strong(harmless(p.Name)) + "  " + title
	}
	lines := title + "\n" + d.size() + "\n"
	var promises []string
	if t := p.Objectives.RecoveryTime; t > 0 {
		promises = append(promises, "recovered within "+spell(t))
	}
	if t := p.Objectives.RecoveryPoint; t > 0 {
		promises = append(promises, "at most "+spell(t)+" of data lost")
	}
	if promises != nil {
		lines += "to be " + strings.Join(promises, ", ") + "\n"
	}
	if p.Owner != "" {
		lines += "owner " + harmless(p.Owner) + "\n"
	}
	return lines
}

// size counts what the plan recovers.
func (d *planDrawing) size() string {
	servers, byTags := 0, 0
	for i := range d.plan.Waves {
		servers += len(d.plan.Waves[i].Servers)
		if len(d.plan.Waves[i].Servers) == 0 {
			byTags++
		}
	}
	count := recovery.Count(servers, "server")
	if byTags > 0 {
		count += " and those that tags find in " + recovery.Count(byTags, "wave")
	}
	return recovery.Count(len(d.plan.Waves), "wave") + " · " + count + " · in " + d.places()
}

// places says where the plan's waves are recovered.
func (d *planDrawing) places() string {
	all := d.accounts()
	if len(all) == 1 {
		return all[0]
	}
	ids := map[string]bool{}
	for i := range d.plan.Waves {
		ids[d.plan.Waves[i].Account.AccountID] = true
	}
	if len(ids) > 1 {
		return recovery.Count(len(ids), "account")
	}
	return recovery.Count(len(all), "region") + " of account " + d.plan.Waves[0].Account.AccountID
}

// legend explains the signs that the picture has, and what it does not say
// because it is so everywhere.
func (d *planDrawing) legend() string {
	gates, arrows := false, false
	before := d.plan.RightBefore()
	for i := range d.plan.Waves {
		w := &d.plan.Waves[i]
		gates = gates || w.PauseBefore
		arrows = arrows || !w.PauseBefore && len(before[w.Number]) > 0
	}
	var lines []string
	if arrows && !d.listed {
		lines = append(lines, "▼ starts when all that leads to it is over")
	}
	if gates {
		lines = append(lines, "⏸ starts when all that leads to it is over, and a person has decided")
	}
	where := "a box"
	if d.listed {
		where = "the list"
	}
	lines = append(lines, fmt.Sprintf("Where %s does not say otherwise, a wave has %s, and a failure pauses what follows it.", where, spell(recovery.DefaultWaveTimeout)))
	return d.style.faint(strings.Join(lines, "\n")) + "\n"
}

// list tells a plan that is too wide to be drawn.
func (d *planDrawing) list() string {
	var out strings.Builder
	before := d.plan.RightBefore()
	digits := 1
	for i := range d.plan.Waves {
		digits = max(digits, len(strconv.Itoa(d.plan.Waves[i].Number)))
	}
	for i, layer := range d.plan.Layers() {
		if i > 0 {
			out.WriteString("\n")
		}
		for _, number := range layer {
			w := d.plan.Wave(number)
			sign := " "
			if w.PauseBefore {
				sign = "⏸"
			}
			lines := d.box(w, mostBox)
			fmt.Fprintf(&out, "%s %*d  %s\n", sign, digits, number, d.style.strong(lines[0]))
			rest := strings.Join(lines[1:], ", ")
			if on := before[number]; len(on) > 0 {
				rest += "; after " + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(on)), ", "), "[]")
			}
			fmt.Fprintf(&out, "%*s%s\n", digits+4, "", rest)
		}
	}
	return out.String()
}

// spell gives a time in hours and minutes.
func spell(t time.Duration) string {
	hours, minutes := int(t.Hours()), int(t.Minutes())%60
	switch {
	case hours == 0:
		return fmt.Sprintf("%d min", minutes)
	case minutes == 0:
		return fmt.Sprintf("%d h", hours)
	}
	return fmt.Sprintf("%d h %d min", hours, minutes)
}
