package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"muster/cmd/wiring"
	"muster/driver"
	"muster/event"
	"muster/recovery"
)

// fastest bounds how much faster than in AWS a driver waits: what a simulated
// job does in less than a twentieth of a second nobody looks at.
const fastest = 300

// lookStep is how often the record is looked at for somebody's decision.
const lookStep = time.Second

// seat is the place of the one who drives an execution in this process.
type seat struct {
	id    recovery.ExecutionID
	store recovery.ExecutionStore
	who   string
	me    recovery.Driver
	table bool // the record is in one
}

// seats are those that are taken in this process, by the id of their driver: the
// record of one may not have heard that it was left.
var seats sync.Map

// take takes the seat, unless another process that is at work has it.
func (s *seat) take(ctx context.Context) error {
	for {
		e, err := s.store.Execution(ctx, s.id)
		if err != nil {
			return err
		}
		if e.Driver.Drives(time.Now()) && !processGone(*e.Driver) {
			return taken(e)
		}
		now := time.Now()
		s.me = recovery.Driver{ID: rand.Text(), Who: s.who, Where: here(), Since: now, Seen: now}
		seats.Store(s.me.ID, true)
		driven, err := s.store.Drive(ctx, s.id, e.Driver.Mark(), s.me)
		if driven && err == nil {
			return nil
		}
		seats.Delete(s.me.ID)
		if err != nil {
			return err
		}
	}
}

func taken(e *recovery.Execution) error {
	return recovery.Errorf(recovery.WrongState, "execution %s is driven already: %s", e.ID, e.Driver)
}

// beat says that this process is still at work.
func (s *seat) beat(ctx context.Context) error {
	s.me.Seen = time.Now()
	driven, err := s.store.Drive(ctx, s.id, s.me.ID, s.me)
	if driven || err != nil {
		return err
	}
	by := "another process"
	if e, err := s.store.Execution(ctx, s.id); err == nil && e.Driver != nil {
		by = e.Driver.String()
	}
	return &driver.Replaced{By: by}
}

// leave says that this process drives no more. Who does not hear it finds out
// two minutes later.
func (s *seat) leave() {
	defer seats.Delete(s.me.ID)
	ctx, cancel := context.WithTimeout(context.Background(), callerTime)
	defer cancel()
	s.me.Seen, s.me.Left = time.Now(), true
	_, _ = s.store.Drive(ctx, s.id, s.me.ID, s.me)
}

// here names this process.
func here() string {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return fmt.Sprintf("pid %d on %s", os.Getpid(), host)
}

// processGone says that a driver was a process of this machine that is not
// there any more: killed, say.
func processGone(d recovery.Driver) bool {
	var pid int
	var host string
	if n, _ := fmt.Sscanf(d.Where, "pid %d on %s", &pid, &host); n != 2 || d.Where != fmt.Sprintf("pid %d on %s", pid, host) {
		return false
	}
	if ours, err := os.Hostname(); err != nil || ours != host {
		return false
	}
	if pid == os.Getpid() {
		_, driving := seats.Load(d.ID)
		return !driving
	}
	// One that was killed is there, though dead, until its parent has heard of
	// it. Elsewhere than on Linux there is no such file, and nothing is known.
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if _, state, is := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(") ")); is && bytes.HasPrefix(state, []byte("Z")) {
		return true
	}
	process, err := os.FindProcess(pid)
	return err != nil || errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

// driveHere drives an execution in this process, whose seat was taken.
func driveHere(ctx context.Context, s *seat, handler event.Handler, observe wiring.Observer, pace float64, state []byte) error {
	defer s.leave()
	handler.Caller.Alias = event.Orchestrate
	pace = min(max(pace, 1), fastest)
	d := driver.Driver{Beat: s.beat, Every: recovery.DriverBeat, Pace: pace, Look: lookStep, Patient: s.table,
		Hindered: func(err error, in time.Duration) {
			observe(s.id, recovery.Event{At: time.Now(), Kind: recovery.EventNote, Message: fmt.Sprintf("tried again in %s: %v", in, err)})
		},
		Invoke: func(ctx context.Context, payload []byte) ([]byte, error) {
			ctx, cancel := context.WithTimeout(ctx, lambdaTimeout)
			defer cancel()
			answer, err := handler.Invoke(ctx, payload)
			if err != nil {
				err = fmt.Errorf("%s: %w", wiring.FailureType(err), err)
			}
			return answer, err
		}}
	err := d.Drive(ctx, state)
	if refused, is := errors.AsType[*driver.Refused](err); is {
		return recovery.Errorf(recovery.Code(refused.Code), "%s", refused.Message)
	}
	return err
}
