package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"muster/recovery"
)

// prepare makes the wave ready to be launched: settings resolved, role
// assumed, dependencies and servers checked, settings applied. All of it may
// be repeated freely, and until everything is checked nothing is changed.
func (c *claim) prepare(ctx context.Context) (recovery.Region, error) {
	if err := c.dependenciesBySelf(); err != nil {
		return nil, err
	}
	group, err := c.group(ctx)
	if err != nil {
		return nil, err
	}
	want, err := c.w.Wave.Resolve(group)
	if err != nil {
		return nil, err
	}
	region, err := c.assume(ctx, c.w.Wave.Account)
	if err != nil {
		return nil, err
	}
	return region, c.checkAndConfigure(ctx, region, want)
}

// group finds the wave's protection group: in the event, else in the store.
func (c *claim) group(ctx context.Context) (*recovery.ProtectionGroup, error) {
	id := c.w.Wave.Group
	if id == "" {
		return nil, nil
	}
	if g := c.w.Groups[id]; g != nil {
		return g, nil
	}
	if c.o.Groups != nil {
		g, err := c.o.Groups.Group(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading protection group %s: %w", id, err)
		}
		if g != nil {
			return g, nil
		}
	}
	if c.w.Wave.Configured() {
		c.tell(recovery.EventNote, "protection group %s is not known; every server brings its own launch configuration", id)
		return nil, nil
	}
	return nil, recovery.Errorf(recovery.ValidationError,
		"protection group %s of wave %d is not known, and not every server of the wave has a launchConfig of its own; store the group, or give it in state.protectionGroups", id, c.w.Wave.Number)
}

func (c *claim) assume(ctx context.Context, account recovery.AccountContext) (recovery.Region, error) {
	region, err := c.o.assume(ctx, account)
	if err == nil && !slices.Contains(c.assumed, account) {
		c.assumed = append(c.assumed, account)
		c.tell(recovery.EventAssumed, "role %s in account %s, %s", account.RoleName, account.AccountID, account.Region)
	}
	return region, err
}

func (o *Orchestrator) assume(ctx context.Context, account recovery.AccountContext) (recovery.Region, error) {
	region, err := o.Accounts.Assume(ctx, account)
	var refused *recovery.ServiceError
	if errors.As(err, &refused) {
		return nil, &recovery.Error{
			Code:      recovery.CrossAccountError,
			Message:   fmt.Sprintf("Failed to assume role %s in account %s: %s", account.RoleName, account.AccountID, refused.Detail()),
			Retryable: refused.Retryable, Err: err,
		}
	}
	return region, err
}

// checkAndConfigure reads the settings while the checks run, for time is
// dear; it changes nothing before every check has passed.
func (c *claim) checkAndConfigure(ctx context.Context, region recovery.Region, want map[recovery.SourceServerID]recovery.Resolved) error {
	check := sync.OnceValue(func() error { return c.check(ctx, region) })
	var wait sync.WaitGroup
	wait.Go(func() { check() })
	err := region.Configure(ctx, recovery.Configuration{
		Key: c.key(), Want: want,
		Before: func(ctx context.Context, changes []recovery.ServerChange) error {
			wait.Wait()
			if err := check(); err != nil {
				return err
			}
			return c.announce(ctx, changes)
		},
	})
	wait.Wait()
	if refused := check(); refused != nil {
		return refused
	}
	if err != nil {
		return configFailure(err)
	}
	c.tell(recovery.EventConfigured, "launch settings of %s are as asked for", recovery.Count(len(want), "server"))
	return nil
}

// announce records what is about to be changed, so that after a crash in the
// middle somebody still knows what was there.
func (c *claim) announce(ctx context.Context, changes []recovery.ServerChange) error {
	return c.update(ctx, func(a recovery.Attempt) recovery.Attempt { return a }, &recovery.Event{
		At: c.o.now(), Kind: recovery.EventConfiguring, Changes: changes,
		Message: "changing launch settings of " + recovery.Count(len(changes), "server"),
	})
}

// configFailure makes the answer of what Configure joined. What is not about
// a server's settings (no time left, the store) goes out as it is.
func configFailure(err error) error {
	var about []*recovery.ConfigError
	if !collect(err, &about) {
		return err
	}
	words, retryable := make([]string, len(about)), true
	for i, e := range about {
		words[i] = e.Error()
		var refused *recovery.ServiceError
		retryable = retryable && errors.As(e, &refused) && refused.Retryable
	}
	return &recovery.Error{
		Code:      recovery.LaunchConfigError,
		Message:   fmt.Sprintf("Failed to apply launch configuration, nothing was launched: %s", strings.Join(words, "; ")),
		Retryable: retryable, Err: err,
	}
}

// collect finds every ConfigError that was joined, and says whether there is
// nothing else.
func collect(err error, into *[]*recovery.ConfigError) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all := true
		for _, e := range joined.Unwrap() {
			all = collect(e, into) && all
		}
		return all
	}
	about, ok := err.(*recovery.ConfigError)
	if !ok || errors.Is(err, recovery.ErrNoTime) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	*into = append(*into, about)
	return true
}
