package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/spf13/pflag"

	"muster/awssteps"
	"muster/cmd/wiring"
	"muster/orchestrator"
	"muster/sqlite"
)

// recordFile is the record's name in a folder.
const recordFile = "executions.db"

func (w *worldFlags) addStore(flags *pflag.FlagSet) {
	flags.StringVar(&w.store, "store", "", "keep the record in `STORE`: dynamodb:TABLE, reached with your own AWS settings, or sqlite:FILE (default: "+recordFile+" in the folder; with --aws what $MUSTER_STORE says)")
}

// recordPlace is where a record is: in a table, or in a file.
type recordPlace struct{ table, file string }

// recordPlace says where the record is that the flags lead to. A simulated AWS has
// its record in a table only where that is said: a drill that is rehearsed does
// not end up among those that were real.
func (w *worldFlags) recordPlace(m *Main, folder string) (recordPlace, error) {
	setting, from := w.store, "--store"
	if setting == "" && w.aws {
		setting, from = m.Env("MUSTER_STORE"), "MUSTER_STORE"
	}
	if setting == "" {
		return recordPlace{file: filepath.Join(folder, recordFile)}, nil
	}
	if file, ok := strings.CutPrefix(setting, "sqlite:"); ok && file != "" {
		return recordPlace{file: file}, nil
	}
	table, err := wiring.ParseTable(setting)
	if err != nil {
		return recordPlace{}, usage("", "%s: %w; or sqlite:FILE, a file that is made where there is none", from, err)
	}
	return recordPlace{table: table}, nil
}

// openStore opens the record. Who only looks or decides has one that is there.
func (w *worldFlags) openStore(ctx context.Context, m *Main, h *house, folder string, n need) error {
	at, err := w.recordPlace(m, folder)
	if err != nil {
		return err
	}
	h.Home = &orchestrator.Home{AWS: w.whichAWS(folder), Speed: w.speed}
	h.Frozen, h.Gone = new(orchestrator.FrozenPlans), processGone
	if at.table != "" {
		settings, err := tableSettings(ctx)
		if err != nil {
			return err
		}
		table := wiring.Table(settings, at.table)
		h.store, h.Executions, h.Plans, h.Home.Records, h.where, h.table = table, table, table, table, "table "+at.table, true
		if w.aws {
			return w.openMachine(m, settings, h)
		}
		return nil
	}
	if _, err := os.Stat(at.file); err != nil && n < keeps {
		return usage("Say where it is: --data, --store, --fleet, --endpoint or --aws, as the execution was begun with", "there is no record of executions in %s", filepath.Dir(at.file))
	}
	file, err := sqlite.Open(ctx, at.file)
	if err != nil {
		return err
	}
	h.closers = append(h.closers, file.Close)
	h.store, h.Executions, h.Plans, h.Home.Records, h.where = file, file, file, file, at.file
	if !w.aws && w.endpoint == "" && at.file == filepath.Join(folder, recordFile) {
		h.Home.Witness = witness(filepath.Join(folder, journalFile))
	}
	return nil
}

// openMachine makes sure that who waits for a decision is told: by its token, a
// task of any state machine beside the table. What $MUSTER_STATE_MACHINE says
// can be started, too.
func (w *worldFlags) openMachine(m *Main, settings aws.Config, h *house) error {
	h.Waker = awssteps.Tasks(settings)
	arn := m.Env("MUSTER_STATE_MACHINE")
	if arn == "" {
		return nil
	}
	if err := awssteps.CheckARN(arn); err != nil {
		return usage("", "MUSTER_STATE_MACHINE: %w", err)
	}
	h.Machine = wiring.StateMachine(settings, arn)
	return nil
}

// ownSettings are the user's own: credentials, region and endpoints as the AWS
// SDK finds them.
func ownSettings(ctx context.Context) (aws.Config, error) {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return aws.Config{}, usage("", "your AWS settings: %w", err)
	}
	return settings, nil
}

// tableSettings are the user's own, which have to say the region of a table.
func tableSettings(ctx context.Context) (aws.Config, error) {
	settings, err := ownSettings(ctx)
	if err == nil && settings.Region == "" {
		err = usage("Set AWS_REGION to the table's", "your AWS settings name no region")
	}
	return settings, err
}
