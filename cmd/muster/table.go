package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"muster/cmd/wiring"
)

type tableOptions struct {
	aws      bool
	endpoint string
}

func (m *Main) table() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "table",
		Short: "The table in DynamoDB that keeps the record of executions",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(m.tableCreate())
	return cmd
}

func (m *Main) tableCreate() *cobra.Command {
	var o tableOptions
	cmd := &cobra.Command{
		Use:   "create TABLE",
		Short: "Make the table, for trials",
		Long: `Create makes the table that --store dynamodb:TABLE and MUSTER_STORE name, for
trials: billed on demand, encrypted, and with point-in-time recovery. A table that is
there already is checked and left as it is, so this may be repeated.

Your own AWS credentials and region are used: say --aws, or --endpoint for a DynamoDB
of your own, such as DynamoDB Local.`,
		Example: "  muster table create muster-trial --aws",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().BoolVar(&o.aws, "aws", false, "make it in AWS, in the account and region of your AWS settings")
	cmd.Flags().StringVar(&o.endpoint, "endpoint", "", "make it in the DynamoDB that runs at `URL`")
	cmd.RunE = m.command(func(ctx context.Context, args []string) error { return m.runTableCreate(ctx, o, args[0]) })
	return cmd
}

func (m *Main) runTableCreate(ctx context.Context, o tableOptions, name string) error {
	if o.aws == (o.endpoint != "") {
		return usage("Say one of them: --aws for your account, --endpoint URL for DynamoDB Local", "it is not said where to make the table")
	}
	table, err := wiring.ParseTable("dynamodb:" + name)
	if err != nil {
		return usage("", "the table: %w", err)
	}
	settings, err := tableSettings(ctx)
	if err != nil {
		return err
	}
	if o.endpoint != "" {
		settings.BaseEndpoint = aws.String(o.endpoint)
	}
	made, err := wiring.Table(settings, table).CreateTable(ctx)
	if err != nil {
		return err
	}
	what, backup := "was there already, and is as it must be", "point-in-time recovery is on"
	if made.New {
		what = "is made, billed on demand and encrypted"
	}
	if !made.Recovery {
		backup = "it has no point-in-time recovery, which is not known there"
	}
	_, err = fmt.Fprintf(m.Stdout, "table %s in %s %s; %s\nuse it with: --store dynamodb:%s, or MUSTER_STORE=dynamodb:%s\n", table, settings.Region, what, backup, table, table)
	return err
}
