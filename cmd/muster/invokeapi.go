package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/cmd/wiring"
	"muster/event"
)

// Lambda's limits of one payload.
const (
	mostPayload      = 6 << 20
	mostAsyncPayload = 256 << 10
)

// handler is what is invoked.
type handler interface {
	Invoke(context.Context, []byte) ([]byte, error)
}

// invokeAPI answers Lambda's Invoke API with a handler.
type invokeAPI struct {
	handler func(event.Caller) handler
	timeout time.Duration   // of one invocation
	life    context.Context // what is invoked and not waited for ends with it
	running sync.WaitGroup
}

// wait waits for what was invoked and not waited for.
func (a *invokeAPI) wait() { a.running.Wait() }

// ServeHTTP implements http.Handler.
func (a *invokeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request := rand.Text()
	w.Header().Set("X-Amzn-RequestId", request)
	name, ok := invoked(r.URL.Path)
	if !ok {
		apiError(w, http.StatusNotFound, "ResourceNotFoundException", "only POST /2015-03-31/functions/NAME/invocations is served here")
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		apiError(w, http.StatusMethodNotAllowed, "InvalidRequestContentException", "an invocation is a POST")
		return
	}
	caller := event.Caller{RequestID: request}
	if caller.Alias, ok = aliasOf(name, r.URL.Query().Get("Qualifier")); !ok {
		apiError(w, http.StatusBadRequest, "InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier.")
		return
	}
	payload, ok := a.payload(w, r)
	if !ok {
		return
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		a.answer(w, caller, payload)
	case "Event":
		if len(payload) > mostAsyncPayload {
			tooLarge(w, mostAsyncPayload)
			return
		}
		a.running.Go(func() { _, _ = a.invoke(a.life, caller, payload) })
		w.WriteHeader(http.StatusAccepted)
	case "DryRun":
		w.WriteHeader(http.StatusNoContent)
	default:
		apiError(w, http.StatusBadRequest, "InvalidParameterValueException", fmt.Sprintf("%q is not an invocation type: RequestResponse, Event or DryRun", kind))
	}
}

// invoked gives the function whose invocations a path names.
func invoked(path string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(path, "/2015-03-31/functions/"); !ok {
		return "", false
	}
	name, ok = strings.CutSuffix(name, "/invocations")
	return name, ok && name != "" && !strings.Contains(name, "/")
}

// aliasOf gives the alias that a function is called by: the end of its name or
// ARN, or the qualifier beside it; not ok where the two differ.
func aliasOf(name, qualifier string) (alias event.Alias, ok bool) {
	parts := strings.Split(name, ":")
	if i := slices.Index(parts, "function"); i >= 0 { // arn:aws:lambda:REGION:ACCOUNT:function:NAME, or from ACCOUNT on
		parts = parts[i+1:]
	}
	if len(parts) > 1 {
		if qualifier != "" && qualifier != parts[1] {
			return "", false
		}
		qualifier = parts[1]
	}
	return wiring.AliasOf(qualifier), true
}

func (a *invokeAPI) payload(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostPayload))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		tooLarge(w, mostPayload)
		return nil, false
	}
	if err != nil {
		apiError(w, http.StatusBadRequest, "InvalidRequestContentException", "the payload did not arrive whole")
		return nil, false
	}
	if len(payload) == 0 {
		payload = []byte("{}") // as Lambda does
	}
	if !json.Valid(payload) {
		apiError(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json")
		return nil, false
	}
	return payload, true
}

// answer waits for the handler. Who hangs up does not stop it: in Lambda the
// function runs on, too.
func (a *invokeAPI) answer(w http.ResponseWriter, caller event.Caller, payload []byte) {
	answer, err := a.invoke(a.life, caller, payload)
	w.Header().Set("X-Amz-Executed-Version", "$LATEST")
	w.Header().Set("Content-Type", "application/json")
	if err == nil && len(answer) > mostPayload {
		err = errors.New("the answer is larger than 6 MB")
	}
	if err != nil {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		answer, _ = json.Marshal(struct {
			ErrorType    string `json:"errorType"`
			ErrorMessage string `json:"errorMessage"`
		}{wiring.FailureType(err), err.Error()})
	}
	_, _ = w.Write(answer)
}

func (a *invokeAPI) invoke(ctx context.Context, caller event.Caller, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	return a.handler(caller).Invoke(ctx, payload)
}

func tooLarge(w http.ResponseWriter, most int) {
	apiError(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", fmt.Sprintf("Request must be smaller than %d bytes for the InvokeFunction operation", most))
}

// apiError is a refusal as Lambda itself makes it.
func apiError(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Type    string
		Message string `json:"message"`
	}{"User", message})
}
