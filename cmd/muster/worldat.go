package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"muster/simulator"
)

// worldAt tells the world that is simulated at an endpoint from others that
// were there before, whose jobs are gone: one in memory begins anew with its
// process. It is "" where no simulated AWS of ours answers.
func worldAt(ctx context.Context, endpoint string) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(endpoint, "/")+"/_muster/world", nil)
	if err != nil {
		return ""
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	var world simulator.Summary
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&world) != nil || world.Started.IsZero() {
		return ""
	}
	return " " + world.Started.UTC().Format(time.RFC3339Nano)
}
