package simulator

import (
	"strconv"
	"strings"
)

// data is the template of a fleet file as EC2 keeps it.
func (t *Template) data() *templateData {
	d := newTemplateData()
	setTexts(d.fields, map[string]string{"InstanceType": t.InstanceType, "KeyName": t.KeyName, "UserData": t.UserData, "EbsOptimized": flagText(t.EBSOptimized)})
	setObject(d.fields, "Monitoring", map[string]string{"Enabled": flagText(t.Monitoring)})
	if strings.HasPrefix(t.InstanceProfile, "arn:") {
		setObject(d.fields, "IamInstanceProfile", map[string]string{"Arn": t.InstanceProfile})
	} else {
		setObject(d.fields, "IamInstanceProfile", map[string]string{"Name": t.InstanceProfile})
	}
	if o := t.Metadata; o != nil {
		setObject(d.fields, "MetadataOptions", map[string]string{
			"HttpTokens": o.HTTPTokens, "HttpEndpoint": o.HTTPEndpoint, "InstanceMetadataTags": o.InstanceTags, "HttpPutResponseHopLimit": countText(o.HopLimit),
		})
	}
	var interfaces, devices, tags []any
	if t.Subnet != "" || len(t.SecurityGroups) > 0 || t.PrivateIP != "" {
		interfaces = append(interfaces, Interface{Subnet: t.Subnet, SecurityGroups: t.SecurityGroups, PrivateIP: t.PrivateIP}.data(0))
	}
	for i, n := range t.Interfaces {
		interfaces = append(interfaces, n.data(i+1))
	}
	for _, b := range t.BlockDevices {
		devices = append(devices, b.data())
	}
	for _, of := range []struct {
		resource string
		tags     map[string]string
	}{{"instance", t.Tags}, {"volume", t.VolumeTags}} {
		var pairs []any
		for _, key := range sortedKeys(of.tags) {
			pairs = append(pairs, map[string]any{"Key": key, "Value": of.tags[key]})
		}
		if pairs != nil {
			tags = append(tags, map[string]any{"ResourceType": of.resource, "Tag": pairs})
		}
	}
	setList(d.fields, "NetworkInterface", interfaces)
	setList(d.fields, "BlockDeviceMapping", devices)
	setList(d.fields, "TagSpecification", tags)
	return d
}

func (n Interface) data(index int) map[string]any {
	m := map[string]any{"DeviceIndex": strconv.Itoa(index)}
	setTexts(m, map[string]string{"SubnetId": n.Subnet, "PrivateIpAddress": n.PrivateIP, "Description": n.Description})
	var groups []any
	for _, g := range n.SecurityGroups {
		groups = append(groups, g)
	}
	setList(m, "SecurityGroupId", groups)
	return m
}

func (b BlockDevice) data() map[string]any {
	m, stays := map[string]any{"DeviceName": b.Device}, ""
	if b.Keep {
		stays = "false"
	}
	setObject(m, "Ebs", map[string]string{
		"VolumeSize": countText(b.SizeGiB), "VolumeType": b.Type, "Iops": countText(b.IOPS), "Throughput": countText(b.Throughput),
		"Encrypted": flagText(b.Encrypted), "KmsKeyId": b.KMSKey, "DeleteOnTermination": stays,
	})
	return m
}

// What is empty is not in a template.

func setTexts(m map[string]any, texts map[string]string) {
	for name, text := range texts {
		if text != "" {
			m[name] = text
		}
	}
}

func setObject(m map[string]any, name string, texts map[string]string) {
	object := map[string]any{}
	if setTexts(object, texts); len(object) > 0 {
		m[name] = object
	}
}

func setList(m map[string]any, name string, list []any) {
	if list != nil {
		m[name] = list
	}
}

func flagText(on bool) string {
	if on {
		return "true"
	}
	return ""
}

func countText(n int) string {
	if n > 0 {
		return strconv.Itoa(n)
	}
	return ""
}
