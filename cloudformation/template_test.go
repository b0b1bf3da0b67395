package cloudformation_test

import (
	"strings"
	"testing"

	"muster/cloudformation"

	"github.com/google/go-cmp/cmp"
)

var place = cloudformation.Place{Stack: "dr", Account: "111122223333", Region: "cn-north-1", Partition: "aws-cn", Suffix: "amazonaws.com.cn"}

const small = `
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Key: {Type: String, Default: "", AllowedPattern: '|key-[0-9]+', ConstraintDescription: must be key-NUMBER or empty}
  Days: {Type: Number, MinValue: 1, MaxValue: 9}
  More: {Type: CommaDelimitedList, Default: ""}
Conditions:
  HasKey: !Not [!Equals [!Ref Key, ""]]
  HasMore: !Not [!Equals [!Join ["", !Ref More], ""]]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub ${AWS::StackName}-${Kind}-${Days}
      KmsMasterKeyId: !If [HasKey, !Ref Key, !Ref AWS::NoValue]
  Role:
    Type: AWS::IAM::Role
    DependsOn: Topic
    Properties:
      ManagedPolicyArns: !If [HasMore, !Ref More, !Ref AWS::NoValue]
      Policy:
        - !If [HasKey, {Sid: Key}, !Ref AWS::NoValue]
        - Sid: !Select [1, !Split [":", "a:b:c"]]
          Resource: !Sub ["${Topic}/${!Literal}/${X}", {X: !GetAtt Queue.Arn}]
          Condition: {StringEquals: {aws:SourceAccount: !Ref AWS::AccountId}}
  Queue:
    Type: AWS::SQS::Queue
Outputs:
  Topic: {Value: !Ref Topic, Description: the topic}
  Key: {Condition: HasKey, Value: !Ref Key}
`

func TestAStackHoldsItsTemplateFilledIn(t *testing.T) {
	template, err := cloudformation.Parse([]byte(strings.Replace(small, "-${Kind}", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	stack, err := template.Make(place, map[string]string{"Days": "3", "More": "a,b"})
	if err != nil {
		t.Fatal(err)
	}
	const topic = "arn:aws-cn:sns:cn-north-1:111122223333:dr-3"
	queue := stack.Outputs["Topic"] // the queue's name is made up: taken from what refers to it
	if queue != topic {
		t.Errorf("the output is %s, want %s", queue, topic)
	}
	role := stack.Resources["Role"].Properties
	statement := role["Policy"].([]any)[0].(map[string]any)
	resource, _ := statement["Resource"].(string)
	if !strings.HasPrefix(resource, topic+"/${Literal}/arn:aws-cn:sqs:cn-north-1:111122223333:dr-Queue-") {
		t.Errorf("got %s", resource)
	}
	delete(statement, "Resource")
	want := map[string]any{
		"ManagedPolicyArns": []any{"a", "b"},
		"Policy":            []any{map[string]any{"Sid": "b", "Condition": map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": "111122223333"}}}},
	}
	if diff := cmp.Diff(want, role); diff != "" {
		t.Error(diff)
	}
	if got := stack.Resources["Topic"].Properties; len(got) != 1 {
		t.Errorf("a topic without a key has %v", got)
	}
	if diff := cmp.Diff([]string{"AWS::SNS::Topic dr-3 in 111122223333 cn-north-1"}, stack.Names()); diff != "" {
		t.Error(diff)
	}
	if _, made := stack.Outputs["Key"]; made {
		t.Error("an output is there whose condition does not hold")
	}
}

func TestParametersAreHeldToTheirRules(t *testing.T) {
	template, err := cloudformation.Parse([]byte(strings.Replace(small, "-${Kind}", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = template.Make(place, map[string]string{"Key": "key-x", "Days": "10", "Dais": "1"})
	const want = "the parameter Days is not allowed: it is too small or too large\n" +
		"the parameter Key is not allowed: it must be key-NUMBER or empty\nthere is no parameter Dais"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	if _, err := template.Make(place, nil); err == nil || err.Error() != "the parameter Days is missing" {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsWrongWithATemplateIsNamed(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"a variable that is nothing", "", "", "Resources.Topic: there is no Kind"},
		{"a reference that leads nowhere", "!Ref Topic, Desc", "!Ref Topik, Desc", "Outputs.Topic: there is no Topik"},
		{"an attribute that is not there", "Queue.Arn", "Queue.Url", "Resources.Role: a AWS::SQS::Queue has no attribute Url that is known here"},
		{"a function that is not known", "!Select [1, ", "!Base64 [1, ", "Resources.Role: the function Fn::Base64 is not known here"},
		{"a type that is not known", "AWS::SQS::Queue", "AWS::SQS::Kew", `Resources.Queue is of the type "AWS::SQS::Kew", which is not known here`},
		{"a condition that is not there", "Condition: HasKey", "Condition: HasKeys", "Outputs.Key: there is no condition HasKeys"},
		{"a dependence on nothing", "DependsOn: Topic", "DependsOn: Topics", "Resources.Role: there is no Topics to depend on"},
		{"a parameter that nobody uses", "Parameters:", "Parameters:\n  Idle: {Type: String}", "nothing uses Idle"},
		{"a default that is not allowed", `Default: "", AllowedPattern`, `Default: "x", AllowedPattern`, "Parameters.Key.Default is not allowed: it must be key-NUMBER or empty"},
		{"a pseudo parameter that is none", "${AWS::StackName}", "${AWS::Stack}", "Resources.Topic: AWS::Stack is not known here"},
		{"a variable of Fn::Sub that is not used", "/${X}", "/${X2}", "Resources.Role: the text of Fn::Sub has no ${X}"},
		{"a Fn::Sub for nothing", "!Sub ${AWS::StackName}-${Kind}-${Days}", "!Sub plain", `Resources.Topic: Fn::Sub has nothing to fill in in "plain"`},
		{"a key given twice", "    Type: AWS::SQS::Queue", "    Type: AWS::SQS::Queue\n    Type: AWS::SQS::Queue", `mapping key "Type" already defined`},
		{"a section that is not known", "Outputs:", "Transform: x\nOutputs:", "field Transform not found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(small, c.old, c.new, 1)
			if c.old != "" && text == small {
				t.Fatal("nothing was changed")
			}
			_, err := cloudformation.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}
