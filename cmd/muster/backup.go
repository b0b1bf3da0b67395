package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"muster/recovery"
	"muster/sqlite"
)

// copied is a store of which a copy can be made while it is used.
type copied interface {
	Backup(ctx context.Context, file string) (*sqlite.Backup, error)
}

func (m *Main) backup() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the record of executions to a new file, while it is used",
		Long: `Backup copies the record of executions, as of one moment, to a new file; whoever
runs an execution meanwhile is not disturbed. The file is checked, and on the disk,
before it gets its name. It is made for its owner alone: like the record it holds
secrets, external ids and task tokens. Nothing is overwritten.

Say --fleet, --data, --endpoint or --aws as the executions were begun with.`,
		Example: "  muster backup --aws executions-$(date +%F).db",
		Args:    cobra.ExactArgs(1),
	}
	o.world.addRecordPlaces(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print what was done as JSON")
	cmd.RunE = m.command(func(ctx context.Context, args []string) error {
		h, err := o.world.open(ctx, m, looks)
		if err != nil {
			return err
		}
		defer h.Close()
		store, can := h.store.(copied)
		if !can {
			return &failure{exitRefused, errors.New("this record is in DynamoDB, which makes its own backups"),
				"On demand: aws dynamodb create-backup --table-name TABLE --backup-name NAME. To any second of the last 35 days: point-in-time recovery, aws dynamodb update-continuous-backups"}
		}
		b, err := store.Backup(ctx, args[0])
		switch {
		case errors.Is(err, fs.ErrExist):
			return usage("Give it another name: a backup overwrites nothing", "%s exists already", recovery.Quote(args[0]))
		case errors.Is(err, fs.ErrNotExist):
			return usage("Make the folder first, or name another", "%s: its folder does not exist", recovery.Quote(args[0]))
		case err != nil:
			return err
		}
		if o.json {
			return writeDocument(m.Stdout, struct {
				File       string `json:"file"`
				Bytes      int64  `json:"bytes"`
				Executions int    `json:"executions"`
			}{b.Path, b.Bytes, b.Executions})
		}
		_, err = fmt.Fprintf(m.Stdout, "%s: %s, %d bytes, checked; readable by you alone, as it holds secrets\n", harmless(b.Path), recovery.Count(b.Executions, "execution"), b.Bytes)
		return err
	})
	return cmd
}
