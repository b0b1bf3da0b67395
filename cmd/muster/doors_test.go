package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"muster/awslambda"
)

// soon are the limits of the doors' tests.
var soon = limits{header: 500 * time.Millisecond, request: time.Second, answer: 5 * time.Second, idle: time.Minute, connections: 64}

// What is served on loopback is reached by every web page that a browser on
// this machine shows, and by every program on it. Both servers let in what AWS's
// clients send, and nothing that a page could have sent; and nobody who says
// nothing, or says it slowly, keeps others out.
func TestDoors(t *testing.T) {
	dir := t.TempDir()
	const invocations, put = "/2015-03-31/functions/muster/invocations", `{"operation": "put_group", "by": "a page", "group": {"protectionGroupId": "pg-planted", "servers": ["s-1"]}}`
	for _, server := range []struct {
		name, path, body string
		args             []string
		untyped          bool // the body alone does not need a type, or a signature
		normal           func(t *testing.T, url string)
	}{
		{"function", invocations, put, []string{"function", "-q", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "function")}, false, func(t *testing.T, url string) {
			t.Helper()
			f := awslambda.New(aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("x", "y", ""), BaseEndpoint: aws.String(url)}, "muster", "read")
			if out, err := f.Invoke(t.Context(), []byte(`{"operation": "list_groups"}`)); err != nil || !bytes.Contains(out, []byte(`"groups":[`)) {
				t.Errorf("Lambda's client is answered %s, %v", out, err)
			}
		}},
		{"simulate", "/_muster/faults", "Throttle:operation=AssumeRole", []string{"simulate", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "simulate")}, true, func(t *testing.T, url string) {
			t.Helper()
			config := aws.Config{Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider("111122223333", "y", ""), BaseEndpoint: aws.String(url)}
			_, err := drs.NewFromConfig(config).DescribeSourceServers(t.Context(), &drs.DescribeSourceServersInput{})
			_, err2 := ec2.NewFromConfig(config).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
			_, err3 := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			if err := errors.Join(err, err2, err3); err != nil {
				t.Errorf("AWS's clients: %v", err)
			}
		}},
	} {
		t.Run(server.name, func(t *testing.T) {
			s := startWithin(t, soon, server.args...)
			address := strings.TrimPrefix(s.url, "http://")
			port := netip.MustParseAddrPort(address).Port()
			here := map[string]string{"Host": address, "Content-Type": "application/json"}
			// send sends the body with these headers beside the usual ones; "": without.
			send := func(t *testing.T, path string, headers map[string]string) (status int, head http.Header, body string) {
				t.Helper()
				all := maps.Clone(here)
				maps.Copy(all, headers)
				var request strings.Builder
				fmt.Fprintf(&request, "POST %s HTTP/1.1\r\nContent-Length: %d\r\n", path, len(server.body))
				for name, value := range all {
					if value != "" {
						fmt.Fprintf(&request, "%s: %s\r\n", name, value)
					}
				}
				c := knock(t, address)
				defer c.Close()
				if _, err := io.WriteString(c, request.String()+"\r\n"+server.body); err != nil {
					t.Fatal(err)
				}
				response, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				text, _ := io.ReadAll(response.Body)
				return response.StatusCode, response.Header, string(text)
			}
			nothingCame := func(t *testing.T) {
				t.Helper()
				for _, file := range []string{"simulator.jsonl", recordFile, recordFile + "-wal"} {
					data, err := os.ReadFile(filepath.Join(dir, server.name, file))
					if err == nil && (bytes.Contains(data, []byte("pg-planted")) || bytes.Contains(data, []byte("SetFault"))) {
						t.Errorf("it was done all the same: it is in %s", file)
					}
				}
			}

			t.Run("a page", func(t *testing.T) {
				for name, c := range map[string]struct {
					status  int
					headers map[string]string
					want    string
				}{
					"of a name that was made to lead here": {403, map[string]string{"Host": fmt.Sprintf("rebound.example:%d", port)}, address},
					"of such a name, without a port":       {403, map[string]string{"Host": "rebound.example"}, address},
					"of another port":                      {403, map[string]string{"Host": "127.0.0.1:1"}, address},
					"of no port":                           {403, map[string]string{"Host": "127.0.0.1"}, address},
					"of another address":                   {403, map[string]string{"Host": fmt.Sprintf("192.0.2.1:%d", port)}, address},
					"of a name like ours":                  {403, map[string]string{"Host": fmt.Sprintf("localhost.rebound.example:%d", port)}, address},
					"of another origin":                    {403, map[string]string{"Origin": "https://page.example"}, "web pages"},
					"of no origin that could be told":      {403, map[string]string{"Origin": "null"}, "web pages"},
					"of our own origin, of which are none": {403, map[string]string{"Origin": s.url}, "web pages"},
					"of another site":                      {403, map[string]string{"Sec-Fetch-Site": "cross-site"}, "web pages"},
					"of another port of this machine":      {403, map[string]string{"Sec-Fetch-Site": "same-site"}, "web pages"},
				} {
					status, head, body := send(t, server.path, c.headers)
					if status != c.status || !strings.Contains(body, c.want) {
						t.Errorf("%s: status %d, want %d and %q: %s", name, status, c.status, c.want, body)
					}
					if strings.Contains(body, "rebound") {
						t.Errorf("%s: repeats the host: %s", name, body)
					}
					for header := range head {
						if strings.HasPrefix(header, "Access-Control") {
							t.Errorf("%s: is told that it may: %s", name, header)
						}
					}
				}
				if status, head, _ := send(t, server.path, map[string]string{"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}); status != 403 || head.Get("Access-Control-Allow-Origin") != "" {
					t.Errorf("asking first: status %d, %v", status, head)
				}
				nothingCame(t)
			})

			t.Run("the query", func(t *testing.T) {
				for _, query := range []string{"Qualifier=read;operate", "Qualifier=read;Qualifier=operate", "a=%zz"} {
					if status, _, body := send(t, server.path+"?"+query, nil); status != 400 {
						t.Errorf("%s: status %d: %s", query, status, body)
					}
				}
				if status, _, body := send(t, invocations+"?Qualifier=Operate", nil); !server.untyped && (status != 200 || !strings.Contains(body, "NOT_ALLOWED")) {
					t.Errorf("an alias that is none: status %d: %s", status, body)
				}
				nothingCame(t)
			})

			t.Run("content types", func(t *testing.T) {
				path := server.path
				if server.untyped {
					path = "/DescribeSourceServers"
				}
				const signature = "AWS4-HMAC-SHA256 Credential=111122223333/20261124/us-west-2/drs/aws4_request, SignedHeaders=host, Signature=0"
				for _, kind := range []string{"", "text/plain", "text/plain;charset=UTF-8", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/json", "application/json, text/plain", "nonsense"} {
					if status, _, body := send(t, path, map[string]string{"Content-Type": kind}); status != 415 || !strings.Contains(body, "application/json") {
						t.Errorf("%q: status %d, want 415: %s", kind, status, body)
					}
				}
				nothingCame(t)
				for _, kind := range []string{"", "application/x-www-form-urlencoded; charset=utf-8"} { // as the AWS CLI sends
					if status, _, body := send(t, path, map[string]string{"Content-Type": kind, "Authorization": signature}); status == 415 || status == 403 {
						t.Errorf("%q, signed: status %d: %s", kind, status, body)
					}
				}
			})

			t.Run("curl -d", func(t *testing.T) {
				status, _, body := send(t, server.path, map[string]string{"Content-Type": "application/x-www-form-urlencoded"})
				if want := map[bool]int{true: 201, false: 415}[server.untyped]; status != want {
					t.Errorf("status %d, want %d: %s", status, want, body)
				}
			})

			t.Run("clients of AWS", func(t *testing.T) {
				server.normal(t, s.url)
				server.normal(t, fmt.Sprintf("http://localhost:%d", port))
				for _, host := range []string{fmt.Sprintf("LocalHost:%d", port), fmt.Sprintf("[::1]:%d", port), fmt.Sprintf("127.0.0.2:%d", port)} {
					if status, _, body := send(t, server.path, map[string]string{"Host": host}); status >= 300 {
						t.Errorf("%s: status %d: %s", host, status, body)
					}
				}
			})

			t.Run("who is slow", func(t *testing.T) {
				var at sync.WaitGroup
				for name, c := range map[string]struct{ sent, want string }{
					"says nothing":        {"", ""},
					"with the head":       {"POST " + server.path + " HTTP/1.1\r\nHost: " + address + "\r\n", ""},
					"with the body":       {"POST " + server.path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", " 408 "},
					"with a body of none": {"POST " + server.path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", " 408 "},
				} {
					c0 := knock(t, address)
					defer c0.Close()
					at.Go(func() {
						begun := time.Now()
						_, err := io.WriteString(c0, c.sent)
						answer, err2 := io.ReadAll(c0)
						if took := time.Since(begun); took > 4*soon.request || errors.Join(err, err2) != nil || !strings.Contains(string(answer), c.want) {
							t.Errorf("%s: after %s: %q, %v, %v", name, took, answer, err, err2)
						}
					})
				}
				at.Wait()
				if status, _, _ := send(t, server.path, map[string]string{"Padding": strings.Repeat("x", 2*mostHeader)}); status != http.StatusRequestHeaderFieldsTooLarge {
					t.Errorf("a large head: status %d", status)
				}
			})

			t.Run("large bodies that come slowly", func(t *testing.T) {
				answers := make(chan *http.Response, mostLarge+1)
				for i := range mostLarge + 1 {
					length := fmt.Sprintf("Content-Length: %d\r\n\r\n{", largeBody+1)
					if i%2 == 0 {
						length = "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"
					}
					c := knock(t, address)
					defer c.Close()
					if _, err := io.WriteString(c, "POST "+server.path+" HTTP/1.1\r\nHost: "+address+"\r\nContent-Type: application/json\r\n"+length); err != nil {
						t.Fatal(err)
					}
					go func() {
						answer, err := http.ReadResponse(bufio.NewReader(c), nil)
						if err != nil {
							t.Error(err)
						}
						answers <- answer
					}()
				}
				for i := range mostLarge + 1 {
					answer := <-answers
					if answer == nil {
						continue
					}
					want := http.StatusRequestTimeout // the others are read until then
					if i == 0 {
						want = http.StatusTooManyRequests
						server.normal(t, s.url)
					}
					if answer.StatusCode != want || !answer.Close {
						t.Errorf("answer %d: status %d, want %d; closed: %t", i+1, answer.StatusCode, want, answer.Close)
					}
				}
				request, err := http.NewRequest(http.MethodPost, s.url+server.path, strings.NewReader(strings.Repeat(" ", largeBody+1)))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", "application/json")
				answer, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				answer.Body.Close()
				if answer.StatusCode == http.StatusTooManyRequests {
					t.Error("nothing is read any more, and a large body is refused")
				}
			})

			t.Run("nine hundred at once", func(t *testing.T) {
				runtime.GC()
				var before, with runtime.MemStats
				runtime.ReadMemStats(&before)
				goroutines := runtime.NumGoroutine()
				for _, sent := range []string{"", "POST " + server.path + " HTTP/1.1\r\nHost: " + address + "\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"} {
					var crowd []net.Conn
					for i := range 900 {
						c := knock(t, address)
						_, _ = io.WriteString(c, sent) // who was sent away already need not be told
						crowd = append(crowd, c)
						if i%300 == 299 {
							server.normal(t, s.url)
						}
					}
					if n := runtime.NumGoroutine() - goroutines; n > 3*soon.connections {
						t.Errorf("%d goroutines for %d connections", n, soon.connections)
					}
					runtime.GC()
					runtime.ReadMemStats(&with)
					if grown := int64(with.HeapAlloc) - int64(before.HeapAlloc); grown > 16<<20 {
						t.Errorf("the heap grew by %d KiB", grown>>10)
					}
					server.normal(t, s.url)
					for _, c := range crowd {
						c.Close()
					}
				}
			})
			begun := time.Now()
			left := knock(t, address)
			defer left.Close()
			if code := s.stop(); code != exitDone || time.Since(begun) > 4*time.Second {
				t.Errorf("an interrupt ends it with %d after %s", code, time.Since(begun))
			}
		})
	}
}

func knock(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

func TestWhichHostsAreServed(t *testing.T) {
	at := func(address string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address)) }
	for _, c := range []struct {
		listen, address string
		yes, no         []string
	}{
		{"127.0.0.1:0", "127.0.0.1:4599", []string{"127.0.0.1:4599", "localhost:4599", "[::1]:4599"}, []string{"", ":4599", "localhost", "localhost.:4599", "a.example:4599", "0.0.0.0:4599", "127.0.0.1.a.example:4599", "127.0.0.1:45990"}},
		{"localhost:0", "[::1]:80", []string{"localhost", "[::1]", "127.0.0.1", "localhost:80"}, []string{"a.example", "::2"}},
		{"muster.internal:0", "192.0.2.7:4599", []string{"muster.internal:4599", "Muster.Internal:4599", "192.0.2.7:4599"}, []string{"192.0.2.8:4599", "other.internal:4599"}},
		{":0", "[::]:4599", []string{"192.0.2.7:4599", "[2001:db8::1]:4599", "[::]:4599", "localhost:4599"}, []string{"a.example:4599", ":4599"}},
	} {
		h := hostsOf(c.listen, at(c.address))
		for _, host := range append(slices.Clone(c.yes), c.no...) {
			if got := h.allow(host); got != slices.Contains(c.yes, host) {
				t.Errorf("at %s, listening as %s: %q is served: %t", c.address, c.listen, host, got)
			}
		}
	}
}

// Who has sent a whole request is never sent away for another.
func TestAFullHouseSendsAwayWhoHasWaitedLongest(t *testing.T) {
	v := &visitors{most: 2}
	var ends []net.Conn
	come := func() net.Conn {
		here, there := net.Pipe()
		ends = append(ends, there)
		v.changed(here, http.StateNew)
		return here
	}
	gone := func(c net.Conn) bool {
		_ = c.SetReadDeadline(time.Now())
		_, err := c.Read(make([]byte, 1))
		return !errors.Is(err, os.ErrDeadlineExceeded)
	}
	first, second := come(), come()
	v.changed(first, http.StateActive)
	v.received(context.WithValue(t.Context(), visitorKey{}, first))
	third := come()
	if gone(first) || !gone(second) || gone(third) {
		t.Errorf("gone: %t, %t, %t; want the second alone", gone(first), gone(second), gone(third))
	}
	v.changed(third, http.StateActive)
	v.received(context.WithValue(t.Context(), visitorKey{}, third))
	if fourth := come(); !gone(fourth) || gone(first) || gone(third) {
		t.Error("one whose request had come whole was sent away")
	}
	v.changed(first, http.StateIdle)
	fifth := come()
	if !gone(first) || gone(fifth) || len(v.open) != 2 {
		t.Errorf("who was answered keeps his place: %d are there", len(v.open))
	}
	v.leave()
	if !gone(fifth) || gone(third) {
		t.Error("at the end those leave who said nothing, and no others")
	}
	for _, c := range ends {
		c.Close()
	}
}

// What has come whole is answered, however long that takes and whoever stops
// the server meanwhile.
func TestAnAnswerMayTakeLongerThanItsRequestAndOutlivesAnInterrupt(t *testing.T) {
	most := soon
	most.request, most.header = 100*time.Millisecond, 100*time.Millisecond
	s := startWithin(t, most, "simulate", "--listen", "127.0.0.1:0", "--fault", "SlowAnswers:operation=GetCallerIdentity,duration=600ms")
	config := aws.Config{Region: "us-west-2", Credentials: credentials.NewStaticCredentialsProvider("111122223333", "y", ""), BaseEndpoint: aws.String(s.url), RetryMaxAttempts: 1}
	answered := make(chan error, 1)
	go func() {
		_, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
		answered <- err
	}()
	for calls := ""; !strings.Contains(calls, "GetCallerIdentity"); time.Sleep(5 * time.Millisecond) {
		response, err := http.Get(s.url + "/_muster/calls")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		calls = string(body)
	}
	if code := s.stop(); code != exitDone {
		t.Errorf("an interrupt ends it with %d", code)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}
