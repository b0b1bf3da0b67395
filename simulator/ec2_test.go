package simulator

import (
	"encoding/xml"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 6, 12, 0, 0, 123456789, time.UTC)

const caller = "arn:aws:sts::123456789012:assumed-role/DRSOrchestrationRole/muster"

// ec2Test is a small EC2 with a caller.
type ec2Test struct {
	*ec2State
	t   *testing.T
	now time.Time
	n   int
}

func newEC2Test(t *testing.T) *ec2Test {
	e := &ec2Test{ec2State: newEC2State("123456789012", "us-west-2"), t: t, now: noon}
	for _, n := range []ec2Subnet{
		{ID: "subnet-a", CIDR: "10.0.1.0/24", Zone: "us-west-2a", VPC: "vpc-1", Free: 200, Tags: map[string]string{"Tier": "db"}},
		{ID: "subnet-b", CIDR: "10.0.2.0/28", Zone: "us-west-2b", VPC: "vpc-1", Free: -1},
		{ID: "subnet-c", CIDR: "10.1.0.0/24", Zone: "us-west-2a", VPC: "vpc-2", Free: 0},
	} {
		if err := e.addSubnet(n); err != nil {
			t.Fatal(err)
		}
	}
	e.addSecurityGroup(ec2SecurityGroup{ID: "sg-1", Name: "web", VPC: "vpc-1"})
	e.addSecurityGroup(ec2SecurityGroup{ID: "sg-2", Name: "db", VPC: "vpc-2"})
	return e
}

func (e *ec2Test) ids(prefix string) string {
	e.n++
	return fmt.Sprintf("%s%017x", prefix, e.n)
}

// call sends pairs of parameters and gives the answer as XML, or the error.
func (e *ec2Test) call(action string, pairs ...string) (string, *apiError) {
	e.t.Helper()
	values := url.Values{"Action": {action}, "Version": {versionEC2}}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	result, err := e.handle(action, values, e.now, e.ids, caller)
	if err != nil {
		return "", err
	}
	w := httptest.NewRecorder()
	writeQueryAnswer(w, serviceEC2, action, "r-1", result)
	return w.Body.String(), nil
}

// into calls and decodes the answer.
func (e *ec2Test) into(v any, action string, pairs ...string) {
	e.t.Helper()
	body, err := e.call(action, pairs...)
	if err != nil {
		e.t.Fatalf("%s %v: %v", action, pairs, err)
	}
	if err := xml.Unmarshal([]byte(body), v); err != nil {
		e.t.Fatalf("%s: %v\n%s", action, err, body)
	}
}

// refused calls and wants an error of that code, whose message holds about.
func (e *ec2Test) refused(code, about, action string, pairs ...string) {
	e.t.Helper()
	body, err := e.call(action, pairs...)
	if err == nil {
		e.t.Errorf("%s %v: got %s, want %s", action, pairs, body, code)
		return
	}
	if err.Code != code || !strings.Contains(err.Message, about) {
		e.t.Errorf("%s %v: got %v, want %s about %q", action, pairs, err, code, about)
	}
}

// What a client decodes.
type (
	wireTemplate struct {
		ID      string    `xml:"launchTemplateId"`
		Name    string    `xml:"launchTemplateName"`
		Created time.Time `xml:"createTime"`
		By      string    `xml:"createdBy"`
		Default int64     `xml:"defaultVersionNumber"`
		Latest  int64     `xml:"latestVersionNumber"`
		Tags    []wireTag `xml:"tagSet>item"`
	}
	wireVersion struct {
		ID          string   `xml:"launchTemplateId"`
		Number      int64    `xml:"versionNumber"`
		Default     bool     `xml:"defaultVersion"`
		By          string   `xml:"createdBy"`
		Description string   `xml:"versionDescription"`
		Data        wireData `xml:"launchTemplateData"`
	}
	wireData struct {
		InstanceType string          `xml:"instanceType"`
		ImageID      string          `xml:"imageId"`
		Profile      wireProfile     `xml:"iamInstanceProfile"`
		Interfaces   []wireInterface `xml:"networkInterfaceSet>item"`
		Devices      []wireDevice    `xml:"blockDeviceMappingSet>item"`
		Groups       []string        `xml:"securityGroupIdSet>item"`
		Tags         []wireTagging   `xml:"tagSpecificationSet>item"`
		HTTPTokens   string          `xml:"metadataOptions>httpTokens"`
		HopLimit     int             `xml:"metadataOptions>httpPutResponseHopLimit"`
		Monitoring   bool            `xml:"monitoring>enabled"`
		Future       string          `xml:"futureOption>mode"`
	}
	wireProfile struct {
		Arn  string `xml:"arn"`
		Name string `xml:"name"`
	}
	wireInterface struct {
		Index       int      `xml:"deviceIndex"`
		Subnet      string   `xml:"subnetId"`
		IP          string   `xml:"privateIpAddress"`
		Description string   `xml:"description"`
		Groups      []string `xml:"groupSet>groupId"`
	}
	wireDevice struct {
		Name     string `xml:"deviceName"`
		Size     int    `xml:"ebs>volumeSize"`
		Type     string `xml:"ebs>volumeType"`
		Snapshot string `xml:"ebs>snapshotId"`
	}
	wireTag struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	}
	wireTagging struct {
		Type string    `xml:"resourceType"`
		Tags []wireTag `xml:"tagSet>item"`
	}
	wireWarning struct {
		Codes []string `xml:"errorSet>item>code"`
	}
	templateAnswer struct {
		Template wireTemplate `xml:"launchTemplate"`
		Warning  wireWarning  `xml:"warning"`
	}
	versionAnswer struct {
		Version wireVersion `xml:"launchTemplateVersion"`
		Warning wireWarning `xml:"warning"`
	}
	templatesAnswer struct {
		Templates []wireTemplate `xml:"launchTemplates>item"`
		Next      string         `xml:"nextToken"`
	}
	versionsAnswer struct {
		Versions []wireVersion `xml:"launchTemplateVersionSet>item"`
		Next     string        `xml:"nextToken"`
	}
)

func TestWhatIsNotImplementedIsRefusedLoudly(t *testing.T) {
	e := newEC2Test(t)
	e.refused("InvalidAction", "RunInstances is not valid", "RunInstances")
	e.refused("InvalidAction", "CreateLaunchTemplate, CreateLaunchTemplateVersion", "RunInstances")
	e.refused("UnknownParameter", "Surprise", "DescribeSubnets", "Surprise", "1")
	e.refused("UnknownParameter", "LaunchTemplateData.Surprise", "CreateLaunchTemplate",
		"LaunchTemplateName", "web", "LaunchTemplateData.Surprise", "1")
	for _, action := range e.actions() {
		e.refused("UnknownParameter", "Surprise", action, "Surprise", "1")
		e.refused("UnknownParameter", "Surprise", action, "Surprise", "1", "DryRun", "true")
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	e := newEC2Test(t)
	e.refused("DryRunOperation", "would have succeeded", "CreateLaunchTemplate",
		"LaunchTemplateName", "web", "LaunchTemplateData.InstanceType", "m5.large", "DryRun", "true")
	if len(e.templates) != 0 {
		t.Error("a template was made")
	}
}

func TestOnlyWritesMutate(t *testing.T) {
	for _, action := range ec2Names {
		if got, want := mutates(serviceEC2, action), !strings.HasPrefix(action, "Describe"); got != want {
			t.Errorf("%s mutates: %t, want %t", action, got, want)
		}
	}
}
