package simulator

import (
	"reflect"
	"slices"
	"testing"
)

func TestTemplateDataReadsWhatItsSettersWrote(t *testing.T) {
	d := newTemplateData()
	if d.InstanceType()+d.Subnet()+d.PrivateIP()+d.InstanceProfile() != "" || d.SecurityGroups() != nil || len(d.Tags("instance")) != 0 {
		t.Error("an empty template says something")
	}
	d.SetPrivateIP("")
	d.SetInstanceProfile("")
	d.SetTags("volume", nil)
	if len(d.fields) != 0 {
		t.Errorf("removing what is not there adds %v", d.fields)
	}
	d.SetInstanceType("m5.large")
	d.SetSubnet("subnet-a")
	d.SetSecurityGroups([]string{"sg-1", "sg-2"})
	d.SetPrivateIP("10.0.1.9")
	d.SetInstanceProfile("arn:aws:iam::123456789012:instance-profile/app")
	d.SetTags("instance", map[string]string{"Name": "web"})
	d.SetTags("volume", map[string]string{"A": "b"})
	d.SetTags("instance", map[string]string{"Name": "db", "Tier": "db"})
	d.SetDevices(map[string]int64{"/dev/sdb": 500, "/dev/sda1": 100}, "gp3")
	if d.InstanceType() != "m5.large" || d.Subnet() != "subnet-a" || d.PrivateIP() != "10.0.1.9" ||
		!slices.Equal(d.SecurityGroups(), []string{"sg-1", "sg-2"}) ||
		d.InstanceProfile() != "arn:aws:iam::123456789012:instance-profile/app" ||
		!reflect.DeepEqual(d.Tags("instance"), map[string]string{"Name": "db", "Tier": "db"}) ||
		!reflect.DeepEqual(d.Tags("volume"), map[string]string{"A": "b"}) {
		t.Errorf("got %v", d.fields)
	}
	if first, _ := child(d.fields["BlockDeviceMapping"].([]any)[0], "Ebs"); leaf(first, "VolumeSize") != "100" {
		t.Errorf("got %v", d.fields["BlockDeviceMapping"])
	}
	if err := d.check(); err != nil {
		t.Error(err)
	}
	d.SetPrivateIP("")
	d.SetInstanceProfile("app")
	d.SetInstanceType("")
	if d.PrivateIP() != "" || d.InstanceProfile() != "app" || d.InstanceType() != "" || d.Subnet() != "subnet-a" {
		t.Errorf("got %v", d.fields)
	}
}

func TestTheFirstInterfaceIsTheOneWithIndexZero(t *testing.T) {
	d := &templateData{fields: map[string]any{
		"NetworkInterface": []any{
			map[string]any{"DeviceIndex": "1", "SubnetId": "subnet-b"},
			map[string]any{"DeviceIndex": "0", "SubnetId": "subnet-a", "Description": "main"},
		},
	}}
	if got := d.Subnet(); got != "subnet-a" {
		t.Errorf("got %s", got)
	}
	d.SetSubnet("subnet-c")
	list := d.fields["NetworkInterface"].([]any)
	if len(list) != 2 || leaf(list[0].(map[string]any), "SubnetId") != "subnet-b" || leaf(list[1].(map[string]any), "Description") != "main" {
		t.Errorf("got %v", list)
	}
}

func TestGroupsAtTheTopMoveToTheInterface(t *testing.T) {
	d := &templateData{fields: map[string]any{"SecurityGroupId": []any{"sg-1"}}}
	if !slices.Equal(d.SecurityGroups(), []string{"sg-1"}) {
		t.Errorf("got %v", d.SecurityGroups())
	}
	d.SetSecurityGroups([]string{"sg-2"})
	if d.fields["SecurityGroupId"] != nil || !slices.Equal(d.SecurityGroups(), []string{"sg-2"}) {
		t.Errorf("got %v", d.fields)
	}
}

func TestACloneSharesNothing(t *testing.T) {
	d := newTemplateData()
	d.SetSubnet("subnet-a")
	d.SetTags("instance", map[string]string{"A": "b"})
	c := d.clone()
	c.SetSubnet("subnet-b")
	c.SetTags("instance", map[string]string{"A": "c"})
	c.fields["NetworkInterface"].([]any)[0].(map[string]any)["Description"] = "x"
	if d.Subnet() != "subnet-a" || d.Tags("instance")["A"] != "b" || leaf(d.firstInterface(false), "Description") != "" {
		t.Errorf("got %v", d.fields)
	}
}

func TestTheTableOfFieldsIsWhole(t *testing.T) {
	kinds := map[string]int{}
	var count func(*templateField)
	count = func(f *templateField) {
		for name, inside := range f.Fields {
			kinds[inside.Kind]++
			nested := inside.Kind == "object" || inside.Kind == "objects"
			if nested != (len(inside.Fields) > 0) {
				t.Errorf("%s is of kind %s and has %d fields", name, inside.Kind, len(inside.Fields))
			}
			count(inside)
		}
	}
	count(templateFields())
	want := map[string]int{"text": 71, "flag": 20, "number": 39, "object": 32, "objects": 14, "texts": 11}
	if !reflect.DeepEqual(kinds, want) {
		t.Errorf("got %v, want %v", kinds, want)
	}
	if got := templateFields().Fields["NetworkInterface"].Fields["SecurityGroupId"]; got.Wire != "groupSet" || got.Element != "groupId" {
		t.Errorf("got %+v", got)
	}
}
