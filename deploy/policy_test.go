package deploy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"muster/cloudformation"

	"github.com/google/go-cmp/cmp"
)

func document(t *testing.T, s *cloudformation.Stack, resource string) []cloudformation.Statement {
	t.Helper()
	statements, err := s.Statements(resource)
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

func TestTheTargetRoleTrustsTheHubsRoleAlone(t *testing.T) {
	role := stack(t, "target-account.yaml", west, targetParameters).Resources["Role"]
	want := []any{map[string]any{
		"Sid": "TheHubAlone", "Effect": "Allow", "Action": "sts:AssumeRole",
		"Principal": map[string]any{"AWS": "arn:aws:iam::999999999999:root"},
		"Condition": map[string]any{
			"StringEquals": map[string]any{"sts:ExternalId": "planted-external-id"},
			"ArnEquals":    map[string]any{"aws:PrincipalArn": "arn:aws:iam::999999999999:role/muster-us-west-2"},
		},
	}}
	if diff := cmp.Diff(any(want), role.Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"]); diff != "" {
		t.Error(diff)
	}
	if got := hub(t).Outputs["HubRoleArn"]; got != targetParameters["HubRoleArn"] {
		t.Errorf("the hub's role is %s", got)
	}
}

// Beside that, the state machine's role sets up the delivery of its logs.
func TestWhoeverInvokesTheFunctionMayInvokeHisAliasesAlone(t *testing.T) {
	const function = "arn:aws:lambda:us-west-2:999999999999:function:muster:"
	for resource, want := range map[string][]string{
		"StateMachineRolePolicy": {function + "orchestrate"},
		"ReadPolicy":             {function + "read"},
		"OperatePolicy":          {function + "read", function + "operate"},
	} {
		var got []string
		for _, s := range document(t, hub(t), resource) {
			switch {
			case slices.Equal(s.Actions, []string{"lambda:InvokeFunction"}):
				got = append(got, s.Resources...)
			case resource != "StateMachineRolePolicy" || s.Sid != "Log":
				t.Errorf("%s allows %v", resource, s.Actions)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", resource, diff)
		}
	}
}

func TestWhatDRSForwardsIsWhatItsSourcesName(t *testing.T) {
	text, err := os.ReadFile("drs-forwarded.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(text)) {
		if source, action, ok := strings.Cut(strings.TrimSpace(line), "  "); ok && !strings.HasPrefix(line, "#") {
			if source != "S" && source != "C" {
				t.Errorf("%s has no source", action)
			}
			want = append(want, action)
		}
	}
	var got []string
	for _, s := range document(t, stack(t, "target-account.yaml", west, targetParameters), "DRSPolicy") {
		got = append(got, s.Actions...)
	}
	if diff := cmp.Diff(unique(want), unique(got)); diff != "" {
		t.Errorf("-drs-forwarded.txt +target-account.yaml: %s", diff)
	}
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// noResource are actions for which AWS knows no resource, or looks at many at
// once, so that * is all that can be said. From the Service Authorization
// Reference; logs:… is what Step Functions' guide asks for.
var noResource = []string{
	"dynamodb:ListStreams", "states:SendTaskSuccess",
	"drs:DescribeJobs", "drs:DescribeRecoveryInstances", "drs:DescribeSourceServers", "drs:ListTagsForResource",
	"ec2:Describe*", "ec2:GetInstanceTypesFromInstanceRequirements",
	"logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies", "logs:GetLogDelivery",
	"logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
}

func TestWhatCanBeLimitedIsLimited(t *testing.T) {
	for file, with := range map[string]map[string]string{"hub.yaml": everything, "target-account.yaml": targetParameters} {
		made := stack(t, file, west, with)
		for name, r := range made.Resources {
			if r.Type != "AWS::IAM::RolePolicy" && r.Type != "AWS::IAM::ManagedPolicy" {
				continue
			}
			for _, s := range document(t, made, name) {
				for _, action := range s.Actions {
					free := slices.ContainsFunc(noResource, func(rule string) bool {
						prefix, any := strings.CutSuffix(rule, "*")
						return action == rule || any && strings.HasPrefix(action, prefix)
					})
					if slices.Contains(s.Resources, "*") != free {
						t.Errorf("%s: %s is allowed on %v", name, action, s.Resources)
					}
					if strings.Contains(action, "*") {
						t.Errorf("%s allows %s", name, action)
					}
					// What DRS alone needs to change, DRS alone may change.
					reads := strings.Contains(action, ":Describe") || strings.Contains(action, ":Get")
					if name == "DRSPolicy" && strings.HasPrefix(action, "ec2:") && !reads && !strings.Contains(fmt.Sprint(s.Condition), "aws:ViaAWSService:true") &&
						!strings.Contains(fmt.Sprint(s.Condition), "aws:CalledVia:drs.amazonaws.com") {
						t.Errorf("whoever has the role may %s by himself", action)
					}
				}
			}
		}
	}
}

func TestRolesArePassedToEC2Alone(t *testing.T) {
	for _, s := range document(t, stack(t, "target-account.yaml", west, targetParameters), "DRSPolicy") {
		if !slices.Contains(s.Actions, "iam:PassRole") {
			continue
		}
		if len(s.Actions) != 1 || fmt.Sprint(s.Condition) != "map[StringEquals:map[iam:PassedToService:[ec2.amazonaws.com ec2.amazonaws.com]]]" {
			t.Errorf("roles are passed on the condition %v", s.Condition)
		}
		if last := s.Resources[len(s.Resources)-1]; last != "arn:aws:iam::999999999999:role/app-*" {
			t.Errorf("got %s", last)
		}
		return
	}
	t.Error("no role may be passed")
}

// mostInline is how much all policies within one role may hold, without white space.
const mostInline = 10240

func TestThePoliciesFitIntoTheirRoles(t *testing.T) {
	long := strings.Repeat("x", 64)
	target := map[string]string{"HubRoleArn": targetParameters["HubRoleArn"], "ExternalId": targetParameters["ExternalId"], "InstanceRoles": long, "RoleName": long}
	at := west
	at.Partition, at.Region = "aws-us-gov", "us-gov-west-1"
	for file, with := range map[string]map[string]string{"hub.yaml": everything, "target-account.yaml": target} {
		made := stack(t, file, at, with)
		size := map[string]int{}
		for _, r := range made.Of("AWS::IAM::RolePolicy") {
			text, err := json.Marshal(r.Properties["PolicyDocument"])
			if err != nil {
				t.Fatal(err)
			}
			size[r.Properties["RoleName"].(string)] += len(text)
		}
		for role, n := range size {
			t.Logf("%s: the policies of %s have %d of %d characters", file, role, n, mostInline)
			if n > mostInline {
				t.Errorf("%s: the policies of %s have %d characters, more than %d", file, role, n, mostInline)
			}
		}
	}
}
