//go:build rehearsal

package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// lambda is Lambda's outer side: the Invoke API. Whoever calls it may what the
// template allows them, and is known by the access key.
type lambda struct {
	endpoint string
	cloud    *cloud
	timeout  time.Duration
}

// The callers there are.
const (
	stateMachine = "STATEMACHINE"
	eventBridge  = "EVENTBRIDGE"
	streams      = "STREAMS"
	operator     = "OPERATOR" // a person with the policy to act
	reader       = "READER"   // and one with the policy to look
)

func serveInvoke(t *testing.T, c *cloud) *lambda {
	t.Helper()
	l := &lambda{cloud: c, timeout: time.Duration(c.property("Function", "Timeout").(int)) * time.Second}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2015-03-31/functions/{name}/invocations", l.serve)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	l.endpoint = server.URL
	return l
}

// may lists the ARNs that a caller may invoke.
func (l *lambda) may(caller string) (arns []string) {
	s := l.cloud.stack
	policy := map[string]string{stateMachine: "StateMachineRolePolicy", operator: "OperatePolicy", reader: "ReadPolicy"}[caller]
	if policy != "" {
		statements, err := s.Statements(policy)
		if err != nil {
			return nil
		}
		for _, statement := range statements {
			if slices.Contains(statement.Actions, "lambda:InvokeFunction") {
				arns = append(arns, statement.Resources...)
			}
		}
	}
	if caller == eventBridge {
		for _, permission := range s.Of("AWS::Lambda::Permission") {
			if permission.Properties["Principal"] == "events.amazonaws.com" {
				arns = append(arns, fmt.Sprint(permission.Properties["FunctionName"]))
			}
		}
	}
	if caller == streams { // Lambda itself, for what the mapping names
		for _, mapping := range s.Of("AWS::Lambda::EventSourceMapping") {
			arns = append(arns, fmt.Sprint(mapping.Properties["FunctionName"]))
		}
	}
	return arns
}

// resolve gives the ARN that a name and a qualifier mean: NAME, NAME:ALIAS or
// an ARN.
func (l *lambda) resolve(name, qualifier string) (arn string, is bool) {
	prefix := fmt.Sprintf("arn:aws:lambda:%s:%s:function:", region, account)
	name, given, _ := strings.Cut(strings.TrimPrefix(name, prefix), ":")
	if given == "" {
		given = qualifier
	}
	if name != l.cloud.function.name {
		return "", false
	}
	if given == "" {
		return prefix + name, true
	}
	for _, alias := range l.cloud.stack.Of("AWS::Lambda::Alias") {
		if alias.Properties["Name"] == given && alias.Properties["FunctionName"] == name {
			return prefix + name + ":" + given, true
		}
	}
	return "", false
}

func (l *lambda) serve(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, kind, message string) {
		w.Header().Set("X-Amzn-ErrorType", kind)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"Message": message})
	}
	name, err := url.PathUnescape(r.PathValue("name"))
	payload, readErr := io.ReadAll(r.Body)
	if err != nil || readErr != nil {
		refuse(http.StatusBadRequest, "InvalidRequestContentException", "it could not be read")
		return
	}
	arn, is := l.resolve(name, r.URL.Query().Get("Qualifier"))
	if !is {
		refuse(http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+name)
		return
	}
	caller := callerOf(r)
	if !slices.Contains(l.may(caller), arn) {
		refuse(http.StatusForbidden, "AccessDeniedException", fmt.Sprintf("%s is not authorized to perform: lambda:InvokeFunction on resource: %s", caller, arn))
		return
	}
	o, err := l.cloud.function.invoke(r.Context(), arn, l.timeout, payload)
	if err != nil {
		o = outcome{true, fmt.Appendf(nil, `{"errorType": "Sandbox.Timedout", "errorMessage": %q}`, err)}
	}
	if o.failed {
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
	}
	_, _ = w.Write(o.body)
	l.cloud.bell.ring()
}

// callerOf is the access key that a request was signed with.
func callerOf(r *http.Request) string {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(credential, "/")
	return key
}

// signed is an Authorization as the SDK's has it, but for its signature: the
// doubles hold nobody to it.
func signed(key, service string) string {
	return fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261124/%s/%s/aws4_request, SignedHeaders=host, Signature=0", key, region, service)
}

// invoke calls the Invoke API. failed says that the function ended without an
// answer.
func (l *lambda) invoke(ctx context.Context, caller, name string, event []byte) (answer []byte, failed bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.endpoint+"/2015-03-31/functions/"+url.PathEscape(name)+"/invocations", bytes.NewReader(event))
	if err != nil {
		return nil, false, err
	}
	r.Header.Set("Authorization", signed(caller, "lambda"))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, false, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Header.Get("X-Amzn-ErrorType"), answer)
	}
	return answer, response.Header.Get("X-Amz-Function-Error") != "", err
}
