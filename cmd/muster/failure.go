package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// failure is why a command ended, and with which exit code.
type failure struct {
	code int
	err  error
	hint string // the way out; "" where the error says it
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage is the failure of a command that was called the wrong way.
func usage(hint string, format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...), hint}
}

// refused ends a command whose answer, already written, says why.
var refused = &failure{code: exitRefused}

// asFailure gives every error its exit code. What reached cobra's caller
// without having been a command's own is about the way it was called.
func asFailure(err error, ran bool) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	switch {
	case !ran:
		return &failure{code: exitUsage, err: err}
	case errors.Is(err, context.Canceled):
		return &failure{exitInterrupted, err, "what was sent is recorded; the same command again goes on from there"}
	}
	return &failure{code: exitFailure, err: err}
}

// report tells a person, or with --json a program, why a command ended.
func (f *failure) report(w io.Writer, asJSON bool, s style) {
	if f.err == nil {
		return // the answer has said it
	}
	if asJSON {
		line, _ := json.Marshal(struct {
			Error    string `json:"error"`
			Hint     string `json:"hint,omitempty"`
			ExitCode int    `json:"exitCode"`
		}{f.err.Error(), f.hint, f.code})
		fmt.Fprintf(w, "%s\n", harmless(string(line)))
		return
	}
	fmt.Fprintf(w, "%s %s\n", s.bad("muster:"), harmlessLines(f.err.Error()))
	if f.hint != "" {
		fmt.Fprintf(w, "%s\n", s.faint(harmlessLines(f.hint)))
	}
}
