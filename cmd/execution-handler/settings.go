package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"muster/awssns"
	"muster/awssteps"
	"muster/cmd/wiring"
	"muster/recovery"
)

// settings are what the function reads from its environment. Credentials,
// region and endpoints are the AWS SDK's own business (AWS_ENDPOINT_URL, …).
type settings struct {
	table   string // where executions are kept
	machine string // ARN of the state machine that drives them; "": none
	groups  recovery.GroupStore
	topic   string // the ARN; "": people are not told
	level   slog.Level
}

// settingsTable is every setting there is. Each reads itself, and says what is
// wrong with its value.
var settingsTable = []struct {
	name, meaning string
	read          func(s *settings, value string) error
}{
	{
		"MUSTER_STORE", "where executions are kept, needed: dynamodb:TABLE",
		func(s *settings, value string) (err error) {
			if strings.HasPrefix(value, "sqlite:") {
				return fmt.Errorf("%s is a file on one machine, and the function runs on many; it must be %s", recovery.Quote(value), wiring.TableForm)
			}
			s.table, err = wiring.ParseTable(value)
			return err
		},
	},
	{
		"MUSTER_STATE_MACHINE", "the ARN of the state machine that drives executions; without it start_execution and resume are refused",
		func(s *settings, value string) error {
			if value == "" {
				return nil
			}
			s.machine = value
			return awssteps.CheckARN(value)
		},
	},
	{
		"MUSTER_GROUPS", "a file with protection groups (groups: of a plan file), which hide those of the store; none by default",
		func(s *settings, value string) (err error) {
			if value != "" {
				s.groups, err = wiring.Groups(value)
			}
			return err
		},
	},
	{
		"MUSTER_TOPIC", "the ARN of the SNS topic where people are told what happens; none by default",
		func(s *settings, value string) error {
			if value == "" {
				return nil
			}
			s.topic = value
			return awssns.CheckARN(value)
		},
	},
	{
		"MUSTER_LOG_LEVEL", "debug, info (the default), warn or error",
		func(s *settings, value string) error {
			if value == "" {
				return nil
			}
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				if strings.EqualFold(value, level.String()) {
					s.level = level
					return nil
				}
			}
			return fmt.Errorf("%s is not debug, info, warn or error", recovery.Quote(value))
		},
	},
}

// readSettings reads all settings, and names in one error all that is wrong.
func readSettings(env func(string) string) (settings, error) {
	var s settings
	var wrong []error
	for _, row := range settingsTable {
		if err := row.read(&s, env(row.name)); err != nil {
			wrong = append(wrong, fmt.Errorf("%s %w (%s)", row.name, err, row.meaning))
		}
	}
	return s, errors.Join(wrong...)
}
