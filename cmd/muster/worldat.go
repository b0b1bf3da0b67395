package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"muster/simulator"
)

// worldAt tells the world that is simulated at an endpoint from others that
// were there before, whose jobs are gone: one in memory begins anew with its
// process. It is "" where somebody else than a simulated AWS of ours answers.
func worldAt(ctx context.Context, endpoint string) (string, error) {
	world, err := summaryAt(ctx, endpoint)
	if world == nil || err != nil {
		return "", err
	}
	return " " + world.Started.UTC().Format(time.RFC3339Nano), nil
}

// endpointTries is how often an endpoint is asked that breaks off its answer: it
// may be stopping, or starting.
const endpointTries = 4

// summaryAt asks the simulated AWS at an endpoint which one it is. It is nil
// where somebody else answers, and usage where nobody does: a dead port would
// be asked again for minutes. An answer that breaks off says nothing.
func summaryAt(ctx context.Context, endpoint string) (world *simulator.Summary, err error) {
	for try := 1; ; try++ {
		var broken error
		if world, broken, err = askWorld(ctx, endpoint); broken == nil {
			return world, err
		}
		if try == endpointTries {
			return nil, &failure{exitFailure, fmt.Errorf("which AWS is simulated at %s could not be found out, and nothing was done: %w", endpoint, broken), "Ask again"}
		}
		select {
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// askWorld asks once; broken is why the answer did not come whole.
func askWorld(ctx context.Context, endpoint string) (world *simulator.Summary, broken, err error) {
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(asking, http.MethodGet, strings.TrimRight(endpoint, "/")+"/_muster/world", nil)
	if err != nil {
		return nil, nil, nil
	}
	response, err := http.DefaultClient.Do(request)
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, nil, usage("Start it there (muster simulate), or give the address that it printed", "--endpoint: nothing answers at %s: %w", endpoint, dial.Err)
	case err != nil:
		return nil, err, nil
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return nil, err, nil
	}
	world = new(simulator.Summary)
	if response.StatusCode != http.StatusOK || json.Unmarshal(body, world) != nil || world.Started.IsZero() {
		return nil, nil, nil
	}
	return world, nil, nil
}
