package simulator

import (
	"net/url"
	"reflect"
	"testing"
)

func TestAFleetsTemplateMeansTheSameInEC2sWords(t *testing.T) {
	form, err := url.ParseQuery("D.InstanceType=m5.large&D.IamInstanceProfile.Name=app&D.Monitoring.Enabled=true" +
		"&D.MetadataOptions.HttpTokens=required&D.MetadataOptions.HttpPutResponseHopLimit=2" +
		"&D.NetworkInterface.1.DeviceIndex=0&D.NetworkInterface.1.SubnetId=subnet-a&D.NetworkInterface.1.PrivateIpAddress=10.0.1.9" +
		"&D.NetworkInterface.1.SecurityGroupId.1=sg-1&D.NetworkInterface.2.DeviceIndex=1&D.NetworkInterface.2.SubnetId=subnet-b" +
		"&D.BlockDeviceMapping.1.DeviceName=/dev/sda1&D.BlockDeviceMapping.1.Ebs.VolumeSize=100&D.BlockDeviceMapping.1.Ebs.VolumeType=gp3" +
		"&D.BlockDeviceMapping.1.Ebs.Encrypted=true&D.BlockDeviceMapping.1.Ebs.DeleteOnTermination=false" +
		"&D.TagSpecification.1.ResourceType=instance&D.TagSpecification.1.Tag.1.Key=Name&D.TagSpecification.1.Tag.1.Value=web" +
		"&D.TagSpecification.2.ResourceType=volume&D.TagSpecification.2.Tag.1.Key=Size&D.TagSpecification.2.Tag.1.Value=100")
	if err != nil {
		t.Fatal(err)
	}
	f := newForm(form)
	want := readTemplateData(f, "D")
	if err := f.finish(); err != nil {
		t.Fatal(err)
	}
	interfaces := []Interface{{Subnet: "subnet-b"}}
	devices := []BlockDevice{{Device: "/dev/sda1", SizeGiB: 100, Type: "gp3", Encrypted: true, Keep: true}}
	got := (&Template{
		InstanceType: "m5.large", InstanceProfile: "app", Monitoring: true, Metadata: &MetadataOptions{HTTPTokens: "required", HopLimit: 2},
		Subnet: "subnet-a", SecurityGroups: []string{"sg-1"}, PrivateIP: "10.0.1.9", Interfaces: interfaces, BlockDevices: devices,
		Tags: map[string]string{"Name": "web"}, VolumeTags: map[string]string{"Size": "100"},
	}).data()
	if !reflect.DeepEqual(got.fields, want.fields) {
		t.Errorf("got  %v\nwant %v", got.fields, want.fields)
	}
	if empty := (&Template{}).data(); len(empty.fields) != 0 {
		t.Errorf("an empty template says %v", empty.fields)
	}
}

func TestAFieldThatNobodyKnowsSurvivesANewVersion(t *testing.T) {
	e := newEC2Test(t)
	data := (&Template{InstanceType: "m5.large", Subnet: "subnet-a"}).data()
	data.fields["FutureOption"] = map[string]any{"Mode": "fast", "List": []any{"1", map[string]any{"A": "b"}}}
	e.addTemplate("lt-1", "web", e.now, data, "")
	var got versionAnswer
	e.into(&got, "CreateLaunchTemplateVersion", "LaunchTemplateId", "lt-1", "SourceVersion", "1", "LaunchTemplateData.InstanceType", "c5.large")
	if got.Version.Data.Future != "fast" || got.Version.Data.InstanceType != "c5.large" || got.Version.Data.Interfaces[0].Subnet != "subnet-a" {
		t.Errorf("got %+v", got)
	}
}
