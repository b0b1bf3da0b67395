package main

import (
	"context"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/config"

	"muster/cmd/wiring"
	"muster/simulator"
)

// furnishAWS puts the house together for AWS itself, with whatever the SDK
// finds in the user's own settings.
func (w *worldFlags) furnishAWS(ctx context.Context, m *Main, h *house) error {
	if err := w.checkAWS(); err != nil {
		return err
	}
	folder, err := w.recordFolder(ctx, m)
	if err != nil {
		return err
	}
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return usage("", "your AWS settings: %w", err)
	}
	if settings.Region == "" {
		settings.Region = "us-east-1" // for STS; every account context names its own
	}
	h.Accounts = wiring.Accounts(settings, nil)
	return w.openStore(ctx, m, h, folder)
}

func (w *worldFlags) checkAWS() error {
	if w.fleet != simulator.DefaultFleet || w.endpoint != "" || w.speed != 1 || w.seed != 0 || len(w.faults) > 0 {
		return usage("", "--aws is AWS itself: --fleet, --endpoint, --speed, --seed and --fault are about a simulated one")
	}
	return nil
}

// recordFolder is where the record is that the flags lead to.
func (w *worldFlags) recordFolder(ctx context.Context, m *Main) (string, error) {
	switch {
	case w.data != "":
		return filepath.Abs(w.data)
	case w.aws:
		return w.ownFolder(m, "aws")
	}
	fleet, err := w.loadFleet()
	if err != nil {
		return "", err
	}
	return w.folder(ctx, m, fleet)
}
