package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"muster/recovery"
	"muster/simulator"
)

// journalFile is the simulated AWS's name in a folder.
const journalFile = "simulator.jsonl"

// whichAWS says which AWS the flags lead to; it is found out once.
func (w *worldFlags) whichAWS(folder string) func(context.Context) (recovery.AWS, error) {
	var mu sync.Mutex
	var known recovery.AWS
	return func(ctx context.Context) (recovery.AWS, error) {
		mu.Lock()
		defer mu.Unlock()
		if known != "" {
			return known, nil
		}
		var err error
		known, err = w.findAWS(ctx, folder)
		return known, err
	}
}

// findAWS gives "" where no AWS was simulated yet.
func (w *worldFlags) findAWS(ctx context.Context, folder string) (recovery.AWS, error) {
	switch {
	case w.aws:
		return hubOfCredentials(ctx)
	case w.endpoint != "":
		world, err := summaryAt(ctx, w.endpoint)
		if err != nil {
			return "", err
		}
		if world == nil {
			return recovery.AWSAt(w.endpoint), nil
		}
		world.ID = world.WorldID()
		return simulated(world.Identity), nil
	}
	world, err := simulator.JournalIdentity(filepath.Join(folder, journalFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return simulated(world), nil
}

// witness says of attempts in the record beside a simulated AWS's journal that
// they were made there, if the role that each needed was assumed there right
// before it was sent.
func witness(journal string) func(*recovery.Attempt) (string, error) {
	return func(a *recovery.Attempt) (string, error) {
		assumed, err := simulator.JournalAssumed(journal, a.AccountID, a.FirstSentAt.Add(-recovery.LookBack), a.FirstSentAt)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !assumed {
			return "", nil
		}
		return fmt.Sprintf("its role was assumed there right before wave %d was sent", a.Wave), err
	}
}

func simulated(i simulator.Identity) recovery.AWS {
	fleet := strings.TrimSuffix(filepath.Base(i.Fleet), filepath.Ext(i.Fleet))
	return recovery.SimulatedAWS(i.ID, i.Seed, i.Digest, fleet)
}

// hubTime bounds how long STS is waited for.
const hubTime = 20 * time.Second

// hubOfCredentials asks STS which account the user's own credentials are of.
func hubOfCredentials(ctx context.Context) (recovery.AWS, error) {
	ctx, cancel := context.WithTimeout(ctx, hubTime)
	defer cancel()
	settings, err := ownSettings(ctx)
	if err != nil {
		return "", err
	}
	settings.Region = cmp.Or(settings.Region, "us-east-1")
	out, err := sts.NewFromConfig(settings).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	var caller arn.ARN
	if err == nil {
		caller, err = arn.Parse(aws.ToString(out.Arn))
	}
	if err != nil {
		return "", &failure{exitFailure, fmt.Errorf("which account your AWS credentials are of could not be found out, and nothing was done: %w", err), "Sign in, or set AWS_PROFILE"}
	}
	return recovery.RealAWS(caller.Partition, aws.ToString(out.Account))
}
