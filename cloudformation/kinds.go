package cloudformation

import (
	"fmt"
	"strings"
)

// kind is what can be referred to of a type of resource. In the texts, {name}
// is the resource's physical name, {…} a property or a part of the place.
type kind struct {
	named      string // the property that names it; "": CloudFormation makes a name up
	ref        string
	attributes map[string]string
	global     bool // its name is the account's, and not a region's
}

const arn = "arn:{partition}:"

var kinds = map[string]kind{
	"AWS::CloudWatch::Alarm":           {ref: "{name}"},
	"AWS::DynamoDB::Table":             {named: "TableName", ref: "{name}", attributes: map[string]string{"Arn": arn + "dynamodb:{region}:{account}:table/{name}", "StreamArn": arn + "dynamodb:{region}:{account}:table/{name}/stream/2026-01-01T00:00:00.000"}},
	"AWS::Events::Rule":                {named: "Name", ref: "{name}", attributes: map[string]string{"Arn": arn + "events:{region}:{account}:rule/{name}"}},
	"AWS::IAM::ManagedPolicy":          {named: "ManagedPolicyName", ref: arn + "iam::{account}:policy/{name}", global: true},
	"AWS::IAM::Role":                   {named: "RoleName", ref: "{name}", attributes: map[string]string{"Arn": arn + "iam::{account}:role/{name}"}, global: true},
	"AWS::IAM::RolePolicy":             {ref: "{name}"},
	"AWS::KMS::Key":                    {ref: "{name}", attributes: map[string]string{"Arn": arn + "kms:{region}:{account}:key/{name}"}},
	"AWS::Lambda::Alias":               {ref: arn + "lambda:{region}:{account}:function:{FunctionName}:{Name}"},
	"AWS::Lambda::EventInvokeConfig":   {ref: "{name}"},
	"AWS::Lambda::EventSourceMapping":  {ref: "{name}"},
	"AWS::Lambda::Function":            {named: "FunctionName", ref: "{name}", attributes: map[string]string{"Arn": arn + "lambda:{region}:{account}:function:{name}"}},
	"AWS::Lambda::Permission":          {ref: "{name}"},
	"AWS::Logs::LogGroup":              {named: "LogGroupName", ref: "{name}", attributes: map[string]string{"Arn": arn + "logs:{region}:{account}:log-group:{name}:*"}},
	"AWS::SNS::Subscription":           {ref: "{name}"},
	"AWS::SNS::Topic":                  {named: "TopicName", ref: arn + "sns:{region}:{account}:{name}"},
	"AWS::SNS::TopicPolicy":            {ref: "{name}"},
	"AWS::SQS::Queue":                  {named: "QueueName", ref: "https://sqs.{region}.{suffix}/{account}/{name}", attributes: map[string]string{"Arn": arn + "sqs:{region}:{account}:{name}", "QueueName": "{name}"}},
	"AWS::SQS::QueuePolicy":            {ref: "{name}"},
	"AWS::StepFunctions::StateMachine": {named: "StateMachineName", ref: arn + "states:{region}:{account}:stateMachine:{name}", attributes: map[string]string{"Name": "{name}"}},
}

// physical says what a reference to a resource gives.
func (s *Stack) physical(r ref) string {
	resource := s.template.Resources[r.name]
	k := kinds[resource.Type]
	if !s.holds(resource.Condition) {
		s.problems.say("%s is referred to, and not made", r)
	}
	text := k.ref
	if r.attribute != "" {
		text = k.attributes[r.attribute]
	}
	name := s.name(r.name)
	if given := resource.Properties[k.named]; given != nil {
		name = fmt.Sprint(s.fill(given))
	}
	property := func(key string) string {
		if !strings.Contains(text, "{"+key+"}") {
			return ""
		}
		return fmt.Sprint(s.fill(resource.Properties[key]))
	}
	return strings.NewReplacer(
		"{name}", name, "{partition}", s.Partition, "{region}", s.Region, "{account}", s.Account, "{suffix}", s.Suffix,
		"{FunctionName}", property("FunctionName"), "{Name}", property("Name"),
	).Replace(text)
}

// Names gives the names that the template itself gives to resources, which no
// two stacks may share: by account for a global one, else by account and
// region.
func (s *Stack) Names() []string {
	var all []string
	for _, r := range s.Resources {
		k := kinds[r.Type]
		given := r.Properties[k.named]
		if given == nil {
			continue
		}
		place := s.Account
		if !k.global {
			place += " " + s.Region
		}
		all = append(all, fmt.Sprintf("%s %s in %s", r.Type, given, place))
	}
	return all
}
