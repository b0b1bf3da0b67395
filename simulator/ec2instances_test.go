package simulator

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

type instancesAnswer struct {
	Reservations []struct {
		ID        string         `xml:"reservationId"`
		Owner     string         `xml:"ownerId"`
		Instances []wireInstance `xml:"instancesSet>item"`
	} `xml:"reservationSet>item"`
	Next string `xml:"nextToken"`
}

type wireInstance struct {
	ID      string    `xml:"instanceId"`
	Type    string    `xml:"instanceType"`
	State   string    `xml:"instanceState>name"`
	Code    int       `xml:"instanceState>code"`
	Subnet  string    `xml:"subnetId"`
	VPC     string    `xml:"vpcId"`
	Zone    string    `xml:"placement>availabilityZone"`
	IP      string    `xml:"privateIpAddress"`
	Groups  []string  `xml:"groupSet>item>groupId"`
	Profile string    `xml:"iamInstanceProfile>arn"`
	At      time.Time `xml:"launchTime"`
	Tags    []wireTag `xml:"tagSet>item"`
}

func (a instancesAnswer) ids() []string {
	var ids []string
	for _, r := range a.Reservations {
		for _, i := range r.Instances {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func TestAnInstanceIsWhatItsTemplateSays(t *testing.T) {
	e := newEC2Test(t)
	d := (&Template{
		InstanceType: "m5.large", Subnet: "subnet-a", SecurityGroups: []string{"sg-1"}, InstanceProfile: "app", Tags: map[string]string{"Name": "web"},
	}).data()
	i := instanceFromTemplate(d)
	i.ID, i.LaunchTime = "i-1", e.now.Truncate(time.Second)
	i.PrivateIP, _ = e.takeAddress(i.Subnet)
	e.addInstance(i)
	var got instancesAnswer
	e.into(&got, "DescribeInstances", "InstanceId.1", "i-1")
	want := wireInstance{
		ID: "i-1", Type: "m5.large", State: "running", Code: 16, Subnet: "subnet-a", VPC: "vpc-1", Zone: "us-west-2a", IP: "10.0.1.4",
		Groups: []string{"sg-1"}, Profile: "arn:aws:iam::123456789012:instance-profile/app", At: e.now.Truncate(time.Second), Tags: []wireTag{{"Name", "web"}},
	}
	if len(got.Reservations) != 1 || got.Reservations[0].Owner != "123456789012" || !reflect.DeepEqual(got.Reservations[0].Instances, []wireInstance{want}) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestATerminatedInstanceGivesItsAddressBackAndIsForgottenAfterAnHour(t *testing.T) {
	e := newEC2Test(t)
	ip, _ := e.takeAddress("subnet-a")
	e.addInstance(ec2Instance{ID: "i-1", Subnet: "subnet-a", PrivateIP: ip})
	e.setInstanceState(e.now, "i-1", "stopped")
	if !e.terminateInstance("i-1", e.now) || e.terminateInstance("i-1", e.now) || e.terminateInstance("i-none", e.now) {
		t.Error("an instance ends once")
	}
	e.setInstanceState(e.now, "i-1", "running")
	if i, ok := e.instance("i-1"); !ok || i.State != "terminated" || e.subnets["subnet-a"].Free != 200 {
		t.Errorf("got %+v, %d free", i, e.subnets["subnet-a"].Free)
	}
	var got instancesAnswer
	e.into(&got, "DescribeInstances", "InstanceId.1", "i-1")
	if i := got.Reservations[0].Instances[0]; i.State != "terminated" || i.Code != 48 || i.IP != "" || i.Subnet != "" {
		t.Errorf("got %+v", i)
	}
	e.now = e.now.Add(time.Hour)
	e.refused("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist", "DescribeInstances", "InstanceId.1", "i-1")
}

func TestInstancesAreFilteredGroupedAndPaged(t *testing.T) {
	e := newEC2Test(t)
	for i := range 12 {
		e.addInstance(ec2Instance{
			ID: fmt.Sprintf("i-%02d", i), Reservation: fmt.Sprintf("r-%d", i/4), Subnet: "subnet-a",
			State: []string{"running", "stopped"}[i%2], Tags: map[string]string{"N": fmt.Sprint(i)},
		})
	}
	var all instancesAnswer
	e.into(&all, "DescribeInstances")
	if len(all.Reservations) != 3 || len(all.ids()) != 12 {
		t.Errorf("got %+v", all)
	}
	var got []string
	next := ""
	for page := range 3 {
		pairs := []string{"MaxResults", "5"}
		if next != "" {
			pairs = append(pairs, "NextToken", next)
		}
		var answer instancesAnswer
		e.into(&answer, "DescribeInstances", pairs...)
		got, next = append(got, answer.ids()...), answer.Next
		if (next == "") != (page == 2) {
			t.Fatalf("page %d: next is %q", page, next)
		}
	}
	if !reflect.DeepEqual(got, all.ids()) {
		t.Errorf("got %v, want %v", got, all.ids())
	}
	var filtered instancesAnswer
	e.into(&filtered, "DescribeInstances", "Filter.1.Name", "instance-state-name", "Filter.1.Value.1", "stopped",
		"Filter.2.Name", "tag:N", "Filter.2.Value.1", "1*", "Filter.3.Name", "vpc-id", "Filter.3.Value.1", "vpc-1")
	if want := []string{"i-01", "i-11"}; !reflect.DeepEqual(filtered.ids(), want) {
		t.Errorf("got %v, want %v", filtered.ids(), want)
	}
	e.refused("InvalidParameterCombination", "maxResults", "DescribeInstances", "InstanceId.1", "i-01", "MaxResults", "5")
	e.refused("InvalidInstanceID.Malformed", "s-1", "DescribeInstances", "InstanceId.1", "s-1")
	e.refused("InvalidParameterValue", "'color' is invalid", "DescribeInstances", "Filter.1.Name", "color", "Filter.1.Value.1", "x")
}

func TestInstancesCanBeFoundByEachOfTheirAttributes(t *testing.T) {
	e := newEC2Test(t)
	e.addInstance(ec2Instance{ID: "i-1", Type: "m5.large", Subnet: "subnet-a", PrivateIP: "10.0.1.9", Groups: []string{"sg-1", "sg-2"}})
	e.addInstance(ec2Instance{ID: "i-2", Type: "c5.large", State: "stopped"})
	for name, value := range map[string]string{
		"instance-id": "i-1", "instance-state-name": "running", "instance-state-code": "16", "instance-type": "m5.*", "subnet-id": "subnet-a",
		"private-ip-address": "10.0.1.9", "reservation-id": "r-1", "instance.group-id": "sg-2", "vpc-id": "vpc-1", "availability-zone": "us-west-2a",
	} {
		var got instancesAnswer
		e.into(&got, "DescribeInstances", "Filter.1.Name", name, "Filter.1.Value.1", value)
		if ids := got.ids(); len(ids) != 1 || ids[0] != "i-1" {
			t.Errorf("%s: got %v", name, ids)
		}
	}
}
