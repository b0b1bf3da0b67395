package simulator

import (
	"reflect"
	"slices"
	"testing"
)

func TestTemplateDataTellsWhatATemplateSays(t *testing.T) {
	d := newTemplateData()
	if d.InstanceType()+d.Subnet()+d.PrivateIP()+d.InstanceProfile() != "" || d.SecurityGroups() != nil || len(d.Tags("instance")) != 0 {
		t.Error("an empty template says something")
	}
	d = (&Template{
		InstanceType: "m5.large", Subnet: "subnet-a", SecurityGroups: []string{"sg-1", "sg-2"}, PrivateIP: "10.0.1.9",
		InstanceProfile: "arn:aws:iam::123456789012:instance-profile/app", Tags: map[string]string{"Name": "db", "Tier": "db"}, VolumeTags: map[string]string{"A": "b"},
	}).data()
	if d.InstanceType() != "m5.large" || d.Subnet() != "subnet-a" || d.PrivateIP() != "10.0.1.9" ||
		!slices.Equal(d.SecurityGroups(), []string{"sg-1", "sg-2"}) ||
		d.InstanceProfile() != "arn:aws:iam::123456789012:instance-profile/app" ||
		!reflect.DeepEqual(d.Tags("instance"), map[string]string{"Name": "db", "Tier": "db"}) ||
		!reflect.DeepEqual(d.Tags("volume"), map[string]string{"A": "b"}) {
		t.Errorf("got %v", d.fields)
	}
	if err := d.check(); err != nil {
		t.Error(err)
	}
}

func TestTheFirstInterfaceIsTheOneWithIndexZero(t *testing.T) {
	d := &templateData{fields: map[string]any{
		"NetworkInterface": []any{
			map[string]any{"DeviceIndex": "1", "SubnetId": "subnet-b"},
			map[string]any{"DeviceIndex": "0", "SubnetId": "subnet-a"},
		},
	}}
	if got := d.Subnet(); got != "subnet-a" {
		t.Errorf("got %s", got)
	}
}

func TestGroupsMayBeAtTheTop(t *testing.T) {
	d := &templateData{fields: map[string]any{"SecurityGroupId": []any{"sg-1"}}}
	if !slices.Equal(d.SecurityGroups(), []string{"sg-1"}) {
		t.Errorf("got %v", d.SecurityGroups())
	}
}

func TestACloneSharesNothing(t *testing.T) {
	d := (&Template{Subnet: "subnet-a", Tags: map[string]string{"A": "b"}}).data()
	c := d.clone()
	c.firstInterface()["SubnetId"] = "subnet-b"
	c.fields["TagSpecification"].([]any)[0].(map[string]any)["ResourceType"] = "volume"
	if d.Subnet() != "subnet-a" || d.Tags("instance")["A"] != "b" {
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
