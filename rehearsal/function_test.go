//go:build rehearsal

package rehearsal_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// function is Lambda's inner side: environments that run the built function,
// and the Runtime API by which they get their work.
type function struct {
	name string
	work chan *invocation
	logs logs

	mu      sync.Mutex
	pending map[string]*invocation // by request id
}

// invocation is one, from its event to what it came to.
type invocation struct {
	id, arn  string
	event    []byte
	deadline time.Time
	done     chan outcome
}

// outcome is what the function answered: a response, or an error.
type outcome struct {
	failed bool
	body   []byte
}

// environments is how many of the function's run at the same time; Lambda
// starts as many as are needed.
const environments = 3

// secretKey is planted as the function's own credentials.
const secretKey = "planted-secret-access-key"

func startFunction(t *testing.T, c *cloud, program string, endpoints map[string]string) *function {
	t.Helper()
	f := &function{name: fmt.Sprint(c.property("Function", "FunctionName")), work: make(chan *invocation), pending: map[string]*invocation{}}
	api := httptest.NewServer(f.runtimeAPI())
	t.Cleanup(api.Close)
	// What Lambda sets, where AWS is, and the template's variables: nothing else.
	env := []string{
		"PATH=/usr/bin:/bin", "_HANDLER=" + fmt.Sprint(c.property("Function", "Handler")), "AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"),
		"AWS_LAMBDA_FUNCTION_NAME=" + f.name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST", "AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region,
		"AWS_ACCESS_KEY_ID=" + account, "AWS_SECRET_ACCESS_KEY=" + secretKey, "AWS_SESSION_TOKEN=",
	}
	for name, endpoint := range endpoints {
		env = append(env, name+"="+endpoint)
	}
	for name, v := range c.property("Function", "Environment").(map[string]any)["Variables"].(map[string]any) {
		env = append(env, fmt.Sprintf("%s=%v", name, v))
	}
	for range environments {
		f.start(t, program, env)
	}
	return f
}

// start starts one environment.
func (f *function) start(t *testing.T, program string, env []string) {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env, cmd.Dir = env, t.TempDir()
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: make lambda builds it", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			f.logs.add(lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = w.Close()
		<-ended
	})
}

// runtimeAPI hands out invocations, and takes what they come to.
func (f *function) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case next := <-f.work:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", next.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(next.deadline.UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", next.arn)
			_, _ = w.Write(next.event)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{kind}", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		f.mu.Lock()
		i := f.pending[r.PathValue("id")]
		delete(f.pending, r.PathValue("id"))
		f.mu.Unlock()
		if err != nil || i == nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		i.done <- outcome{r.PathValue("kind") == "error", body}
	})
	return mux
}

// invoke gives the function an event, by an ARN. An environment that dies, or
// answers nothing, leaves it without an outcome.
func (f *function) invoke(ctx context.Context, arn string, timeout time.Duration, event []byte) (outcome, error) {
	i := &invocation{rand.Text(), arn, event, time.Now().Add(timeout), make(chan outcome, 1)}
	f.mu.Lock()
	f.pending[i.id] = i
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case f.work <- i:
	case <-ctx.Done():
		return outcome{}, fmt.Errorf("no environment took it: %w", ctx.Err())
	}
	select {
	case o := <-i.done:
		return o, nil
	case <-ctx.Done():
		return outcome{}, fmt.Errorf("it was not answered: %w", ctx.Err())
	}
}

// logs is what the environments wrote, line by line.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *logs) all() string { return l.last(1 << 30) }

func (l *logs) last(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines[max(0, len(l.lines)-n):], "\n")
}
