package main

import (
	"fmt"
	"strings"
)

// Exit codes, one table for all commands.
const (
	exitDone        = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRefused     = 3
	exitPartial     = 4
	exitFailed      = 5
	exitCanceled    = 6
	exitDecision    = 7
	exitInterrupted = 10
)

var exitCodes = []struct {
	code          int
	name, meaning string
}{
	{exitDone, "done", "what was asked for is done"},
	{exitFailure, "our failure", "it could not be known, or could not be recorded, what happened; repeating is safe"},
	{exitUsage, "usage", "the command was called the wrong way, or a file that it was given is wrong; nothing was done"},
	{exitRefused, "refused", "a business error: the answer says why, and whether it can be retried"},
	{exitPartial, "partial", "the execution is over, and some servers were not recovered"},
	{exitFailed, "failed", "the execution is over, and has failed"},
	{exitCanceled, "cancelled", "the execution was cancelled"},
	{exitDecision, "waiting for a decision", "nothing runs, and a person must decide"},
	{8, "reserved", "nothing ends so yet"},
	{9, "reserved", "nothing ends so yet"},
	{exitInterrupted, "interrupted", "the command was interrupted, or not confirmed; the execution is not over"},
}

// exitTable renders the table for help texts.
func exitTable() string {
	var b strings.Builder
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "  %2d  %-23s %s\n", e.code, e.name, e.meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}
