package event_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"muster/orchestrator"
	"muster/recovery"
)

// book is the little that these tests need of a record: one execution in
// memory, which follows the same rules as every other.
type book struct {
	exec  *recovery.Execution // nil: there is none
	plan  *recovery.Plan
	clock time.Time
	over  bool // jobs are over at the next look
	fates map[recovery.SourceServerID]string
	err   error // that every change meets

	begun     []orchestrator.Begin
	continued []orchestrator.Begin
	polled    []orchestrator.Poll
	why       []string // of interruptions
	tokens    []string
	refusals  []recovery.Refusal
}

func (b *book) now() time.Time { return b.clock }

func (b *book) Execution(_ context.Context, id recovery.ExecutionID) (*recovery.Execution, error) {
	if b.exec == nil || b.exec.ID != id {
		return &recovery.Execution{ID: id}, nil
	}
	e := *b.exec
	e.Waves, e.Attempts = slices.Clone(e.Waves), slices.Clone(e.Attempts)
	return &e, nil
}

// change is every change of the record.
func (b *book) change(do func(*recovery.Execution)) (*recovery.Execution, error) {
	if b.err != nil {
		return nil, b.err
	}
	if b.exec == nil {
		return nil, recovery.Errorf(recovery.ValidationError, "there is no execution")
	}
	do(b.exec)
	b.exec.Version++
	return b.Execution(context.Background(), b.exec.ID)
}

func (b *book) Begin(_ context.Context, begin orchestrator.Begin) (*recovery.Execution, error) {
	b.begun = append(b.begun, begin)
	digests, err := begin.Plan.Digests()
	if err != nil {
		return nil, err
	}
	if b.exec == nil && b.err == nil {
		plan := *begin.Plan
		plan.Waves = slices.Clone(plan.Waves)
		for i := range plan.Waves {
			if w := &plan.Waves[i]; w.Servers == nil {
				w.Servers = []recovery.Server{{ID: "s-by-tag"}}
			}
		}
		b.plan = &plan
		b.exec = &recovery.Execution{ID: begin.Execution, Plan: plan.ID, Type: begin.Type, StartTime: begin.StartTime, InitiatedBy: begin.InitiatedBy,
			PollEvery: begin.PollEvery, Waves: plan.Records(), Digest: digests[0]}
	} else if b.exec != nil && !digests.Of(b.exec.Digest) {
		return nil, recovery.Errorf(recovery.ValidationError, "begun with another plan")
	}
	return b.change(b.goOn)
}

func (b *book) goOn(e *recovery.Execution) {
	e.GoOn(recovery.Request{By: "a driver", At: b.now()})
	e.TaskToken = recovery.Secret{}
}

func (b *book) Continue(_ context.Context, begin orchestrator.Begin) (*recovery.Execution, error) {
	b.continued = append(b.continued, begin)
	return b.change(b.goOn)
}

func (b *book) RecordRefusal(_ context.Context, _ recovery.ExecutionID, wave int, r recovery.Refusal) (*recovery.Execution, error) {
	b.refusals = append(b.refusals, r)
	return b.change(func(e *recovery.Execution) {
		a := recovery.Attempt{Wave: wave, Attempt: 1}.Refuse(&recovery.Error{Code: r.Code, Message: r.Message, Retryable: r.Retryable})
		if r.Retryable {
			a = a.Postpone(b.now())
		}
		b.put(a)
	})
}

func (b *book) put(a recovery.Attempt) {
	b.exec.Attempts = append(slices.DeleteFunc(b.exec.Attempts, func(old recovery.Attempt) bool { return old.Wave == a.Wave }), a)
}

func (b *book) Poll(ctx context.Context, p orchestrator.Poll) (*recovery.Execution, error) {
	b.polled = append(b.polled, p)
	failure := b.err
	b.err = nil
	e, err := b.change(func(e *recovery.Execution) {
		for _, a := range slices.Clone(e.Attempts) {
			if p.Wave != nil && a.Wave != *p.Wave {
				continue
			}
			job := recovery.Job{ID: a.JobID, Status: "STARTED"}
			if b.over {
				job.Status = "COMPLETED"
			}
			for _, id := range a.Servers {
				if fate := b.fates[id]; fate != "" {
					job.Participants = append(job.Participants, recovery.Participant{Server: id, Status: fate, Instance: recovery.InstanceID("i-" + id)})
				}
			}
			b.put(a.Seen(recovery.Sighting{Job: &job}, func(id recovery.SourceServerID) bool {
				if b.plan == nil {
					return false
				}
				for _, s := range b.plan.Wave(a.Wave).Servers {
					if s.ID == id {
						return s.IsOptional()
					}
				}
				return false
			}, b.now()))
		}
	})
	return e, errors.Join(err, failure)
}

func (b *book) Interrupt(_ context.Context, _ recovery.ExecutionID, why string) (*recovery.Execution, error) {
	b.why = append(b.why, why)
	return b.change(func(e *recovery.Execution) {
		e.Interrupt(recovery.Request{By: "the state machine", At: b.now(), Reason: why})
	})
}

func (b *book) Await(_ context.Context, _ recovery.ExecutionID, token recovery.Secret, _ int) (*recovery.Execution, error) {
	b.tokens = append(b.tokens, token.Reveal())
	return b.change(func(e *recovery.Execution) { e.TaskToken = token })
}

func (b *book) Finish(context.Context, recovery.ExecutionID) (*recovery.Execution, error) {
	return b.change(func(e *recovery.Execution) {
		if step := recovery.Next(e, b.now()); e.Ended == nil && step.Action == recovery.DoFinish {
			e.Ended = &recovery.Ending{Outcome: step.Outcome, Reason: step.Reason, At: b.now()}
		}
	})
}

// start is what an orchestrator's start does to the record of an opened
// execution.
func (b *book) start(w recovery.WaveStart, job recovery.JobID) (*orchestrator.Started, error) {
	if err := b.exec.Admit(w.Wave.Number, b.now()); err != nil {
		return nil, err
	}
	if d := b.exec.Differences(&w); len(d) > 0 {
		return nil, recovery.Errorf(recovery.ValidationError, "%s", d)
	}
	planned := b.plan.Wave(w.Wave.Number)
	a := recovery.Attempt{Wave: planned.Number, Attempt: 1, AccountID: planned.Account.AccountID, Region: planned.Account.Region, Servers: planned.ServerIDs()}
	if before := b.exec.Attempt(planned.Number); before != nil {
		a.Attempt = before.Attempt
		if before.State == recovery.Started {
			return &orchestrator.Started{JobID: before.JobID, Attempt: a.Attempt, Accepted: before.Accepted, Execution: b.exec}, nil
		}
	}
	a = a.Start(&recovery.Job{ID: job, Servers: a.Servers}, b.now())
	b.put(a)
	return &orchestrator.Started{JobID: job, Attempt: a.Attempt, Accepted: a.Accepted, Execution: b.exec}, nil
}
