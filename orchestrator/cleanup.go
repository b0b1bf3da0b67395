package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"muster/recovery"
)

// mostInstances is how many one termination job is given. The API takes 200
// ids, but a job may have no more than 100 servers, and whether terminations
// count is not documented.
const mostInstances = recovery.MostServers

// mostAtOnce is how many termination jobs one look begins in an account.
const mostAtOnce = 5

// mostExecutions is how many executions are looked through for one that is
// under way with the same servers.
const mostExecutions = 1000

// Cleanup asks for the recovery instances of an execution to be terminated.
type Cleanup struct {
	Execution recovery.ExecutionID
	Recovery  bool   // those of a real recovery, too: somebody confirmed that
	By        string // who asks
	RequestID string // of the request that asked for it; "" where it did not come through AWS
}

// Cleaned is what a clean-up did.
type Cleaned struct {
	Terminated []recovery.InstanceID // by this call
	Gone       int                   // launched by the execution, and not there any more before
	Left       int                   // still there
	Jobs       []recovery.JobID
}

// Cleanup terminates the recovery instances that the execution's own jobs
// launched, and no other. It looks once at each account, begins a few
// terminations, and does not wait: whoever wants them gone asks again, after
// anything, until nothing is left. An account that refuses keeps none of the
// others from it; it is told when they are done.
func (o *Orchestrator) Cleanup(ctx context.Context, c Cleanup) (*Cleaned, error) {
	e, err := o.Executions.Execution(ctx, c.Execution)
	if err != nil {
		return nil, fmt.Errorf("reading the record of execution %s: %w", c.Execution, err)
	}
	if err := o.mayClean(ctx, e, c); err != nil {
		return nil, err
	}
	if e, err = o.bound(ctx, e, nil); err != nil {
		return nil, err
	}
	plan, err := o.plan(ctx, c.Execution)
	if err != nil {
		return nil, err
	}
	done := &Cleaned{Gone: len(e.Launched())}
	var refused []error
	launched, inOrder, err := launchedByAccount(e, plan)
	if err != nil {
		return nil, err
	}
	for _, account := range inOrder {
		w := cleaning{o: o, e: e, Cleanup: c, servers: launched[account], done: done}
		if w.region, err = o.assume(ctx, account); err == nil {
			err = drsRefusal(fmt.Sprintf("Failed to clean up in account %s, %s", account.AccountID, account.Region), w.look(ctx))
		}
		if _, is := errors.AsType[*recovery.Error](err); !is && err != nil {
			return done, err
		}
		if err != nil {
			refused = append(refused, err)
			done.Gone -= len(w.servers)
		}
	}
	done.Gone -= max(done.Left, len(done.Terminated))
	why, err := recovery.Together(errors.Join(refused...))
	if why == nil || done.Left > 0 { // whoever asks again is told in the end
		return done, err
	}
	return done, why
}

func (o *Orchestrator) mayClean(ctx context.Context, e *recovery.Execution, c Cleanup) error {
	if err := o.opened(e); err != nil {
		return err
	}
	if e.Ended == nil {
		return recovery.Errorf(recovery.ValidationError, "execution %s is under way; clean up after its end", e.ID)
	}
	if e.Type != recovery.Drill && !c.Recovery {
		return recovery.Errorf(recovery.ValidationError, "execution %s is a %s: its instances may be somebody's production, and are terminated only when that is confirmed", e.ID, e.Type)
	}
	others, err := o.Executions.Executions(ctx, mostExecutions)
	if err != nil {
		return fmt.Errorf("looking for executions under way: %w", err)
	}
	for _, other := range others {
		if other.Ended != nil || other.ID == e.ID || other.World.Apart(e.World.AWS) {
			continue
		}
		whole, err := o.Executions.Execution(ctx, other.ID)
		if errors.Is(err, recovery.ErrDamaged) { // nothing is driven by it, and DRS knows which servers a job holds
			o.tell(e.ID, recovery.Event{Kind: recovery.EventNote, Message: fmt.Sprintf("whether execution %s is under way with the same servers cannot be read: %v", other.ID, err)})
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the record of execution %s: %w", other.ID, err)
		}
		for _, l := range e.Launched() {
			if whole.Holds(l.Server) {
				return &recovery.Error{Code: recovery.ValidationError, Retryable: true,
					Message: fmt.Sprintf("server %s is in execution %s, which is under way; clean up after its end", l.Server, other.ID)}
			}
		}
	}
	return nil
}

// launchedByAccount gives the servers that were launched, and their accounts in
// the order of the waves.
func launchedByAccount(e *recovery.Execution, plan *recovery.Plan) (servers map[recovery.AccountContext][]recovery.SourceServerID, inOrder []recovery.AccountContext, err error) {
	servers = map[recovery.AccountContext][]recovery.SourceServerID{}
	for _, a := range e.Attempts {
		w := plan.Wave(a.Wave)
		if w == nil {
			return nil, nil, fmt.Errorf("%w: execution %s has an attempt at wave %d, and its plan has no such wave", recovery.ErrDamaged, e.ID, a.Wave)
		}
		for _, out := range a.Outcomes {
			if out.Launched() {
				account := w.Account
				if servers[account] == nil {
					inOrder = append(inOrder, account)
				}
				servers[account] = append(servers[account], out.Server)
			}
		}
	}
	return servers, inOrder, nil
}

// cleaning is the clean-up of one account and region.
type cleaning struct {
	Cleanup
	o       *Orchestrator
	e       *recovery.Execution
	region  recovery.Region
	servers []recovery.SourceServerID
	done    *Cleaned
}

// look terminates what is there of ours and not being terminated yet.
func (w *cleaning) look(ctx context.Context) error {
	exist, err := w.region.RecoveryInstances(ctx, w.servers)
	if err != nil {
		return err
	}
	ours := w.e.Removable(exist)
	if len(ours) == 0 {
		return nil
	}
	busy, err := w.busy(ctx)
	if err != nil {
		return err
	}
	idle := slices.DeleteFunc(slices.Clone(ours), func(i recovery.RecoveryInstance) bool { return busy[i.Server] || i.ShuttingDown() })
	idle = idle[:min(len(idle), mostAtOnce*mostInstances)]
	for batch := range slices.Chunk(idle, mostInstances) {
		if err := w.terminate(ctx, batch); err != nil {
			return err
		}
	}
	w.done.Left += len(ours)
	return nil
}

// busy tells the servers that a running job holds: one that terminates them
// already, or somebody's launch. One of them would have the whole batch refused.
func (w *cleaning) busy(ctx context.Context) (map[recovery.SourceServerID]bool, error) {
	jobs, err := w.region.Jobs(ctx, recovery.JobQuery{Since: w.o.now().Add(-6 * time.Hour)})
	busy := map[recovery.SourceServerID]bool{}
	for _, j := range jobs {
		for _, id := range j.Servers {
			busy[id] = busy[id] || !j.Over()
		}
	}
	return busy, err
}

// terminate records what is about to be terminated, and sends it. What DRS
// refuses for the moment, or does not answer, the next look takes up.
func (w *cleaning) terminate(ctx context.Context, batch []recovery.RecoveryInstance) error {
	ids := make([]recovery.InstanceID, len(batch))
	for i, instance := range batch {
		ids[i] = instance.ID
	}
	_, err := w.o.amend(ctx, w.e.ID, func(e *recovery.Execution) (*recovery.Change, error) {
		c := e.WithEvent(recovery.Event{At: w.o.now(), Kind: recovery.EventCleaned, RequestID: w.RequestID,
			Message: fmt.Sprintf("%s has %d recovery instances terminated: %v", recovery.Quote(w.By), len(ids), ids)})
		return &c, nil
	})
	if err != nil {
		return err
	}
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), recovery.SendTimeout)
	defer cancel()
	job, err := w.region.Terminate(call, ids)
	var refused *recovery.ServiceError
	if errors.As(err, &refused) && (refused.Retryable || refused.Ambiguous || refused.Conflict() || refused.Code == "ResourceNotFoundException") {
		w.o.tell(w.e.ID, recovery.Event{Kind: recovery.EventRetrying, Message: "TerminateRecoveryInstances: " + refused.Detail()})
		return nil
	}
	if err != nil {
		return err
	}
	w.done.Terminated = append(w.done.Terminated, ids...)
	w.done.Jobs = append(w.done.Jobs, job.ID)
	return nil
}
