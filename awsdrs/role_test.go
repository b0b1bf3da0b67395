package awsdrs

import (
	"errors"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"muster/recovery"
)

func TestRolesAreNamedInTheirPartition(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1":      "arn:aws:iam::123456789012:role/Role",
		"ap-southeast-4": "arn:aws:iam::123456789012:role/Role",
		"cn-north-1":     "arn:aws-cn:iam::123456789012:role/Role",
		"us-gov-west-1":  "arn:aws-us-gov:iam::123456789012:role/Role",
		"us-iso-east-1":  "arn:aws-iso:iam::123456789012:role/Role",
		"us-isob-east-1": "arn:aws-iso-b:iam::123456789012:role/Role",
		"us-isof-east-1": "arn:aws-iso-f:iam::123456789012:role/Role",
		"eu-isoe-west-1": "arn:aws-iso-e:iam::123456789012:role/Role",
		"eusc-de-east-1": "arn:aws-eusc:iam::123456789012:role/Role",
	} {
		got, err := roleARN(recovery.AccountContext{AccountID: "123456789012", Region: region, RoleName: "Role"})
		if err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", region, got, err, want)
		}
	}
}

// The region that has failed, and the global endpoint with it, is not asked.
func TestARoleIsAssumedInTheRegionThatIsRecoveredInto(t *testing.T) {
	t.Setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
	for region, want := range map[string]string{
		"us-east-1": "sts.us-east-1.amazonaws.com", "us-west-2": "sts.us-west-2.amazonaws.com", "cn-north-1": "sts.cn-north-1.amazonaws.com.cn",
	} {
		cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"), config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("k", "s", "")))
		if err != nil {
			t.Fatal(err)
		}
		var hosts []string
		a := New(cfg, Options{Attempts: 1, HTTPClient: awsclient(func(r *http.Request) (*http.Response, error) {
			hosts = append(hosts, r.URL.Host)
			return nil, errors.New("no network")
		})})
		_, err = a.Assume(t.Context(), recovery.AccountContext{AccountID: "123456789012", Region: region, RoleName: "Role"})
		if err == nil || len(hosts) != 1 || hosts[0] != want {
			t.Errorf("%s: asked %v (%v), want %s", region, hosts, err, want)
		}
	}
}

type awsclient func(*http.Request) (*http.Response, error)

func (f awsclient) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestInstanceProfilesAreComparedByName(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:instance-profile/"
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"web", "web", true},
		{"web", "db", false},
		{"", "", false},
		{"web", arn + "web", true},
		{arn + "some/path/web", "web", true},
		{arn + "web", arn + "web", true},
		{arn + "web", arn + "path/web", false},
		{"web", arn + "path/webs", false},
	} {
		if got := sameProfile(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: got %v", tt.a, tt.b, got)
		}
	}
}

func TestDurationsOfDRS(t *testing.T) {
	for text, want := range map[string]string{
		"PT3S": "3s", "PT1M2.5S": "1m2.5s", "P1DT2H": "26h0m0s", "P0DT0H0M0S": "0s", "": "0s", "soon": "0s", "PT3X": "0s",
	} {
		if got := duration(text).String(); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
