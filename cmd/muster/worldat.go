package main

import (
	"context"
	"encoding/json"
	"errors"
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

// summaryAt asks the simulated AWS at an endpoint which one it is. It is nil
// where somebody else answers, and usage where nobody does: a dead port would
// be asked again for minutes.
func summaryAt(ctx context.Context, endpoint string) (*simulator.Summary, error) {
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(asking, http.MethodGet, strings.TrimRight(endpoint, "/")+"/_muster/world", nil)
	if err != nil {
		return nil, nil
	}
	response, err := http.DefaultClient.Do(request)
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, usage("Start it there (muster simulate), or give the address that it printed", "--endpoint: nothing answers at %s: %w", endpoint, dial.Err)
	case err != nil:
		return nil, nil
	}
	defer response.Body.Close()
	var world simulator.Summary
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&world) != nil || world.Started.IsZero() {
		return nil, nil
	}
	return &world, nil
}
