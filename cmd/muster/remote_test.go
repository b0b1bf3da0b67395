package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What Lambda and the function refuse, with the exit code and the way out.
func TestWhyAFunctionGivesNoAnswerIsToldWithTheWayOut(t *testing.T) {
	const secret = "planted-external-id"
	for _, c := range []struct {
		name, code, body string
		status           int
		exit             int
		want             []string
	}{
		{"no such function", "ResourceNotFoundException", `{"Message":"Function not found: x"}`, 404, exitUsage, []string{"there is no function muster:operate in region us-east-1", "AWS_REGION"}},
		{"no permission", "AccessDeniedException", `{"Message":"User: anna is not authorized"}`, 403, exitRefused, []string{"you may not call function muster:operate", "User: anna is not authorized", "lambda:InvokeFunction on the function's alias operate"}},
		{"a function that died", "", `{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}`, 200, exitFailure, []string{"function muster:operate failed: Runtime.ExitError: exit status 1", "--execution exec-1"}},
		{"another function", "", `"hello"`, 200, exitUsage, []string{"does not answer as Muster does"}},
		{"a refusal", "", `{"statusCode":409,"error":"PLAN_IN_PROGRESS","message":"execution exec-0 holds the plan","retryable":true}`, 200, exitRefused, []string{"muster: execution exec-0 holds the plan", "muster drill - --execution exec-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if c.code != "" {
					w.Header().Set("X-Amzn-Errortype", c.code)
				}
				if strings.Contains(c.body, "errorType") {
					w.Header().Set("X-Amz-Function-Error", "Unhandled")
				}
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			var out, stderr bytes.Buffer
			m := &Main{Stdin: strings.NewReader(strings.Replace(gatedShop, "muster-three-tier-1", `"${MUSTER_TEST_EXTERNAL_ID}"`, 1)), Stdout: &out, Stderr: &stderr,
				Env: func(name string) string { return map[string]string{"MUSTER_TEST_EXTERNAL_ID": secret}[name] }}
			got := m.Run(t.Context(), []string{"drill", "-", "--function", "muster", "--endpoint", server.URL, "--execution", "exec-1"})
			if got != c.exit {
				t.Errorf("exit code %d, want %d", got, c.exit)
			}
			for _, part := range c.want {
				if !strings.Contains(stderr.String(), part) {
					t.Errorf("got\n%s\nwant %s", stderr.String(), part)
				}
			}
			if strings.Contains(out.String()+stderr.String(), secret) {
				t.Errorf("the external id is told:\n%s%s", out.String(), stderr.String())
			}
		})
	}
}

// Without an alias everything is allowed: no spelling of one is taken for none.
func TestWhichAliasAFunctionIsCalledBy(t *testing.T) {
	for _, c := range []struct {
		name, query, alias string
		ok                 bool
	}{
		{"muster", "", "", true},
		{"muster:read", "", "read", true},
		{"muster", "Qualifier=operate", "operate", true},
		{"muster", "%51ualifier=re%61d", "read", true},
		{"muster:read", "Qualifier=read", "read", true},
		{"muster:read", "Qualifier=operate", "", false},
		{"muster", "Qualifier=$LATEST", "", true},
		{"muster", "Qualifier=7", "", true},
		{"muster:read", "Qualifier=$LATEST", "", false},
		{"arn:aws:lambda:us-east-1:999999999999:function:muster", "Qualifier=read", "read", true},
		{"arn:aws:lambda:us-east-1:999999999999:function:muster:operate", "", "operate", true},
		{"999999999999:function:muster:read", "", "read", true},
		{"function:read", "", "read", true},
		{"muster", "Qualifier=read;operate", "", false},
		{"muster", "Qualifier=read%3Boperate", "", false},
		{"muster", "Qualifier=read&Qualifier=read", "", false},
		{"muster", "Qualifier=", "", false},
		{"muster", "Qualifier", "", false},
		{"muster", "Qualifier=%00", "", false},
		{"muster", "Qualifier=7%0A", "", false},
		{"muster", "Qualifier=%20read", "", false},
		{"muster", "Qualifier=%zz", "", false},
		{"muster", "qualifier=read", "", false},
		{"muster", "QUALIFIER=read", "", false},
		{"muster", "Qualifier[]=read", "", false},
		{"muster", ";Qualifier=read", "", false},
		{"muster", "Qualifier=read&x=y", "", false},
		{"muster:", "", "", false},
		{"muster:", "Qualifier=read", "", false},
		{"muster:read:operate", "", "", false},
		{"muster%3Aread", "", "", false},
		{"muster;read", "", "", false},
		{"muster\uff1aread", "", "", false},
		{":read", "", "", false},
		{"999999999999:muster:read", "", "", false},
	} {
		if alias, why := aliasOf(c.name, c.query); string(alias) != c.alias || (why == "") != c.ok {
			t.Errorf("%q and %q: got %q, %q", c.name, c.query, alias, why)
		}
	}
}

// By one's own AWS settings, it is AWS that says who one is.
func TestWhoAsksIsRecordedAsAWSKnowsThem(t *testing.T) {
	const arn = "arn:aws:sts::999999999999:assumed-role/operators/anna@example.com"
	known := `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>` + arn + `</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`
	for _, c := range []struct {
		name, answer string
		status       int
		flags        []string
		want         string
	}{
		{"as STS says", known, 200, nil, `"by":"` + arn + `"`},
		{"as the machine knows them, where STS does not say", "<html>no", 403, nil, `"by":"anna"`},
		{"as claimed", known, 200, []string{"--by", "on-call"}, `"by":"on-call"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := make(chan string, 10)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if !strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/") {
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, c.answer)
					return
				}
				asked <- string(body)
				_, _ = io.WriteString(w, `{"statusCode":200}`)
			}))
			defer server.Close()
			for name, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-west-2", "AWS_PROFILE": ""} {
				t.Setenv(name, value)
			}
			var out, stderr bytes.Buffer
			m := &Main{Stdout: &out, Stderr: &stderr, Env: func(name string) string { return map[string]string{"USER": "anna"}[name] }}
			if got := m.Run(t.Context(), append([]string{"pause", "exec-1", "--function", "muster"}, c.flags...)); got != exitDone {
				t.Fatalf("exit code %d: %s", got, stderr.String())
			}
			close(asked)
			pause := ""
			for event := range asked {
				if strings.Contains(event, `"operation":"pause"`) {
					pause = event
				}
			}
			if !strings.Contains(pause, c.want) {
				t.Errorf("asked %s, want %s", pause, c.want)
			}
		})
	}
}
