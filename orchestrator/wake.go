package orchestrator

import (
	"context"
	"time"

	"muster/recovery"
)

// wakeTimeout bounds how long anything waits for a task to be woken: the task
// asks anew by itself, once a day.
const wakeTimeout = 5 * time.Second

// wake tells the task that waits, if one does, to look at the record, and says
// whether nobody waits for that token any more.
func (o *Orchestrator) wake(ctx context.Context, token recovery.Secret) bool {
	if token.IsZero() || o.Wake == nil {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, wakeTimeout)
	defer cancel()
	return o.Wake(ctx, token) == nil
}
