package simulator

import (
	"net/url"
	"reflect"
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

func fromYAML(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAFleetsTemplateMeansTheSameInShortAndInEC2sWords(t *testing.T) {
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
	for name, text := range map[string]string{
		"short": `
instanceType: m5.large
instanceProfile: app
monitoring: true
metadata: {httpTokens: required, httpPutResponseHopLimit: 2}
subnet: subnet-a
securityGroups: [sg-1]
privateIp: 10.0.1.9
interfaces: [{subnet: subnet-b}]
blockDevices: [{device: /dev/sda1, sizeGiB: 100, type: gp3, encrypted: true, keep: true}]
tags: {Name: web}
volumeTags: {Size: 100}
`,
		"as the SDKs": `
InstanceType: m5.large
IamInstanceProfile: {Name: app}
Monitoring: {Enabled: true}
MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 2}
NetworkInterfaces:
  - {DeviceIndex: 0, SubnetId: subnet-a, Groups: [sg-1], PrivateIpAddress: 10.0.1.9}
  - {DeviceIndex: 1, SubnetId: subnet-b}
BlockDeviceMappings: [{DeviceName: /dev/sda1, Ebs: {VolumeSize: 100, VolumeType: gp3, Encrypted: true, DeleteOnTermination: false}}]
TagSpecifications:
  - {ResourceType: instance, Tags: [{Key: Name, Value: web}]}
  - {ResourceType: volume, Tags: [{Key: Size, Value: "100"}]}
`,
		"mixed": `
instanceType: m5.large
iamInstanceProfile: {name: app}
monitoring: {enabled: true}
metadataOptions: {httpTokens: required, httpPutResponseHopLimit: 2}
networkInterfaces: [{subnet: subnet-a, securityGroups: [sg-1]}, {SubnetId: subnet-b}]
privateIp: 10.0.1.9
blockDevices: [{DeviceName: /dev/sda1, size: 100, Ebs: {volumeType: gp3, encrypted: true, deleteOnTermination: false}}]
tags: {Name: web}
volumeTags: {Size: "100"}
`,
	} {
		t.Run(name, func(t *testing.T) {
			got, problems := templateDataFromFleet(fromYAML(t, text))
			if problems != nil {
				t.Fatal(problems)
			}
			if !reflect.DeepEqual(got.fields, want.fields) {
				t.Errorf("got  %v\nwant %v", got.fields, want.fields)
			}
		})
	}
}

func TestAFleetsTemplateTellsAllThatIsWrong(t *testing.T) {
	_, problems := templateDataFromFleet(fromYAML(t, `
instancetyp: m5.large
privateIp: 10.0.0.300
securityGroups: sg-1
blockDevices: [{device: /dev/sda1, sice: 100}, gp3]
metadataOptions: {httpTokenz: required}
monitoring: maybe
ebsOptimized: "yes"
tags: [Name]
`))
	var got []string
	for _, p := range problems {
		got = append(got, p.Path)
	}
	slices.Sort(got)
	want := []string{"blockDevices[0].sice", "blockDevices[1]", "ebsOptimized", "instancetyp", "metadataOptions.httpTokenz", "monitoring", "privateIp", "securityGroups", "tags"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_, problems = templateDataFromFleet(fromYAML(t, `{subnet: subnet-a, SecurityGroupIds: [sg-1]}`))
	if len(problems) != 1 {
		t.Errorf("what EC2 would refuse is a problem, too: got %v", problems)
	}
}

func TestAFieldThatNobodyKnowsSurvivesANewVersion(t *testing.T) {
	e := newEC2Test(t)
	data, problems := templateDataFromFleet(fromYAML(t, `{instanceType: m5.large, FutureOption: {Mode: fast, List: [1, {A: b}]}, subnet: subnet-a}`))
	if problems != nil {
		t.Fatal(problems)
	}
	e.addTemplate("lt-1", "web", e.now, data, "")
	var got versionAnswer
	e.into(&got, "CreateLaunchTemplateVersion", "LaunchTemplateId", "lt-1", "SourceVersion", "1", "LaunchTemplateData.InstanceType", "c5.large")
	if got.Version.Data.Future != "fast" || got.Version.Data.InstanceType != "c5.large" || got.Version.Data.Interfaces[0].Subnet != "subnet-a" {
		t.Errorf("got %+v", got)
	}
}
