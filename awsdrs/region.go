package awsdrs

import (
	"context"
	"slices"
	"sync"
	"time"

	"muster/recovery"
)

// region is recovery.Region over DRS and EC2.
type region struct {
	accounts *Accounts
	account  recovery.AccountContext
	place    place

	mu      sync.Mutex
	current *session
}

var _ recovery.Region = (*region)(nil)

// call makes one call with the region's session. One that turns out to be
// expired is assumed anew, once: AWS refused before it looked at the request.
func call[Out any](ctx context.Context, r *region, op operation, send func(context.Context, *session) (Out, error)) (Out, error) {
	s := r.session()
	out, err := callAs(ctx, r, s, op, send)
	if !expired(err) {
		return out, err
	}
	s, renewErr := r.renew(ctx, s)
	if renewErr != nil {
		return out, renewErr
	}
	return callAs(ctx, r, s, op, send)
}

func callAs[Out any](ctx context.Context, r *region, s *session, op operation, send func(context.Context, *session) (Out, error)) (out Out, err error) {
	err = r.accounts.try(ctx, r.place, op, s.secrets, func(ctx context.Context) (err error) {
		out, err = send(ctx, s)
		return err
	})
	return out, err
}

func (r *region) session() *session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// renew gives a session in place of one that is over: a new one, or the one
// that another call has already got.
func (r *region) renew(ctx context.Context, over *session) (*session, error) {
	if s := r.session(); s != over {
		return s, nil
	}
	r.accounts.drop(r.account, over)
	s, err := r.accounts.session(ctx, r.account)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = s
	return s, nil
}

// freshenTime is how long a session that would do is kept from doing.
const freshenTime = 10 * time.Second

// freshen assumes the role anew if less is left of the session than DRS may
// need to work on with it. Where that fails the old session has to do: it is
// valid, and whether DRS needs more of it is not known.
func (r *region) freshen(ctx context.Context) {
	s := r.session()
	if time.Until(s.until) >= sessionReserve {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, freshenTime)
	defer cancel()
	_, _ = r.renew(ctx, s)
}

// each does something for every item at the same time, waits for all, and
// gives the results and errors in the items' order. One that fails stops no
// other.
func each[Item, Out any](items []Item, do func(Item) (Out, error)) ([]Out, []error) {
	outs, errs := make([]Out, len(items)), make([]error, len(items))
	var wait sync.WaitGroup
	for i, item := range items {
		wait.Go(func() { outs[i], errs[i] = do(item) })
	}
	wait.Wait()
	return outs, slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// inChunks asks for many ids in as few calls as AWS allows, all at the same
// time.
func inChunks[ID, Out any](ids []ID, most int, ask func([]ID) ([]Out, error)) ([]Out, error) {
	outs, errs := each(slices.Collect(slices.Chunk(ids, most)), ask)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	return slices.Concat(outs...), nil
}

// pages follows an answer's pages: ask asks for one, and read gives what is in
// it, and the token of the next.
func pages[Answer, Item any](ctx context.Context, r *region, op operation, ask func(ctx context.Context, s *session, token *string) (*Answer, error),
	read func(*Answer) (items []Item, next *string, err error)) ([]Item, error) {
	var all []Item
	for token := (*string)(nil); ; {
		answer, err := call(ctx, r, op, func(ctx context.Context, s *session) (*Answer, error) { return ask(ctx, s, token) })
		if err != nil {
			return nil, err
		}
		items, next, err := read(answer)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if next == nil || *next == "" {
			return all, nil
		}
		token = next
	}
}

func texts[T ~string](ids []T) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return out
}
