package simulator

import (
	"fmt"
	"reflect"
	"testing"
)

// A template as DRS keeps one, in the parameters of a request.
var drsLike = []string{
	"LaunchTemplateData.InstanceType", "m5.large",
	"LaunchTemplateData.ImageId", "ami-1",
	"LaunchTemplateData.IamInstanceProfile.Name", "app",
	"LaunchTemplateData.Monitoring.Enabled", "true",
	"LaunchTemplateData.MetadataOptions.HttpTokens", "required",
	"LaunchTemplateData.MetadataOptions.HttpPutResponseHopLimit", "2",
	"LaunchTemplateData.BlockDeviceMapping.1.DeviceName", "/dev/sda1",
	"LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize", "100",
	"LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeType", "gp3",
	"LaunchTemplateData.BlockDeviceMapping.1.Ebs.SnapshotId", "snap-1",
	"LaunchTemplateData.BlockDeviceMapping.2.DeviceName", "/dev/sdb",
	"LaunchTemplateData.BlockDeviceMapping.2.Ebs.VolumeSize", "500",
	"LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0",
	"LaunchTemplateData.NetworkInterface.1.SubnetId", "subnet-a",
	"LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1", "sg-1",
	"LaunchTemplateData.NetworkInterface.1.SecurityGroupId.2", "sg-2",
	"LaunchTemplateData.NetworkInterface.2.DeviceIndex", "1",
	"LaunchTemplateData.NetworkInterface.2.Description", "backup",
	"LaunchTemplateData.TagSpecification.1.ResourceType", "instance",
	"LaunchTemplateData.TagSpecification.1.Tag.1.Key", "Name",
	"LaunchTemplateData.TagSpecification.1.Tag.1.Value", "web & <co>",
}

func (e *ec2Test) template(name string) string {
	e.t.Helper()
	var got templateAnswer
	e.into(&got, "CreateLaunchTemplate", append([]string{"LaunchTemplateName", name}, drsLike...)...)
	return got.Template.ID
}

func TestATemplateIsAnsweredAsItWasMade(t *testing.T) {
	e := newEC2Test(t)
	var made templateAnswer
	e.into(&made, "CreateLaunchTemplate", append([]string{
		"LaunchTemplateName", "web", "VersionDescription", "first",
		"TagSpecification.1.ResourceType", "launch-template", "TagSpecification.1.Tag.1.Key", "k", "TagSpecification.1.Tag.1.Value", "v",
	}, drsLike...)...)
	want := wireTemplate{
		ID: "lt-00000000000000001", Name: "web", Created: noon.Truncate(1e9), By: caller, Default: 1, Latest: 1,
		Tags: []wireTag{{"k", "v"}},
	}
	if !reflect.DeepEqual(made.Template, want) {
		t.Errorf("got  %+v\nwant %+v", made.Template, want)
	}
	var read versionsAnswer
	e.into(&read, "DescribeLaunchTemplateVersions", "LaunchTemplateId", made.Template.ID, "LaunchTemplateVersion.1", "$Default")
	if len(read.Versions) != 1 {
		t.Fatalf("got %+v", read)
	}
	wantVersion := wireVersion{
		ID: made.Template.ID, Number: 1, Default: true, By: caller, Description: "first",
		Data: wireData{
			InstanceType: "m5.large", ImageID: "ami-1", Profile: wireProfile{}, Monitoring: true, HTTPTokens: "required", HopLimit: 2,
			Interfaces: []wireInterface{
				{Index: 0, Subnet: "subnet-a", Groups: []string{"sg-1", "sg-2"}},
				{Index: 1, Description: "backup"},
			},
			Devices: []wireDevice{
				{Name: "/dev/sda1", Size: 100, Type: "gp3", Snapshot: "snap-1"},
				{Name: "/dev/sdb", Size: 500},
			},
			Tags: []wireTagging{{Type: "instance", Tags: []wireTag{{"Name", "web & <co>"}}}},
		},
	}
	got := read.Versions[0]
	got.Data.Profile = wireProfile{} // looked at below
	if !reflect.DeepEqual(got, wantVersion) {
		t.Errorf("got  %+v\nwant %+v", got, wantVersion)
	}
	if p := read.Versions[0].Data.Profile; p.Name != "app" || p.Arn != "" {
		t.Errorf("got the profile %+v", p)
	}
}

func TestANewVersionInheritsAllThatItDoesNotSet(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	var got versionAnswer
	e.into(&got, "CreateLaunchTemplateVersion", "LaunchTemplateId", id, "SourceVersion", "1",
		"LaunchTemplateData.InstanceType", "r5.xlarge",
		"LaunchTemplateData.IamInstanceProfile.Arn", "arn:aws:iam::123456789012:instance-profile/db",
		"LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0",
		"LaunchTemplateData.NetworkInterface.1.SubnetId", "subnet-b")
	v := got.Version
	if v.Number != 2 || v.Default || v.Data.InstanceType != "r5.xlarge" {
		t.Errorf("got %+v", v)
	}
	if v.Data.ImageID != "ami-1" || !v.Data.Monitoring || v.Data.HTTPTokens != "required" || v.Data.HopLimit != 2 || len(v.Data.Tags) != 1 {
		t.Errorf("a scalar, a structure or the tags were lost: %+v", v.Data)
	}
	if want := []wireInterface{{Subnet: "subnet-b"}}; !reflect.DeepEqual(v.Data.Interfaces, want) {
		t.Errorf("a list that is given replaces the inherited one: got %+v", v.Data.Interfaces)
	}
	if want := []wireDevice{{Name: "/dev/sda1", Size: 100, Type: "gp3"}, {Name: "/dev/sdb", Size: 500}}; !reflect.DeepEqual(v.Data.Devices, want) {
		t.Errorf("block devices are inherited without their snapshots: got %+v", v.Data.Devices)
	}
	if v.Data.Profile.Name != "" || v.Data.Profile.Arn == "" {
		t.Errorf("a structure that is given replaces the inherited one: got %+v", v.Data.Profile)
	}

	e.into(&got, "CreateLaunchTemplateVersion", "LaunchTemplateName", "web", "LaunchTemplateData.InstanceType", "t3.micro")
	_, data, _ := e.defaultVersion(id)
	if got := e.templates[id].version(3).Data.fields; len(got) != 1 {
		t.Errorf("without a source nothing is inherited: got %v", got)
	}
	if data.InstanceType() != "m5.large" {
		t.Error("a new version became the default, or changed an old one")
	}
}

func TestSecurityGroupsGoIntoTheInterfaceOrTheTemplateNotBoth(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	const wording = "Network interfaces and an instance-level security groups may not be specified on the same request"
	e.refused("InvalidParameterCombination", wording, "CreateLaunchTemplateVersion", "LaunchTemplateId", id,
		"SourceVersion", "1", "LaunchTemplateData.SecurityGroupId.1", "sg-1")
	e.refused("InvalidParameterCombination", wording, "CreateLaunchTemplate", "LaunchTemplateName", "database",
		"LaunchTemplateData.SecurityGroup.1", "web", "LaunchTemplateData.NetworkInterface.1.DeviceIndex", "0")
	if got := e.templates[id].latest(); got != 1 {
		t.Errorf("a refused call made version %d", got)
	}
	var got versionAnswer
	e.into(&got, "CreateLaunchTemplateVersion", "LaunchTemplateId", id, "LaunchTemplateData.SecurityGroupId.1", "sg-1")
	if !reflect.DeepEqual(got.Version.Data.Groups, []string{"sg-1"}) {
		t.Errorf("got %+v", got)
	}
}

func TestAClientTokenMakesOneVersion(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	request := []string{"LaunchTemplateId", id, "SourceVersion", "$Default", "ClientToken", "t-1", "LaunchTemplateData.InstanceType", "r5.xlarge"}
	var first, again versionAnswer
	e.into(&first, "CreateLaunchTemplateVersion", request...)
	e.writeVersionByDRS(id, e.now, nil) // moves the default, from which the request would now start
	e.into(&again, "CreateLaunchTemplateVersion", request...)
	if !reflect.DeepEqual(first, again) || e.templates[id].latest() != 3 {
		t.Errorf("got %+v, then %+v, and %d versions", first.Version, again.Version, e.templates[id].latest())
	}
	request[len(request)-1] = "r5.2xlarge"
	e.refused("IdempotentParameterMismatch", "token", "CreateLaunchTemplateVersion", request...)
}

func TestAFailedCallDoesNotUseUpItsToken(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	e.refused("InvalidLaunchTemplateId.VersionNotFound", "2", "ModifyLaunchTemplate", "LaunchTemplateId", id, "SetDefaultVersion", "2", "ClientToken", "t")
	e.into(&versionAnswer{}, "CreateLaunchTemplateVersion", "LaunchTemplateId", id, "LaunchTemplateData.InstanceType", "x")
	var got templateAnswer
	e.into(&got, "ModifyLaunchTemplate", "LaunchTemplateId", id, "SetDefaultVersion", "2", "ClientToken", "t")
	if got.Template.Default != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestAReplayedModifySaysSuccessAndDoesNothing(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	e.writeVersionByDRS(id, e.now, nil)
	modify := []string{"LaunchTemplateId", id, "SetDefaultVersion", "1", "ClientToken", "t-1"}
	var got templateAnswer
	e.into(&got, "ModifyLaunchTemplate", modify...)
	if got.Template.Default != 1 {
		t.Fatalf("got %+v", got)
	}
	e.writeVersionByDRS(id, e.now, nil)
	e.into(&got, "ModifyLaunchTemplate", modify...)
	if n, _, _ := e.defaultVersion(id); n != 3 || got.Template.Default != 3 {
		t.Errorf("the default is %d, answered %d; want 3", n, got.Template.Default)
	}
	modify[3] = "2"
	e.refused("IdempotentParameterMismatch", "token", "ModifyLaunchTemplate", modify...)
	e.into(&got, "ModifyLaunchTemplate", modify[:4]...)
	if got.Template.Default != 2 {
		t.Errorf("without a token: got %+v", got)
	}
}

func TestDRSWritesAVersionOfItsOwn(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	number, ok := e.writeVersionByDRS(id, e.now, func(d *templateData) { d.fields["InstanceType"] = "c5.large" })
	if !ok || number != 2 {
		t.Fatalf("got %d, %t", number, ok)
	}
	var got versionsAnswer
	e.into(&got, "DescribeLaunchTemplateVersions", "LaunchTemplateId", id)
	if len(got.Versions) != 2 || got.Versions[0].Number != 2 || !got.Versions[0].Default || got.Versions[1].Default {
		t.Fatalf("got %+v", got)
	}
	v := got.Versions[0]
	if v.By != "arn:aws:iam::123456789012:role/aws-service-role/drs.amazonaws.com/AWSServiceRoleForElasticDisasterRecovery" {
		t.Errorf("created by %s", v.By)
	}
	if v.Data.InstanceType != "c5.large" || v.Data.Devices[0].Snapshot != "snap-1" || got.Versions[1].Data.InstanceType != "m5.large" {
		t.Errorf("got %+v", got)
	}
	if _, ok := e.writeVersionByDRS("lt-none", e.now, nil); ok {
		t.Error("wrote a version of a template that does not exist")
	}
}

func TestTemplateErrors(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	const set, data, size = "SetDefaultVersion", "LaunchTemplateData.InstanceType", "LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize"
	tests := []struct {
		code, about, action string
		pairs               []string
	}{
		{"InvalidLaunchTemplateId.NotFound", "lt-none", "ModifyLaunchTemplate", []string{"LaunchTemplateId", "lt-none", set, "1"}},
		{"InvalidLaunchTemplateId.Malformed", "xt-1", "ModifyLaunchTemplate", []string{"LaunchTemplateId", "xt-1", set, "1"}},
		{"InvalidLaunchTemplateName.NotFoundException", "database", "ModifyLaunchTemplate", []string{"LaunchTemplateName", "database", set, "1"}},
		{"InvalidLaunchTemplateId.VersionNotFound", "version 9 for the launch template with ID " + id, "ModifyLaunchTemplate", []string{"LaunchTemplateId", id, set, "9"}},
		{"InvalidParameterValue", "latest", "ModifyLaunchTemplate", []string{"LaunchTemplateId", id, set, "latest"}},
		{"MissingParameter", set, "ModifyLaunchTemplate", []string{"LaunchTemplateId", id}},
		{"MissingParameter", "launch template", "ModifyLaunchTemplate", []string{set, "1"}},
		{"InvalidParameterCombination", "launchTemplateName", "ModifyLaunchTemplate", []string{"LaunchTemplateId", id, "LaunchTemplateName", "web", set, "1"}},
		{"InvalidLaunchTemplateName.AlreadyExistsException", "already in use", "CreateLaunchTemplate", []string{"LaunchTemplateName", "web", data, "x"}},
		{"InvalidLaunchTemplateName.MalformedException", "128", "CreateLaunchTemplate", []string{"LaunchTemplateName", "a b", data, "x"}},
		{"MissingParameter", "LaunchTemplateName", "CreateLaunchTemplate", []string{data, "x"}},
		{"MissingParameter", "LaunchTemplateData", "CreateLaunchTemplate", []string{"LaunchTemplateName", "database"}},
		{"MissingParameter", "LaunchTemplateData", "CreateLaunchTemplateVersion", []string{"LaunchTemplateId", id, "SourceVersion", "1"}},
		{"InvalidLaunchTemplateId.VersionNotFound", "7", "CreateLaunchTemplateVersion", []string{"LaunchTemplateId", id, "SourceVersion", "7", data, "x"}},
		{"InvalidParameterValue", size, "CreateLaunchTemplateVersion", []string{"LaunchTemplateId", id, size, "big"}},
		{"InvalidParameterValue", "Invalid IPv4", "CreateLaunchTemplateVersion", []string{"LaunchTemplateId", id, "LaunchTemplateData.NetworkInterface.1.PrivateIpAddress", "10.0.0.256"}},
		{"InvalidParameterCombination", "iamInstanceProfile", "CreateLaunchTemplateVersion",
			[]string{"LaunchTemplateId", id, "LaunchTemplateData.IamInstanceProfile.Name", "a", "LaunchTemplateData.IamInstanceProfile.Arn", "arn:b"}},
		{"InvalidParameterValue", "taggable", "CreateLaunchTemplate", []string{"LaunchTemplateName", "database", data, "x", "TagSpecification.1.ResourceType", "instance"}},
		{"InvalidLaunchTemplateId.VersionNotFound", "3", "DescribeLaunchTemplateVersions", []string{"LaunchTemplateId", id, "LaunchTemplateVersion.1", "3"}},
		{"InvalidParameterCombination", "$Latest", "DescribeLaunchTemplateVersions", []string{"LaunchTemplateVersion.1", "1"}},
		{"InvalidParameterCombination", "$Latest", "DescribeLaunchTemplateVersions", nil},
		{"InvalidParameterCombination", "MinVersion", "DescribeLaunchTemplateVersions", []string{"LaunchTemplateId", id, "LaunchTemplateVersion.1", "1", "MinVersion", "1"}},
		{"InvalidParameterValue", "less than or equal to 200", "DescribeLaunchTemplateVersions", []string{"LaunchTemplateId", id, "MaxResults", "201"}},
		{"InvalidLaunchTemplateId.NotFound", "lt-none", "DescribeLaunchTemplates", []string{"LaunchTemplateId.1", id, "LaunchTemplateId.2", "lt-none"}},
		{"InvalidParameterValue", "'color' is invalid", "DescribeLaunchTemplates", []string{"Filter.1.Name", "color", "Filter.1.Value.1", "red"}},
	}
	for _, tt := range tests {
		e.refused(tt.code, tt.about, tt.action, tt.pairs...)
	}
	if got := e.templates[id]; got.latest() != 1 || got.DefaultVersion != 1 || len(e.templates) != 1 {
		t.Error("a refused call changed something")
	}
}

func TestAVersionThatWouldNotLaunchIsAcceptedWithAWarning(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	var got versionAnswer
	e.into(&got, "CreateLaunchTemplateVersion", "LaunchTemplateId", id, "SourceVersion", "1",
		"LaunchTemplateData.NetworkInterface.1.SubnetId", "subnet-none", "LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1", "sg-none")
	if want := []string{"InvalidSubnetID.NotFound", "InvalidGroup.NotFound"}; !reflect.DeepEqual(got.Warning.Codes, want) {
		t.Errorf("got %v", got.Warning.Codes)
	}
}

func TestVersionsAreDescribedByNumberRangeAndAlias(t *testing.T) {
	e := newEC2Test(t)
	web, db := e.template("web"), e.template("database")
	for range 3 {
		e.into(&versionAnswer{}, "CreateLaunchTemplateVersion", "LaunchTemplateId", web, "SourceVersion", "$Latest", "LaunchTemplateData.InstanceType", "c5.large")
	}
	e.into(&templateAnswer{}, "ModifyLaunchTemplate", "LaunchTemplateId", web, "SetDefaultVersion", "2")
	tests := []struct {
		name  string
		pairs []string
		want  []string
	}{
		{"all, the newest first", []string{"LaunchTemplateId", web}, []string{"web 4", "web 3", "web 2", "web 1"}},
		{"by name", []string{"LaunchTemplateName", "database"}, []string{"db 1"}},
		{"aliases and numbers, each once", []string{"LaunchTemplateId", web, "LaunchTemplateVersion.1", "$Default", "LaunchTemplateVersion.2", "$Latest", "LaunchTemplateVersion.3", "2"}, []string{"web 4", "web 2"}},
		{"a range", []string{"LaunchTemplateId", web, "MinVersion", "2", "MaxVersion", "3"}, []string{"web 3", "web 2"}},
		{"every template's default", []string{"LaunchTemplateVersion.1", "$Default"}, []string{"web 2", "db 1"}},
		{"every template's both", []string{"LaunchTemplateVersion.1", "$Default", "LaunchTemplateVersion.2", "$Latest"}, []string{"web 4", "web 2", "db 1"}},
		{"a filter", []string{"LaunchTemplateId", web, "Filter.1.Name", "instance-type", "Filter.1.Value.1", "m5.*"}, []string{"web 1"}},
		{"the default by filter", []string{"LaunchTemplateId", web, "Filter.1.Name", "is-default-version", "Filter.1.Value.1", "true"}, []string{"web 2"}},
	}
	names := map[string]string{web: "web", db: "db"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []string{"", "1", "2"} {
				var got []string
				next := ""
				for range 10 {
					pairs := tt.pairs
					if size != "" {
						pairs = append(pairs[:len(pairs):len(pairs)], "MaxResults", size)
					}
					if next != "" {
						pairs = append(pairs[:len(pairs):len(pairs)], "NextToken", next)
					}
					var page versionsAnswer
					e.into(&page, "DescribeLaunchTemplateVersions", pairs...)
					for _, v := range page.Versions {
						got = append(got, fmt.Sprintf("%s %d", names[v.ID], v.Number))
					}
					if next = page.Next; next == "" {
						break
					}
				}
				if !reflect.DeepEqual(got, tt.want) {
					t.Errorf("in pages of %q: got %q, want %q", size, got, tt.want)
				}
			}
		})
	}
}

func TestTemplatesAreDescribedByIdNameAndTag(t *testing.T) {
	e := newEC2Test(t)
	var ids []string
	for i := range 205 {
		id := fmt.Sprintf("lt-%03d", i)
		e.addTemplate(id, fmt.Sprintf("server-%03d", i), e.now, newTemplateData(), "").Tags = map[string]string{"Half": fmt.Sprint(i % 2)}
		ids = append(ids, id)
	}
	var pairs []string
	for i, id := range ids[:200] {
		pairs = append(pairs, fmt.Sprintf("LaunchTemplateId.%d", i+1), id)
	}
	var got templatesAnswer
	e.into(&got, "DescribeLaunchTemplates", pairs...)
	if len(got.Templates) != 200 || got.Next != "" || got.Templates[10].ID != "lt-010" {
		t.Errorf("got %d templates, next %q", len(got.Templates), got.Next)
	}
	e.refused("InvalidParameterValue", "200", "DescribeLaunchTemplates", append(pairs, "LaunchTemplateId.201", "lt-200")...)

	var all templatesAnswer
	e.into(&all, "DescribeLaunchTemplates")
	if len(all.Templates) != 200 || all.Next == "" {
		t.Fatalf("got %d templates, next %q", len(all.Templates), all.Next)
	}
	delete(e.templates, "lt-199") // what goes between two pages hides nothing else
	var rest templatesAnswer
	e.into(&rest, "DescribeLaunchTemplates", "NextToken", all.Next)
	if len(rest.Templates) != 5 || rest.Templates[0].ID != "lt-200" || rest.Next != "" {
		t.Errorf("got %+v", rest)
	}
	e.refused("InvalidNextToken", all.Next, "DescribeLaunchTemplates", "NextToken", all.Next, "LaunchTemplateName.1", "server-001")
	e.refused("InvalidNextToken", "garbage", "DescribeLaunchTemplates", "NextToken", "garbage")

	var half, named templatesAnswer
	e.into(&half, "DescribeLaunchTemplates", "Filter.1.Name", "tag:Half", "Filter.1.Value.1", "1", "Filter.2.Name", "launch-template-name", "Filter.2.Value.1", "server-00?")
	if len(half.Templates) != 5 || half.Templates[0].ID != "lt-001" {
		t.Errorf("got %+v", half)
	}
	e.into(&named, "DescribeLaunchTemplates", "LaunchTemplateName.1", "server-007", "LaunchTemplateId.1", "lt-003")
	if len(named.Templates) != 2 || named.Templates[1].Name != "server-007" {
		t.Errorf("got %+v", named)
	}
}

func TestVersionsCanBeFoundByEachOfTheirAttributes(t *testing.T) {
	e := newEC2Test(t)
	id := e.template("web")
	e.into(&versionAnswer{}, "CreateLaunchTemplateVersion", "LaunchTemplateId", id, "LaunchTemplateData.EbsOptimized", "true")
	for name, value := range map[string]string{
		"instance-type": "m5.large", "image-id": "ami-1", "iam-instance-profile": "app", "http-tokens": "required", "is-default-version": "true",
	} {
		var got versionsAnswer
		e.into(&got, "DescribeLaunchTemplateVersions", "LaunchTemplateId", id, "Filter.1.Name", name, "Filter.1.Value.1", value)
		if len(got.Versions) != 1 || got.Versions[0].Number != 1 {
			t.Errorf("%s: got %+v", name, got.Versions)
		}
	}
	var got versionsAnswer
	e.into(&got, "DescribeLaunchTemplateVersions", "LaunchTemplateId", id, "Filter.1.Name", "ebs-optimized", "Filter.1.Value.1", "true")
	if len(got.Versions) != 1 || got.Versions[0].Number != 2 {
		t.Errorf("got %+v", got.Versions)
	}
}

func TestACreatedTemplateIsAnsweredAgainForItsToken(t *testing.T) {
	e := newEC2Test(t)
	request := append([]string{"LaunchTemplateName", "web", "ClientToken", "t-1"}, drsLike...)
	var first, again templateAnswer
	e.into(&first, "CreateLaunchTemplate", request...)
	e.into(&again, "CreateLaunchTemplate", request...)
	if !reflect.DeepEqual(first, again) || len(e.templates) != 1 {
		t.Errorf("got %+v, then %+v", first, again)
	}
	request[1] = "other"
	e.refused("IdempotentParameterMismatch", "token", "CreateLaunchTemplate", request...)
}
