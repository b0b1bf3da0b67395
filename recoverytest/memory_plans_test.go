package recoverytest_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"muster/recovery"
)

// header gives an execution without its attempts.
func (h *handle) header(id recovery.ExecutionID) recovery.Execution {
	e := h.executions[h.key(id)]
	e.ID = id
	if d, is := h.drives[h.key(id)]; is && h.broken != "forgets who drives" {
		e.Driver = &d
	}
	if err := e.ReadOpened(h.opened[h.key(id)]); err != nil {
		panic(err)
	}
	return e
}

func (h *handle) writeHeader(id recovery.ExecutionID, e recovery.Execution) {
	h.executions[id] = recovery.Execution{Plan: e.Plan, Type: e.Type, StartTime: e.StartTime, InitiatedBy: e.InitiatedBy, Version: e.Version, LastEvent: e.LastEvent, World: e.World}
	_, known := h.opened[id]
	if !known || h.broken != "lists what was opened last first" {
		h.order = slices.DeleteFunc(h.order, func(other recovery.ExecutionID) bool { return other == id })
		h.order = append(h.order, id)
	}
	if h.broken == "forgets the world that an execution belongs to" || h.broken == "keeps the world of what was opened alone" && e.Waves == nil {
		kept := h.executions[id]
		kept.World = recovery.World{}
		h.executions[id] = kept
	}
	switch h.broken {
	case "forgets why somebody paused":
		if e.Pause != nil {
			e.Pause = &recovery.Request{By: e.Pause.By, At: e.Pause.At}
		}
	case "forgets what others run":
		e.Others = nil
	case "keeps times of executions to the second":
		if e.Ended != nil {
			e.Ended = &recovery.Ending{Outcome: e.Ended.Outcome, Reason: e.Ended.Reason, At: e.Ended.At.Truncate(time.Second)}
		}
	case "loses the task token":
		e.TaskToken = recovery.Secret{}
	case "keeps what a change takes away":
		if e.Version > 1 && e.Pause == nil {
			e.Pause = h.header(id).Pause
		}
	case "keeps what an execution was opened with as it was":
		if known {
			return
		}
	}
	body, err := e.Opened()
	if err != nil {
		panic(err)
	}
	h.opened[id] = body
}

// holder gives the execution that keeps another one from being opened, or "".
func (h *handle) holder(c recovery.Change) recovery.ExecutionID {
	e := c.Execution
	if e.Version != 0 || e.Waves == nil && h.broken != "holds for executions without waves" {
		return ""
	}
	by := h.held[h.plan(e.Plan)]
	switch h.broken {
	case "looks who holds a plan first and takes it later":
		h.mu.Unlock()
		time.Sleep(time.Millisecond)
		h.mu.Lock()
	case "lets executions of one plan run at once":
		return ""
	case "names the one that asks as the holder":
		if by != "" {
			by = e.ID
		}
	case "gives a plan to whoever names somebody":
		if c.TakeFrom != "" {
			return ""
		}
	case "gives no plan away":
		return by
	case "writes the execution whose plan is held":
		if by != "" && h.executions[e.ID].Version == 0 {
			h.executions[e.ID] = recovery.Execution{Version: 1}
		}
	case "freezes the plan of an execution whose plan is held":
		if by != "" {
			h.freeze(e.ID, c.Frozen)
		}
	}
	if by == c.TakeFrom {
		return ""
	}
	return by
}

// writePlan keeps the plan, takes hold of it and lets go of it.
func (h *handle) writePlan(id recovery.ExecutionID, c recovery.Change) {
	e := c.Execution
	if c.Frozen != nil {
		h.freeze(id, c.Frozen)
	} else if h.broken == "keeps a plan until the next change" {
		delete(h.plans, id)
	}
	plan := h.plan(e.Plan)
	if e.Version == 1 && (e.Waves != nil || h.broken == "holds for executions without waves") {
		h.held[plan] = id
	}
	over := e.Ended != nil
	switch h.broken {
	case "lets go of a plan when a cancel is asked for":
		over = over || e.Cancel != nil
	case "lets go of a plan with the second change":
		over = over || e.Version > 1
	case "never lets go of a plan":
		over = false
	}
	if over && (h.held[plan] == id || h.broken == "lets go of a plan for another") {
		delete(h.held, plan)
	}
}

func (h *handle) freeze(id recovery.ExecutionID, p *recovery.Plan) {
	kept := *p
	if h.broken == "keeps a thousand servers of a plan" {
		kept.Waves = kept.Waves[:min(len(kept.Waves), 10)]
	}
	body, err := kept.Freeze()
	if h.broken == "hides the external ids of a plan from itself" {
		body, err = json.Marshal(map[string]any{"plan": p, "externalIds": make([]string, len(p.Waves)+1)})
	}
	if err != nil {
		panic(err)
	}
	if h.broken == "takes empty settings for none" {
		body = []byte(strings.ReplaceAll(string(body), `"launchConfig":{}`, `"launchConfig":null`))
	}
	h.plans[id] = body
}

func (h *handle) Plan(ctx context.Context, id recovery.ExecutionID) (*recovery.Plan, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	body, known := h.plans[h.key(id)]
	if !known && h.broken == "makes an empty plan up" {
		return &recovery.Plan{}, nil
	}
	if !known {
		return nil, nil
	}
	return recovery.ThawPlan(body)
}

func (h *handle) Executions(ctx context.Context, most int) ([]recovery.Execution, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []recovery.Execution
	for _, id := range slices.Backward(h.order) {
		e := h.header(id)
		switch h.broken {
		case "lists executions with their attempts":
			e.Attempts = h.newest(id)
		case "lists executions without their waves":
			e.Waves = nil
		}
		all = append(all, e)
	}
	switch h.broken {
	case "lists what changed first first":
		slices.Reverse(all)
	case "lists by id":
		slices.SortFunc(all, func(a, b recovery.Execution) int { return strings.Compare(string(a.ID), string(b.ID)) })
	case "lists everything":
		return all, nil
	case "takes no limit for none":
		if most == 0 {
			return all, nil
		}
	}
	return all[:min(len(all), most)], nil
}

func (h *handle) plan(id recovery.PlanID) recovery.PlanID {
	if h.broken == "does not tell plans in capitals from small letters" {
		return recovery.PlanID(strings.ToLower(string(id)))
	}
	return id
}
