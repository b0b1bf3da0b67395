package awsdrs_test

import (
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/goleak"

	"muster/awsdrs"
	"muster/recovery"
	"muster/simulator"
)

func TestOverRealHTTP(t *testing.T) {
	w, err := simulator.New(fleetOf(t, 100), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	server := httptest.NewServer(w)
	before := goleak.IgnoreCurrent()
	cfg := callersConfig()
	cfg.BaseEndpoint = aws.String(server.URL)
	accounts := awsdrs.New(cfg, awsdrs.Options{Pace: map[string]awsdrs.Rate{}})
	r, err := accounts.Assume(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	c := everything(t, 40) // fits into EC2's burst
	for range 2 {
		if err := r.Configure(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if job, err := r.StartRecovery(within(t, 30*time.Second), drill(40)); err != nil || len(job.Servers) != 40 {
		t.Fatalf("got %+v, %v", job, err)
	}
	server.Close() // and with it the idle connections
	goleak.VerifyNone(t, before)
}

func TestAnEndpointThatCannotBeReachedOrTrusted(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	foreign := httptest.NewUnstartedServer(nil)
	foreign.Config.ErrorLog = log.New(io.Discard, "", 0)
	foreign.StartTLS()
	defer foreign.Close()
	for url, tt := range map[string]struct {
		says      string
		retryable bool
	}{
		closed.URL:  {"no connection could be made: connection refused", true},
		foreign.URL: {"the certificate of the endpoint is not trusted", false},
	} {
		cfg := callersConfig()
		cfg.BaseEndpoint = aws.String(url)
		_, err := awsdrs.New(cfg, awsdrs.Options{Attempts: 2}).Assume(t.Context(), account)
		var refused *recovery.ServiceError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, tt.says) || refused.Retryable != tt.retryable || refused.Ambiguous {
			t.Errorf("%s: got %#v", url, err)
		}
	}
}

func TestMain(m *testing.M) {
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true") // nothing here may look for credentials
	os.Exit(m.Run())
}
