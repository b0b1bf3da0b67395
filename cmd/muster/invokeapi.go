package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
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
	alias, why := aliasOf(name, r.URL.RawQuery)
	if why != "" {
		apiError(w, http.StatusBadRequest, "InvalidParameterValueException", why)
		return
	}
	caller := event.Caller{Alias: alias, RequestID: request}
	payload, ok := payloadOf(w, r)
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

// functionName is a function as it may be called: a name, or an ARN, whole or
// from the account on, with or without a qualifier.
var functionName = regexp.MustCompile(`^(?:(?:arn:aws[a-z-]*:lambda:[a-z0-9-]+:)?[0-9]{12}:function:)?[A-Za-z0-9_-]{1,140}(?::([A-Za-z0-9_-]{1,128}|\$LATEST))?$`)

// aliasOf gives the alias that a function is called by: the end of its name or
// ARN, or the qualifier beside it; why says what is wrong with them. Without an
// alias everything is allowed, so nothing that might have been meant for one is
// let pass as none.
func aliasOf(name, query string) (alias event.Alias, why string) {
	parts := functionName.FindStringSubmatch(name)
	if parts == nil {
		return "", "that is not a function's name: it must be NAME, NAME:ALIAS, or an ARN"
	}
	qualifier := parts[1]
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return "", "the query cannot be read: its parameters stand between &"
	}
	for key, values := range parameters {
		switch {
		case key != "Qualifier":
			return "", "the query may have the parameter Qualifier, and no other"
		case len(values) != 1 || !functionName.MatchString("f:"+values[0]):
			return "", "Qualifier must be one alias, once"
		case qualifier != "" && qualifier != values[0]:
			return "", "The derived qualifier from the function name does not match the specified qualifier."
		}
		qualifier = values[0]
	}
	return wiring.AliasOf(qualifier), ""
}

// payloadOf reads the payload, whose size the door has seen to.
func payloadOf(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	payload, err := io.ReadAll(r.Body)
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
