package orchestrator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/recovery"
)

// Wait implements stepfunctions.Callbacks: people who take their time, and
// then answer what the record asks, until it asks nothing more.
func (st *stage) Wait(ctx context.Context, token string) ([]byte, error) {
	st.mu.Lock()
	completed := st.task(token)
	st.mu.Unlock()
	for round := 1; ; round++ {
		st.mu.Lock()
		st.desks++
		name := fmt.Sprintf("desk %d", st.desks)
		st.mu.Unlock()
		thinking := time.Second + time.Duration(st.draw(name, "thinks")%uint64(10*time.Minute))
		if st.draw(name, "sleeps over it")%40 == 0 {
			thinking += 30 * time.Hour
		}
		timer := time.NewTimer(thinking)
		select {
		case <-completed:
			timer.Stop()
			return []byte("{}"), nil
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		case <-timer.C:
		}
		e, err := st.store.Execution(ctx, "exec-1")
		if err != nil {
			return nil, err
		}
		step := recovery.Next(e, time.Now())
		if step.Action != recovery.DoAwaitDecision {
			return []byte("{}"), nil
		}
		if round > 50 {
			st.problem("whatever people decide, they are asked again: %+v", step.Decisions)
			return []byte("{}"), nil
		}
		q := step.Decisions[int(st.draw(name, "which")%uint64(len(step.Decisions)))]
		st.met("asked " + string(q.Reason))
		choice := st.choose(name, e, q)
		m := mishap{question: q.ID, choice: choice, wave: q.Wave, twice: []twice{once, once, once, once, afterwards, atOnce, differently, late, late, late}[st.draw(name, "twice")%10]}
		if choice == recovery.CancelAll {
			m.twice = once
		}
		if choice == recovery.Approve && st.draw(name, "uses the old words")%4 == 0 {
			m.question, m.choice = "", recovery.Resume
		}
		if choice == recovery.Resume && st.draw(name, "means a wave")%2 == 0 {
			m.choice = recovery.Skip // which nobody asks
		}
		if choice == recovery.Retry && st.draw(name, "leaves out")%4 == 0 {
			m.server = 1 + int(st.draw(name, "whom")%uint64(st.s.planned()))
		}
		if len(q.InDoubt) > 0 && e.Attempt(*q.Wave).Attempt < 3 && st.draw(name, "knows")%2 == 0 {
			choice, m.choice, m.question = recovery.Retry, recovery.Retry, q.ID
		}
		if choice == recovery.Retry && q.Wave != nil && st.draw(name, "answers for them")%3 != 0 {
			m.gone = slices.DeleteFunc(slices.Clone(q.InDoubt), st.lives) // whoever says so has looked
			m.wave, m.server = q.Wave, 0
			if len(m.gone) > 0 {
				st.met("answered for servers in doubt")
			}
		}
		st.says(name, m)
	}
}

// choose answers a question. Nobody retries for ever.
func (st *stage) choose(name string, e *recovery.Execution, q recovery.Question) recovery.Choice {
	if tired := func(a recovery.Attempt) bool { return q.IsAbout(a.Wave) && a.Attempt >= 3 }; slices.ContainsFunc(e.Attempts, tired) {
		q.Choices = slices.DeleteFunc(slices.Clone(q.Choices), func(c recovery.Choice) bool { return c == recovery.Retry })
	}
	if st.draw(name, "patience")%10 != 0 {
		q.Choices = slices.DeleteFunc(slices.Clone(q.Choices), func(c recovery.Choice) bool { return c == recovery.CancelAll })
	}
	return q.Choices[int(st.draw(name, "what")%uint64(len(q.Choices)))]
}

// says has somebody say something, and perhaps say it twice, or somebody else
// something else at the same moment. Everything said has a name of its own,
// under which the record must have it once at most.
func (st *stage) says(name string, m mishap) {
	var all sync.WaitGroup
	say := func(name string, m mishap) {
		all.Add(1)
		st.living.Add(1)
		st.goes(func() {
			defer st.living.Done()
			defer all.Done()
			st.say(name, m)
		})
	}
	if m.kind == decided && m.question == "" {
		m.question = st.sees(m)
	}
	say(name, m)
	switch m.twice {
	case afterwards:
		all.Wait()
		say(name+" once more", m)
	case atOnce:
		say(name+" at once", m)
	case late:
		st.at(time.Second+time.Duration(st.draw(name, "comes late")%uint64(2*time.Hour)), func() { st.say(name+" late", m) })
	case differently:
		say(name+" differently", mishap{kind: decided, choice: recovery.CancelAll})
	}
	all.Wait()
}

// sees is what somebody saw who says something unasked: what the record holds
// about the wave, or the execution, at this moment. Who resumes a wave uses the
// old words, and who cancels needs none.
func (st *stage) sees(m mishap) recovery.QuestionID {
	if m.choice == recovery.CancelAll || m.choice == recovery.Resume && m.wave != nil {
		return ""
	}
	e, err := st.store.Execution(st.ctx, "exec-1")
	if err != nil || e.Version == 0 {
		return "gate-w1"
	}
	all := e.Answerable(time.Now())
	i := slices.IndexFunc(all, func(q recovery.Question) bool {
		return m.wave == nil && slices.Contains(q.Choices, m.choice) || m.wave != nil && q.IsAbout(*m.wave)
	})
	switch {
	case i >= 0:
		return all[i].ID
	case m.wave != nil:
		return recovery.GateID(*m.wave)
	}
	return "pause-1"
}

// say is one operation: it reads, decides and writes, and may be killed at it.
func (st *stage) say(name string, m mishap) {
	st.mu.Lock()
	st.words["<"+name+">"] = m
	st.mu.Unlock()
	_, err := st.operate(name, st.operation(name, m))
	st.heard(name, m, err)
}

// operation is how something is said.
func (st *stage) operation(name string, m mishap) map[string]any {
	op := map[string]any{"executionId": "exec-1", "by": "<" + name + ">", "reason": "so says " + name}
	switch {
	case m.kind == pauseAsked:
		op["operation"] = "pause"
		return op
	case m.choice == recovery.CancelAll && m.question == "" && st.draw(name, "cancels")%2 == 0:
		op["operation"] = "cancel_execution"
		return op
	case m.choice == recovery.Resume && m.question.OfExecution() && st.draw(name, "resumes")%2 == 0:
		op["operation"], op["questions"], op["confirm"] = "resume", []recovery.QuestionID{m.question}, st.s.plan.ID
		return op
	}
	op["operation"], op["choice"], op["confirm"] = "decide", m.choice, st.s.plan.ID
	if m.question != "" {
		op["question"] = m.question
	}
	if m.wave != nil {
		op["waveNumber"] = *m.wave
	}
	if m.gone != nil {
		op["treatAsGone"] = m.gone
	}
	if m.server > 0 {
		op["excludeServers"] = []recovery.SourceServerID{serverID(m.server)}
	}
	return op
}

// operate asks for an operation in a process of its own. A refusal is an error.
func (st *stage) operate(name string, op map[string]any) ([]byte, error) {
	payload, err := json.Marshal(op)
	if err != nil {
		return nil, err
	}
	a := st.actor(name)
	type result struct {
		answer []byte
		err    error
	}
	over := make(chan result, 1)
	st.goes(func() {
		answer, err := st.handler(a).Invoke(st.ctx, payload)
		over <- result{answer, err}
	})
	select {
	case r := <-over:
		st.trace("%s: %s: %s %v", name, payload, r.answer, r.err)
		if r.err != nil {
			return nil, r.err
		}
		st.noSecret(name+"'s answer", string(r.answer), payload)
		var refused struct {
			Error     recovery.Code
			Message   string
			Retryable bool
		}
		if err := json.Unmarshal(r.answer, &refused); err != nil || refused.Error != "" {
			return nil, errors.Join(err, &recovery.Error{Code: refused.Error, Message: refused.Message, Retryable: refused.Retryable})
		}
		return r.answer, nil
	case <-a.dead:
		return nil, errDead
	}
}

func (st *stage) heard(name string, m mishap, err error) {
	st.trace("%s: %s: %v", name, m.choice, err)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.said[name] = err
	what := string(m.choice)
	if m.kind == pauseAsked {
		what = "pause"
	}
	var refused *recovery.Error
	switch {
	case err == nil:
		st.seen["said "+what+", taken"]++
	case errors.As(err, &refused):
		st.seen["said "+what+", refused"]++
	default:
		st.seen["said "+what+", unclear"]++
	}
}

// begins is how an execution of the plan is begun by an operation.
func (st *stage) begins(id recovery.ExecutionID, kind recovery.ExecutionType, by string) map[string]any {
	op := map[string]any{"operation": "start_execution", "executionId": id, "executionType": kind, "by": by, "plan": st.s.plan.Document(), "confirm": st.s.plan.ID}
	if st.s.poll > 0 {
		op["pollSeconds"] = int(st.s.poll.Seconds())
	}
	return op
}

// intrude begins another execution of the plan.
func (st *stage) intrude(name string, kind recovery.ExecutionType) {
	_, err := st.operate(name, st.begins("exec-2", kind, "<"+name+">"))
	var refused *recovery.Error
	if err != nil {
		if !errors.As(err, &refused) || refused.Code != recovery.PlanInProgress {
			st.problem("another execution was not begun because of %v, want %s", err, recovery.PlanInProgress)
		}
		return
	}
	first, err := st.store.Execution(st.ctx, "exec-1")
	if err != nil {
		st.problem("reading the record: %v", err)
		return
	}
	if first.Version > 0 && first.Ended == nil && first.Cancel == nil {
		st.problem("the plan was held by exec-1, and exec-2 took it")
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.interloper = true
	st.seen["plan taken by another execution"]++
}

// othersStart lets another party start a job with a server, if AWS takes it.
func (st *stage) othersStart(server recovery.SourceServerID) bool {
	body := fmt.Sprintf(`{"sourceServers":[{"sourceServerID":"%s"}],"isDrill":true,"tags":{"Owner":"somebody"}}`, server)
	_, ok := st.ask(st.s.accountOf(server), "StartRecovery", body)
	return ok
}

// ask asks AWS something as the account's own root.
func (st *stage) ask(account, operation, body string) ([]byte, bool) {
	r, err := http.NewRequest("POST", "http://drs.us-west-2.amazonaws.com/"+operation, strings.NewReader(body))
	if err != nil {
		st.problem("%v", err)
		return nil, false
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261124/us-west-2/drs/aws4_request, SignedHeaders=host, Signature=0", account))
	answer, err := st.world.RoundTripper().RoundTrip(r)
	if err != nil || answer.StatusCode >= 300 {
		return nil, false
	}
	got, err := io.ReadAll(answer.Body)
	return got, err == nil
}

// realJob is a job as DRS shows it to somebody who looks when everything is over.
type realJob struct {
	JobID                string
	Status               string
	InitiatedBy          string
	Tags                 map[string]string
	ParticipatingServers []struct {
		SourceServerID, LaunchStatus, RecoveryInstanceID string
	}
}

// jobs are all the jobs that there are.
func (st *stage) jobs() map[recovery.JobID]realJob {
	all := map[recovery.JobID]realJob{}
	for _, account := range []string{target, secondAccount} {
		for next, more := "", true; more; {
			body, ok := st.ask(account, "DescribeJobs", fmt.Sprintf(`{"filters":{},"maxResults":100%s}`, next))
			var page struct {
				Items     []realJob
				NextToken string
			}
			if err := json.Unmarshal(body, &page); err != nil || !ok {
				st.problem("DRS does not show its jobs: %s, %v", body, err)
				return all
			}
			for _, j := range page.Items {
				all[recovery.JobID(j.JobID)] = j
			}
			next, more = fmt.Sprintf(`,"nextToken":%q`, page.NextToken), page.NextToken != ""
		}
	}
	return all
}
