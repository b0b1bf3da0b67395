package awsdrs

import (
	"testing"

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
