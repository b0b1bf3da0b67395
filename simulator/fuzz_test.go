package simulator_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"testing"

	"muster/simulator"
)

// FuzzFleet holds the fleet file's reader to this: whatever it is given, it
// gives a fleet that a world can be made from, or an error with a place.
func FuzzFleet(f *testing.F) {
	// Small seeds, since large ones keep the fuzzer busy with making them smaller.
	f.Add([]byte(many(2, "quotas: {jobs: 1}", "faults: [{name: NoCapacity}]")))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("version: 1\naccounts: &x {\"123456789012\": {regions: {us-east-1: {servers: [{<<: *x}]}}}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		fleet, err := simulator.ParseFleet("fuzz", data)
		if err != nil {
			var fe *simulator.FleetError
			if !errors.As(err, &fe) || len(fe.Problems) == 0 {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		w, err := simulator.New(fleet, simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w.Summary()
		for _, account := range fleet.AccountIDs() {
			for region := range fleet.Accounts[account].Regions {
				if r := root(t, w, account, region).drs("DescribeSourceServers", `{}`); r.status == 500 {
					t.Fatalf("%s", r.body)
				}
			}
		}
	})
}

// FuzzProtocol holds the wire to this: whatever comes in, an answer goes out
// that its protocol can read, and it is never a mistake of ours.
func FuzzProtocol(f *testing.F) {
	const arn = "/tags/arn%3Aaws%3Adrs%3Aus-east-1%3A123456789012%3Asource-server%2Fs-00000000000000000"
	f.Add("drs", "POST", "/StartRecovery", "", []byte(start(id(0), id(1))))
	f.Add("drs", "POST", "/DescribeJobs", "", []byte(`{"filters":{"jobIDs":[],"fromDate":"2025-01-31T15:30:00Z"},"maxResults":1}`))
	f.Add("drs", "POST", "/UpdateLaunchConfiguration", "", []byte(`{"sourceServerID":"`+id(0)+`","licensing":{"osByol":true}}`))
	f.Add("drs", "DELETE", arn, "tagKeys=a&tagKeys=b", []byte(``))
	f.Add("drs", "GET", "/ListStagingAccounts", "maxResults=x", []byte(``))
	f.Add("drs", "POST", "/TerminateRecoveryInstances", "", []byte(`{"recoveryInstanceIDs":["i-0123456789abcdef0"]}`))
	f.Add("ec2", "POST", "/", "", []byte("Action=DescribeSubnets&Version=2016-11-15&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-*"))
	f.Add("ec2", "POST", "/", "", []byte("Action=CreateLaunchTemplate&LaunchTemplateName=abc&LaunchTemplateData.NetworkInterface.1.SubnetId=x"))
	f.Add("ec2", "GET", "/", "Action=DescribeInstances&MaxResults=5", []byte(``))
	f.Add("sts", "POST", "/", "", []byte("Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2FR&RoleSessionName=x&DurationSeconds=9"))
	f.Add("sts", "POST", "/", "", []byte("Action=GetCallerIdentity"))
	f.Add("iam", "POST", "/", "", []byte("%zz"))
	fleet, err := simulator.ParseFleet("fuzz", []byte(many(2, "instances: [{server: "+id(1)+", id: i-0123456789abcdef0}]")))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, service, method, path, query string, body []byte) {
		w, err := simulator.New(fleet, simulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(method, "http://x/", bytes.NewReader(body))
		if err != nil {
			return // cannot be sent
		}
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = path, path, query
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=123456789012/20250131/us-east-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
		resp, err := w.RoundTripper().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode >= 500 {
			t.Fatalf("%d %s %v", resp.StatusCode, answer, err)
		}
		if service == "ec2" || service == "sts" {
			if err := xml.Unmarshal(answer, new(struct{})); err != nil {
				t.Fatalf("%v in %s", err, answer)
			}
		} else if resp.StatusCode != 204 && !json.Valid(answer) {
			t.Fatalf("not JSON: %s", answer)
		}
	})
}
