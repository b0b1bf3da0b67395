package simulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// ec2State is EC2 in one account and region, as far as a recovery needs it: launch templates with their versions,
// subnets with their addresses, security groups and instances. It has no lock of its own and no clock: the world that
// holds it locks, and hands in the time. The same calls in the same order make the same state.
type ec2State struct {
	account string
	region  string

	templates map[string]*launchTemplate // by id
	tokens    map[string]usedToken       // by action and client token
	subnets   map[string]*ec2Subnet      // by id
	groups    map[string]*ec2SecurityGroup
	instances map[string]*ec2Instance

	lag time.Duration // how old what DescribeInstances tells is, in the call under way
}

func newEC2State(account, region string) *ec2State {
	return &ec2State{
		account:   account,
		region:    region,
		templates: make(map[string]*launchTemplate),
		tokens:    make(map[string]usedToken),
		subnets:   make(map[string]*ec2Subnet),
		groups:    make(map[string]*ec2SecurityGroup),
		instances: make(map[string]*ec2Instance),
	}
}

// ec2Call is one request. Its handler reads all its parameters from form, then asks ready, then acts.
type ec2Call struct {
	*form
	action string
	now    time.Time
	ids    func(prefix string) string
	caller string // an ARN
	dryRun bool
}

// ready gives what is wrong with the parameters, or EC2's odd way of saying that a dry run would have succeeded.
func (c *ec2Call) ready() *apiError {
	if err := c.finish(); err != nil {
		return err
	}
	if c.dryRun {
		return &apiError{
			Status: http.StatusPreconditionFailed, Code: "DryRunOperation",
			Message: "Request would have succeeded, but DryRun flag is set.",
		}
	}
	return nil
}

// ec2Action is one action of the API.
type ec2Action struct {
	run     func(*ec2State, *ec2Call) (map[string]any, *apiError)
	mutates bool
}

var ec2Actions = map[string]ec2Action{
	"CreateLaunchTemplate":           {(*ec2State).createLaunchTemplate, true},
	"CreateLaunchTemplateVersion":    {(*ec2State).createLaunchTemplateVersion, true},
	"ModifyLaunchTemplate":           {(*ec2State).modifyLaunchTemplate, true},
	"DescribeLaunchTemplates":        {(*ec2State).describeLaunchTemplates, false},
	"DescribeLaunchTemplateVersions": {(*ec2State).describeLaunchTemplateVersions, false},
	"DescribeSubnets":                {(*ec2State).describeSubnets, false},
	"DescribeSecurityGroups":         {(*ec2State).describeSecurityGroups, false},
	"DescribeInstances":              {(*ec2State).describeInstances, false},
	"TerminateInstances":             {(*ec2State).terminateInstances, true},
}

// actions are the names of what is implemented, in order.
func (s *ec2State) actions() []string { return sortedKeys(ec2Actions) }

// handle answers one request: form as it came, with Action and Version or without. ids makes an identifier from its
// prefix with the dash ("lt-" gives lt-0123456789abcdef0) and is asked only by a call that succeeds; callerARN is who
// asks. A failed call changes nothing. The result is for writeQueryAnswer.
func (s *ec2State) handle(action string, values url.Values, now time.Time, ids func(prefix string) string, callerARN string) (any, *apiError) {
	a, known := ec2Actions[action]
	if !known {
		return nil, unknownAction(action, s.actions())
	}
	if v := values.Get("Version"); v != "" && v != versionEC2 {
		return nil, badRequest("InvalidParameterValue", "The API version %s is not simulated; %s is", v, versionEC2)
	}
	c := &ec2Call{form: newForm(values), action: action, now: now, ids: ids, caller: callerARN}
	c.dryRun = c.boolean("DryRun")
	result, err := a.run(s, c)
	if err != nil {
		return nil, err
	}
	return result, nil
}

// usedToken is what a client token stands for. EC2 forgets tokens after a while that it does not tell; here they last.
type usedToken struct {
	request  string // the parameters, all of them
	template string
	version  int64
}

// clientToken reads the request's token and gives what an earlier request with it made. EC2 answers a repeated request
// with the first one's result and refuses to use a token for two different ones.
func (s *ec2State) clientToken(c *ec2Call) (key string, token usedToken, replayed bool) {
	t := c.text("ClientToken")
	if len(t) > 128 {
		c.fail("InvalidParameterValue", "The client token is longer than 128 characters")
	}
	request := url.Values{}
	for name, v := range c.values {
		if !slices.Contains([]string{"Action", "Version", "ClientToken", "DryRun"}, name) {
			request[name] = v
		}
	}
	token = usedToken{request: request.Encode()}
	if t == "" {
		return "", token, false
	}
	key = c.action + " " + t
	earlier, replayed := s.tokens[key]
	if !replayed {
		return key, token, false
	}
	if earlier.request != token.request {
		c.fail("IdempotentParameterMismatch", "Client token already used before.")
	}
	return key, earlier, true
}

// remember keeps what a request with a token has made.
func (s *ec2State) remember(key string, t usedToken, template string, version int64) {
	if key != "" {
		t.template, t.version = template, version
		s.tokens[key] = t
	}
}

// arn names a resource of this account and region: subnet/subnet-0123.
func (s *ec2State) arn(resource string) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s", s.region, s.account, resource)
}

// tagSet is a resource's tags as EC2 answers them, nil where there are none.
func tagSet(tags map[string]string) any {
	if len(tags) == 0 {
		return nil
	}
	var set []any
	for _, key := range sortedKeys(tags) {
		set = append(set, map[string]any{"key": key, "value": tags[key]})
	}
	return set
}
