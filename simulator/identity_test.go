package simulator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

const readOnlyRole = "arn:aws:iam::111122223333:role/DRSReadOnlyRole"

func TestARoleWantsItsExternalID(t *testing.T) {
	w := world(t, "three-tier", simulator.Options{})
	c := root(t, w, "999999999999", "us-west-2")
	const role = "arn:aws:iam::111122223333:role/DRSOrchestrationRole"
	_, r := c.assume(role, "muster-three-tier-1")
	r.must(t, 200)
	for name, id := range map[string]string{"wrong": "muster-three-tier-2", "absent": ""} {
		_, r := c.assume(role, id)
		r.refused(t, 403, "AccessDenied")
		want := "User: arn:aws:iam::999999999999:root is not authorized to perform: sts:AssumeRole on resource: " + role
		if r.message() != want {
			t.Errorf("%s external id: %q, want %q", name, r.message(), want)
		}
	}
}

func TestAnExternalIDMayBeOptionalAndStillNotWrong(t *testing.T) {
	w := world(t, "specification", simulator.Options{})
	c := root(t, w, "999999999999", "us-east-1")
	_, r := c.assume(specRole, "")
	r.must(t, 200)
	_, r = c.assume(specRole, "another-external-id")
	r.refused(t, 403, "AccessDenied")
}

func TestAMissingRoleLooksLikeARefusingOne(t *testing.T) {
	w := world(t, "specification", simulator.Options{})
	c := root(t, w, "999999999999", "us-east-1")
	_, r := c.assume("arn:aws:iam::123456789012:role/Missing", "")
	r.refused(t, 403, "AccessDenied")
	_, r = root(t, w, "111111111111", "us-east-1").assume(specRole, "unique-external-id")
	r.refused(t, 403, "AccessDenied")
}

func TestAssumeRoleChecksItsParameters(t *testing.T) {
	w := world(t, "specification", simulator.Options{})
	c := root(t, w, "999999999999", "us-east-1")
	for _, pairs := range [][]string{
		{"RoleArn", specRole},
		{"RoleArn", specRole, "RoleSessionName", "has space"},
		{"RoleArn", specRole, "RoleSessionName", strings.Repeat("x", 65)},
		{"RoleArn", specRole, "RoleSessionName", "ok", "DurationSeconds", "899"},
		{"RoleArn", specRole, "RoleSessionName", "ok", "DurationSeconds", "7200"},
		{"RoleArn", "short", "RoleSessionName", "ok"},
		{"RoleArn", specRole, "RoleSessionName", "ok", "Policy", "{}"},
	} {
		c.query("sts", "AssumeRole", pairs...).refused(t, 400, "ValidationError")
	}
}

func TestAChainedSessionLastsAnHourAtMost(t *testing.T) {
	fleet := `version: 1
accounts:
  "123456789012":
    roles:
      - {name: First, trusts: ["999999999999"], maxSession: 12h}
      - {name: Second, trusts: ["arn:aws:iam::123456789012:role/First"], maxSession: 12h}
`
	w := world(t, fleet, simulator.Options{})
	c := root(t, w, "999999999999", "us-east-1")
	first, r := c.assume("arn:aws:iam::123456789012:role/First", "", "DurationSeconds", "43200")
	r.must(t, 200)
	_, r = first.assume("arn:aws:iam::123456789012:role/Second", "", "DurationSeconds", "3601")
	r.refused(t, 400, "ValidationError")
	second, r := first.assume("arn:aws:iam::123456789012:role/Second", "", "DurationSeconds", "3600")
	r.must(t, 200)
	if got := second.query("sts", "GetCallerIdentity").must(t, 200).xml("Arn"); got != "arn:aws:sts::123456789012:assumed-role/Second/test-session" {
		t.Errorf("identity %s", got)
	}
	_, r = c.assume("arn:aws:iam::123456789012:role/Second", "")
	r.refused(t, 403, "AccessDenied")
}

func TestSessionsExpireInEachServicesOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := world(t, "specification", simulator.Options{})
		c, r := root(t, w, "999999999999", "us-east-1").assume(specRole, "", "DurationSeconds", "900")
		r.must(t, 200)
		c.drs("DescribeJobs", `{}`).must(t, 200)
		time.Sleep(15 * time.Minute)
		c.drs("DescribeJobs", `{}`).refused(t, 403, "ExpiredTokenException")
		c.query("ec2", "DescribeSubnets").refused(t, 400, "RequestExpired")
		c.query("sts", "GetCallerIdentity").refused(t, 403, "ExpiredToken")
	})
}

func TestUnknownKeysAreRefusedInEachServicesOwnWords(t *testing.T) {
	w := world(t, "specification", simulator.Options{})
	good := specClient(t, w)
	for name, c := range map[string]*client{
		"unknown key": root(t, w, "AKIAIOSFODNN7EXAMPLE", "us-east-1"),
		"wrong token": {t: t, http: w.RoundTripper(), region: "us-east-1", key: good.key, token: "wrong"},
		"no token":    {t: t, http: w.RoundTripper(), region: "us-east-1", key: good.key},
	} {
		t.Run(name, func(t *testing.T) {
			c.drs("DescribeJobs", `{}`).refused(t, 403, "UnrecognizedClientException")
			c.query("sts", "GetCallerIdentity").refused(t, 403, "InvalidClientTokenId")
			c.query("ec2", "DescribeSubnets").refused(t, 401, "AuthFailure")
		})
	}
}

func TestADeniedActionIsRefusedInIAMsWords(t *testing.T) {
	w := world(t, "three-tier", simulator.Options{})
	c, r := root(t, w, "999999999999", "us-west-2").assume(readOnlyRole, "")
	r.must(t, 200)
	c.drs("DescribeSourceServers", `{}`).must(t, 200)
	r = c.drs("StartRecovery", start("s-0291ce9fa9cbfbc13")).refused(t, 403, "AccessDeniedException")
	want := "User: arn:aws:sts::111122223333:assumed-role/DRSReadOnlyRole/test-session is not authorized to perform: drs:StartRecovery" +
		" on resource: arn:aws:drs:us-west-2:111122223333:source-server/s-0291ce9fa9cbfbc13 with an explicit deny in an identity-based policy"
	if r.message() != want {
		t.Errorf("%q, want %q", r.message(), want)
	}
	c.query("ec2", "CreateLaunchTemplateVersion", "LaunchTemplateId", "lt-01c1977bb99c03e36").refused(t, 403, "UnauthorizedOperation")
	for _, call := range w.Calls() {
		if call.Mutated && call.Operation != "AssumeRole" {
			t.Errorf("%s changed something", call.Operation)
		}
	}
}

func TestTheCallLogTellsWhoActedWhere(t *testing.T) {
	w := world(t, "specification", simulator.Options{})
	c := specClient(t, w)
	c.drs("StartRecovery", start("s-db-01")).must(t, 202)
	c.query("ec2", "DescribeSubnets", "SubnetId.1", "subnet-db").must(t, 200)
	c.drs("StartRecovery", start("s-db-01")).refused(t, 409, "ConflictException")

	calls := w.Calls()
	if len(calls) != 4 {
		t.Fatalf("%d calls, want 4", len(calls))
	}
	assume, started, subnets, again := calls[0], calls[1], calls[2], calls[3]
	if assume.Account != specAccount || assume.CallerAccount != "999999999999" || assume.Principal != "arn:aws:iam::999999999999:root" {
		t.Errorf("AssumeRole: %+v", assume)
	}
	for _, call := range calls[1:] {
		if call.Account != specAccount || call.CallerAccount != "999999999999" ||
			call.Principal != "arn:aws:sts::123456789012:assumed-role/DRSOrchestrationRole/test-session" || call.Region != "us-east-1" {
			t.Errorf("%s: %+v", call.Operation, call)
		}
	}
	if !started.Mutated || started.Status != 202 || len(started.Resources) != 2 || started.Resources[0] != "s-db-01" || started.Resources[1] != "drsjob-wave1" {
		t.Errorf("StartRecovery: %+v", started)
	}
	if subnets.Mutated || subnets.Service != "ec2" || len(subnets.Resources) != 1 {
		t.Errorf("DescribeSubnets: %+v", subnets)
	}
	if again.Mutated || again.Code != "ConflictException" || again.N != 4 {
		t.Errorf("the second StartRecovery: %+v", again)
	}
}
