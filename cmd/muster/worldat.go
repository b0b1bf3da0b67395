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
// process. It is "" where somebody else than a simulated AWS of ours answers,
// and usage where nobody does: a dead port would be asked again for minutes.
func worldAt(ctx context.Context, endpoint string) (string, error) {
	asking, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(asking, http.MethodGet, strings.TrimRight(endpoint, "/")+"/_muster/world", nil)
	if err != nil {
		return "", nil
	}
	response, err := http.DefaultClient.Do(request)
	var dial *net.OpError
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &dial) && dial.Op == "dial":
		return "", usage("Start it there (muster simulate), or give the address that it printed", "--endpoint: nothing answers at %s: %w", endpoint, dial.Err)
	case err != nil:
		return "", nil
	}
	defer response.Body.Close()
	var world simulator.Summary
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&world) != nil || world.Started.IsZero() {
		return "", nil
	}
	return " " + world.Started.UTC().Format(time.RFC3339Nano), nil
}
