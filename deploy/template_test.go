package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"muster/cloudformation"
	"muster/deploy"

	"github.com/google/go-cmp/cmp"
)

var (
	hubParameters    = map[string]string{}
	targetParameters = map[string]string{
		"HubRoleArn": "arn:aws:iam::999999999999:role/muster-us-west-2", "ExternalId": "planted-external-id", "InstanceRoles": "app-*",
	}
	everything = map[string]string{"KmsKeyArn": "arn:aws:kms:us-west-2:999999999999:key/11111111-2222-3333-4444-555555555555", "NotificationEmail": "dr@example.com"}
	west       = cloudformation.Place{Stack: "muster", Account: "999999999999", Region: "us-west-2", Partition: "aws", Suffix: "amazonaws.com"}
)

func template(t *testing.T, file string) *cloudformation.Template {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := cloudformation.Parse(data)
	if err != nil {
		t.Fatalf("%s:\n%v", file, err)
	}
	return read
}

func stack(t *testing.T, file string, at cloudformation.Place, parameters map[string]string) *cloudformation.Stack {
	t.Helper()
	made, err := template(t, file).Make(at, parameters)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return made
}

func hub(t *testing.T) *cloudformation.Stack { return stack(t, "hub.yaml", west, hubParameters) }

func TestTheTemplatesCanBeMadeWithAndWithoutWhatIsOptional(t *testing.T) {
	for _, more := range []map[string]string{nil, everything, {"OperatorPolicies": "no"}} {
		stack(t, "hub.yaml", west, more)
	}
	stack(t, "target-account.yaml", west, targetParameters)
	more := maps.Clone(targetParameters)
	more["MorePolicyArns"] = "arn:aws:iam::aws:policy/A,arn:aws:iam::aws:policy/B"
	role := stack(t, "target-account.yaml", west, more).Resources["Role"]
	if got := fmt.Sprint(role.Properties["ManagedPolicyArns"]); got != "[arn:aws:iam::aws:policy/A arn:aws:iam::aws:policy/B]" {
		t.Errorf("the role has the policies %s", got)
	}
}

func TestEveryParameterSaysWhatItIsAndWhatIsAllowed(t *testing.T) {
	for _, file := range []string{"hub.yaml", "target-account.yaml"} {
		read := template(t, file)
		var shown []string
		ui, _ := read.Metadata["AWS::CloudFormation::Interface"].(map[string]any)
		groups, _ := ui["ParameterGroups"].([]any)
		for _, g := range groups {
			for _, name := range g.(map[string]any)["Parameters"].([]any) {
				shown = append(shown, name.(string))
			}
		}
		slices.Sort(shown)
		if diff := cmp.Diff(slices.Sorted(maps.Keys(read.Parameters)), shown); diff != "" {
			t.Errorf("%s: the console shows other parameters: %s", file, diff)
		}
		for name, p := range read.Parameters {
			if len(p.Description) < 15 {
				t.Errorf("%s: %s has no description", file, name)
			}
			if p.Type == "CommaDelimitedList" || p.Values != nil {
				continue
			}
			if p.Pattern == "" && p.MinValue == nil {
				t.Errorf("%s: %s takes anything", file, name)
			}
			if !strings.HasPrefix(p.ConstraintSay, "must be ") {
				t.Errorf("%s: %s does not say what is allowed: %q", file, name, p.ConstraintSay)
			}
		}
	}
}

func TestTheStateMachineIsTheEmbeddedOneByteForByte(t *testing.T) {
	machine := hub(t).Resources["StateMachine"].Properties
	definition, err := os.ReadFile(machine["DefinitionS3Location"].(string))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(definition, deploy.StateMachine) {
		t.Error("the template deploys another definition")
	}
	values := map[string]string{}
	for name, v := range machine["DefinitionSubstitutions"].(map[string]any) {
		values[name] = v.(string)
	}
	if _, err := deploy.Fill(definition, values); err != nil {
		t.Error(err)
	}
	if got, want := values[deploy.Handler], "arn:aws:lambda:us-west-2:999999999999:function:muster:orchestrate"; got != want {
		t.Errorf("the state machine invokes %s, want %s", got, want)
	}
	logging := machine["LoggingConfiguration"].(map[string]any)
	if logging["IncludeExecutionData"] != false || logging["Level"] != "ERROR" {
		t.Errorf("the logs of the state machine may hold secrets: %v", logging)
	}
}

func TestTwoStacksDoNotCollide(t *testing.T) {
	other, elsewhere := west, west
	other.Stack, elsewhere.Region = "muster-two", "eu-central-1"
	owner := map[string]string{}
	for _, at := range []cloudformation.Place{west, other, elsewhere} {
		for _, name := range stack(t, "hub.yaml", at, everything).Names() {
			if by := owner[name]; by != "" {
				t.Errorf("%s is made by %s and by %s in %s", name, by, at.Stack, at.Region)
			}
			owner[name] = at.Stack + " in " + at.Region
		}
	}
	if len(owner) < 9 {
		t.Errorf("only %v are named", owner)
	}
}

// services may be named by the hosts of the first partition in every one.
var services = []string{"cloudwatch.amazonaws.com", "drs.amazonaws.com", "ec2.amazonaws.com", "events.amazonaws.com", "lambda.amazonaws.com", "states.amazonaws.com"}

func TestTheTemplatesFitEveryPartition(t *testing.T) {
	for _, at := range []cloudformation.Place{
		{Stack: "muster", Account: "999999999999", Region: "cn-north-1", Partition: "aws-cn", Suffix: "amazonaws.com.cn"},
		{Stack: "muster", Account: "999999999999", Region: "us-gov-west-1", Partition: "aws-us-gov", Suffix: "amazonaws.com"},
		{Stack: "muster", Account: "999999999999", Region: "us-iso-east-1", Partition: "aws-iso", Suffix: "c2s.ic.gov"},
	} {
		hubWith, target := maps.Clone(everything), maps.Clone(targetParameters)
		hubWith["KmsKeyArn"] = strings.Replace(strings.Replace(hubWith["KmsKeyArn"], "arn:aws:", "arn:"+at.Partition+":", 1), "us-west-2", at.Region, 1)
		target["HubRoleArn"] = "arn:" + at.Partition + ":iam::999999999999:role/muster-" + at.Region
		for file, with := range map[string]map[string]string{"hub.yaml": hubWith, "target-account.yaml": target} {
			made := stack(t, file, at, with)
			for name, r := range made.Resources {
				each(r.Properties, func(text string) {
					if strings.Contains(text, "arn:") && !strings.Contains(text, "arn:"+at.Partition+":") {
						t.Errorf("%s in %s: %s names another partition: %s", file, at.Partition, name, text)
					}
					if strings.Contains(text, "us-west-2") {
						t.Errorf("%s: %s names a region: %s", file, name, text)
					}
					if strings.Contains(text, "amazonaws.com") && !slices.Contains(services, text) && at.Suffix == "c2s.ic.gov" {
						t.Errorf("%s: %s names a host: %s", file, name, text)
					}
				})
			}
		}
	}
}

// each calls see with every text within a value.
func each(v any, see func(string)) {
	switch v := v.(type) {
	case string:
		see(v)
	case []any:
		for _, item := range v {
			each(item, see)
		}
	case map[string]any:
		for _, item := range v {
			each(item, see)
		}
	}
}

func TestTheRecordOutlivesTheStack(t *testing.T) {
	table := hub(t).Resources["Table"]
	if table.Policy != "Retain" || table.Replace != "Retain" {
		t.Errorf("the table is deleted with the stack (%q) or replaced (%q)", table.Policy, table.Replace)
	}
	if got := fmt.Sprint(table.Properties["PointInTimeRecoverySpecification"]); got != "map[PointInTimeRecoveryEnabled:true]" {
		t.Errorf("the table cannot be brought back: %s", got)
	}
	if table.Properties["DeletionProtectionEnabled"] != true {
		t.Error("whoever cleans up may delete the record")
	}
	if table.Properties["TableName"] != nil {
		t.Error("the table has a fixed name: a stack that is made again would find it taken")
	}
	encryption := stack(t, "hub.yaml", west, everything).Resources["Table"].Properties["SSESpecification"]
	want := map[string]any{"SSEEnabled": true, "SSEType": "KMS", "KMSMasterKeyId": everything["KmsKeyArn"]}
	if diff := cmp.Diff(any(want), encryption); diff != "" {
		t.Error(diff)
	}
}

// The function's settings are those that its page has, less those that a
// deployed function has no need of.
func TestTheFunctionGetsEveryDocumentedSetting(t *testing.T) {
	page, err := os.ReadFile("../docs/lambda.md")
	if err != nil {
		t.Fatal(err)
	}
	notHere := map[string]string{"MUSTER_GROUPS": "groups are kept in the table"}
	var want []string
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "| `MUSTER_"); ok {
			name, _, _ = strings.Cut("MUSTER_"+name, "`")
			if notHere[name] == "" {
				want = append(want, name)
			}
			delete(notHere, name)
		}
	}
	for name := range notHere {
		t.Errorf("docs/lambda.md no longer has %s", name)
	}
	function := hub(t).Resources["Function"].Properties
	variables := function["Environment"].(map[string]any)["Variables"].(map[string]any)
	var got []string
	for name := range variables {
		if strings.HasPrefix(name, "MUSTER_") {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-docs/lambda.md +hub.yaml: %s", diff)
	}
	machine := hub(t).Resources["StateMachine"].Properties["StateMachineName"]
	if got, want := variables["MUSTER_STATE_MACHINE"], fmt.Sprintf("arn:aws:states:us-west-2:999999999999:stateMachine:%s", machine); got != want {
		t.Errorf("MUSTER_STATE_MACHINE is %s, want %s", got, want)
	}
	for key, want := range map[string]any{"Runtime": "provided.al2023", "MemorySize": 512, "Timeout": 900, "Handler": "bootstrap"} {
		if function[key] != want {
			t.Errorf("%s is %v, want %v", key, function[key], want)
		}
	}
}

// The page is held to the code by the function's own tests.
func TestEveryAlarmWatchesAMetricThatIsThere(t *testing.T) {
	page, err := os.ReadFile("../docs/lambda.md")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"AWS/Lambda Errors [FunctionName]", "AWS/SQS ApproximateNumberOfMessagesVisible [QueueName]"}
	_, section, _ := strings.Cut(string(page), "## Metrics\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			want = append(want, "Muster "+name+" [Function]")
		}
	}
	var got []string
	for name, alarm := range hub(t).Of("AWS::CloudWatch::Alarm") {
		p := alarm.Properties
		if fmt.Sprint(p["AlarmActions"]) != fmt.Sprintf("[%s]", hub(t).Outputs["TopicArn"]) || p["TreatMissingData"] == nil || p["AlarmDescription"] == nil {
			t.Errorf("%s tells nobody, or not what it means: %v", name, p)
		}
		if list, ok := p["Metrics"].([]any); ok { // what is computed from one
			p = list[1].(map[string]any)["MetricStat"].(map[string]any)["Metric"].(map[string]any)
		}
		var dimensions []string
		for _, d := range p["Dimensions"].([]any) {
			dimensions = append(dimensions, d.(map[string]any)["Name"].(string))
		}
		got = append(got, fmt.Sprintf("%s %s %v", p["Namespace"], p["MetricName"], dimensions))
	}
	if diff := cmp.Diff(unique(want), unique(got)); diff != "" {
		t.Errorf("-emitted +watched: %s", diff)
	}
}

func TestAnEndIsReportedWithoutTheInput(t *testing.T) {
	rule := hub(t).Resources["Interruptions"].Properties
	transformer := rule["Targets"].([]any)[0].(map[string]any)["InputTransformer"].(map[string]any)
	text := transformer["InputTemplate"].(string)
	for name, path := range map[string]string{"name": "n", "status": "s", "executionArn": "a"} {
		if got := transformer["InputPathsMap"].(map[string]any)[name]; got != "$.detail."+name {
			t.Errorf("%s is read from %v", name, got)
		}
		text = strings.ReplaceAll(text, "<"+name+">", path)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"operation": "execution_interrupted", "name": "n", "status": "s", "executionArn": "a"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if n := len(transformer["InputPathsMap"].(map[string]any)); n != len(want)-1 {
		t.Errorf("%d paths are read", n)
	}
}

func TestTheOutputsAreTrue(t *testing.T) {
	made, target := hub(t), template(t, "target-account.yaml")
	next := made.Outputs["Next1AddAnAccount"]
	_, overrides, _ := strings.Cut(next, "--parameter-overrides ")
	var given []string
	for _, pair := range strings.Fields(overrides) {
		name, _, _ := strings.Cut(pair, "=")
		given = append(given, name)
		if _, known := target.Parameters[name]; !known {
			t.Errorf("target-account.yaml has no parameter %s", name)
		}
	}
	for name, p := range target.Parameters {
		if p.Default == nil && !slices.Contains(given, name) {
			t.Errorf("the command does not give %s: %s", name, next)
		}
	}
	if !strings.Contains(next, "HubRoleArn="+made.Outputs["HubRoleArn"]+" ") || strings.Contains(next, "\n") {
		t.Errorf("got %q", next)
	}
	for name, p := range target.Parameters {
		if p.NoEcho != (name == "ExternalId") {
			t.Errorf("%s is shown to whoever may look at the stack: %v", name, !p.NoEcho)
		}
	}
	outputs := stack(t, "target-account.yaml", west, targetParameters).Outputs
	if text := fmt.Sprint(outputs); strings.Contains(text, targetParameters["ExternalId"]) {
		t.Errorf("an output tells the external id: %s", text)
	}
	if got, want := outputs["AccountContext"], `{accountId: "999999999999", region: REGION, roleName: DRSOrchestrationRole, externalId: "${MUSTER_EXTERNAL_ID}"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
