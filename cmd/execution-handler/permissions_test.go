package main_test

import (
	"debug/elf"
	"debug/gosym"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"muster/cloudformation"
)

// clientMethod is an operation of a client of the AWS SDK, as the linker names it.
var clientMethod = regexp.MustCompile(`^github\.com/aws/aws-sdk-go-v2/service/(\w+)\.\(\*Client\)\.([A-Z]\w+)$`)

// operations gives every operation of AWS that the deployed function can make,
// as service:Operation: those methods of the SDK's clients that the linker left
// in it. A method that nothing calls is not there.
func operations(t *testing.T) []string {
	t.Helper()
	file, err := elf.Open(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := file.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(lines, file.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range table.Funcs {
		if m := clientMethod.FindStringSubmatch(f.Name); m != nil {
			all = append(all, m[1]+":"+m[2])
		}
	}
	return all
}

// neverCalled are operations that the SDK brings along for itself, and that a
// Lambda never comes to.
var neverCalled = map[string]string{
	"dynamodb:DescribeEndpoints":    "discovery of endpoints, off unless AWS_ENABLE_ENDPOINT_DISCOVERY says otherwise",
	"signin:CreateOAuth2Token":      "a way to credentials; those of a Lambda's role are in its environment",
	"sso:GetRoleCredentials":        "the same",
	"ssooidc:CreateToken":           "the same",
	"sts:AssumeRoleWithWebIdentity": "the same",
}

// prefixes are IAM's, where they are not the SDK's name of a service.
var prefixes = map[string]string{"sfn": "states"}

// also is what an operation needs beside its own action, as we call it: the
// Service Authorization Reference maps StartRecovery with tags to both.
var also = map[string]string{"drs:StartRecovery": "drs:TagResource"}

// needed gives the actions that the operations need, in the hub's own account
// and in those that it recovers.
func needed(t *testing.T, operations []string) (hub, target []string) {
	t.Helper()
	for _, op := range operations {
		if neverCalled[op] != "" {
			continue
		}
		service, name, _ := strings.Cut(op, ":")
		actions := []string{op}
		if prefix := prefixes[service]; prefix != "" {
			actions = []string{prefix + ":" + name}
		}
		if op == "dynamodb:TransactWriteItems" { // an action of its own it is not
			actions = transacted(t)
		}
		if more := also[op]; more != "" {
			actions = append(actions, more)
		}
		if service == "drs" || service == "ec2" {
			target = append(target, actions...)
		} else {
			hub = append(hub, actions...)
		}
	}
	return hub, target
}

// transacted gives the actions of what the store puts into transactions, as
// its source says.
func transacted(t *testing.T) []string {
	t.Helper()
	kinds := map[string]string{"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem", "ConditionCheck": "dynamodb:ConditionCheckItem"}
	files, err := filepath.Glob("../../dynamo/*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(source, func(n ast.Node) bool {
			if literal, ok := n.(*ast.CompositeLit); ok {
				if of, ok := literal.Type.(*ast.SelectorExpr); ok && fmt.Sprint(of.X) == "types" && kinds[of.Sel.Name] != "" {
					found[kinds[of.Sel.Name]] = true
				}
			}
			return true
		})
	}
	if len(found) == 0 {
		t.Fatal("the store transacts nothing")
	}
	return slices.Collect(maps.Keys(found))
}

// onBehalf is what AWS does with the hub's role, beside what Muster calls
// itself.
var onBehalf = map[string]string{
	"logs:CreateLogStream":      "Lambda writes the function's logs (Lambda guide, execution role)",
	"logs:PutLogEvents":         "the same",
	"dynamodb:DescribeStream":   "Lambda reads the table's stream (Lambda guide, using Lambda with DynamoDB)",
	"dynamodb:GetRecords":       "the same",
	"dynamodb:GetShardIterator": "the same",
	"dynamodb:ListStreams":      "the same",
	"sqs:SendMessage":           "Lambda keeps what it could not deliver (Lambda guide, destinations)",
	"kms:GenerateDataKey":       "SNS encrypts (SNS guide, key management), DynamoDB encrypts (DynamoDB guide, customer managed keys)",
	"kms:Decrypt":               "the same",
	"kms:CreateGrant":           "DynamoDB uses a customer's key (DynamoDB guide, customer managed keys)",
	"kms:DescribeKey":           "the same",
	"kms:Encrypt":               "the same",
	"kms:ReEncryptFrom":         "the same",
	"kms:ReEncryptTo":           "the same",
}

// allowed gives the actions that a policy of a template allows.
func allowed(t *testing.T, file, policy string, parameters map[string]string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../deploy", file))
	if err != nil {
		t.Fatal(err)
	}
	template, err := cloudformation.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	stack, err := template.Make(cloudformation.Place{Stack: "muster", Account: "999999999999", Region: "us-west-2", Partition: "aws", Suffix: "amazonaws.com"}, parameters)
	if err != nil {
		t.Fatal(err)
	}
	statements, err := stack.Statements(policy)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range statements {
		all = append(all, s.Actions...)
	}
	return all
}

// policies are the two that are held to what the function calls.
func policies(t *testing.T) (hub, target []string) {
	return allowed(t, "hub.yaml", "FunctionRolePolicy", map[string]string{"KmsKeyArn": "arn:aws:kms:us-west-2:999999999999:key/1"}),
		allowed(t, "target-account.yaml", "MusterPolicy", map[string]string{
			"HubRoleArn": "arn:aws:iam::999999999999:role/muster", "ExternalId": strings.Repeat("x", 16), "InstanceRoles": "-",
		})
}

// judge says what a policy lacks, and what it allows for nothing.
func judge(policy string, allowed, needed []string) (wrong []string) {
	for _, action := range needed {
		if !slices.Contains(allowed, action) {
			wrong = append(wrong, policy+" lacks "+action+", which the function calls")
		}
	}
	for _, action := range allowed {
		if !slices.Contains(needed, action) {
			wrong = append(wrong, policy+" allows "+action+", which nothing uses")
		}
	}
	return wrong
}

func TestTheFunctionMayDoWhatItCallsAndNothingElse(t *testing.T) {
	made := operations(t)
	if !slices.Contains(made, "drs:StartRecovery") || len(made) > 60 {
		t.Fatalf("the function's operations cannot be told: the linker left %d of them, where it should leave those that are called.\n"+
			"Something has come into the function that finds methods by their names (text/template does).\n%v", len(made), made)
	}
	hub, target := needed(t, made)
	hub = append(hub, slices.Collect(maps.Keys(onBehalf))...)
	hubAllows, targetAllows := policies(t)
	for _, wrong := range slices.Concat(judge("FunctionRolePolicy of hub.yaml", hubAllows, hub), judge("MusterPolicy of target-account.yaml", targetAllows, target)) {
		t.Error(wrong)
	}
}

func TestAnActionTooFewOrTooManyIsNamed(t *testing.T) {
	hub, target := needed(t, operations(t))
	hub = append(hub, slices.Collect(maps.Keys(onBehalf))...)
	hubAllows, targetAllows := policies(t)
	for _, c := range []struct {
		policy          string
		allowed, needed []string
	}{{"hub", hubAllows, hub}, {"target", targetAllows, target}} {
		if len(c.allowed) < 10 {
			t.Fatalf("the policy %s allows %v", c.policy, c.allowed)
		}
		for _, action := range c.allowed {
			less := slices.DeleteFunc(slices.Clone(c.allowed), func(a string) bool { return a == action })
			if got := judge("P", less, c.needed); !slices.Contains(got, "P lacks "+action+", which the function calls") {
				t.Errorf("%s without %s: %q", c.policy, action, got)
			}
		}
		if got := judge("P", append(slices.Clone(c.allowed), "ec2:DeleteVpc"), c.needed); !slices.Contains(got, "P allows ec2:DeleteVpc, which nothing uses") {
			t.Errorf("got %q", got)
		}
	}
}
