package simulator

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"
)

// templateDataFromFleet reads a fleet file's template mapping, as YAML decodes it. It takes short keys:
//
//	instanceType, keyName, userData, …       as EC2 calls them, with a small first letter
//	subnet, securityGroups, privateIp        of the first network interface
//	instanceProfile                          a name or an ARN
//	networkInterfaces, interfaces            {subnet, securityGroups, privateIp, …}; "interfaces" come after the first
//	blockDevices                             {device, size (GiB), type, iops, throughput (MiB/s), encrypted, kmsKey, keep}
//	tags, volumeTags                         {key: value}, of instance and volumes
//	metadataOptions, metadata                as EC2 calls them: httpTokens, …
//	monitoring, hibernation, enclave         true or false
//
// and EC2's own names, in the spelling of a request (BlockDeviceMapping), of the SDKs (BlockDeviceMappings) or of an
// answer (blockDeviceMappingSet). An unknown key is a problem, so that a slip of the pen does not pass for a setting,
// unless it starts with a capital as EC2's do: such a field is kept, since AWS adds fields that nobody here knows.
func templateDataFromFleet(template map[string]any) (*templateData, []problem) {
	r := fleetTemplate{data: newTemplateData()}
	for _, key := range sortedKeys(template) {
		r.key(key, template[key])
	}
	r.first()
	if err := r.data.check(); err != nil {
		r.complain("", "%s", err.Message)
	}
	return r.data, r.problems
}

type fleetTemplate struct {
	data     *templateData
	problems []problem

	subnet, privateIP string
	groups            []any
	after             []any // interfaces beyond the first
}

func (r *fleetTemplate) complain(path, format string, args ...any) {
	r.problems = append(r.problems, problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (r *fleetTemplate) key(key string, v any) {
	fields := r.data.fields
	switch key {
	case "subnet":
		r.subnet = r.text(key, v)
	case "privateIp":
		r.privateIP = r.address(key, v)
	case "securityGroups":
		r.groups = r.texts(key, v)
	case "instanceProfile":
		r.data.SetInstanceProfile(r.text(key, v))
	case "networkInterfaces":
		fields["NetworkInterface"] = r.list(key, v, interfaceKeys)
	case "interfaces":
		r.after = r.list(key, v, interfaceKeys)
	case "blockDevices":
		fields["BlockDeviceMapping"] = r.list(key, v, deviceKeys)
	case "tags":
		r.tags(key, "instance", v)
	case "volumeTags":
		r.tags(key, "volume", v)
	case "metadata":
		r.set(fields, templateFields(), "MetadataOptions", key, v)
	case "monitoring", "hibernation", "enclave":
		if on, ok := v.(bool); ok {
			switch key {
			case "monitoring":
				fields["Monitoring"] = map[string]any{"Enabled": fmt.Sprint(on)}
			case "hibernation":
				fields["HibernationOptions"] = map[string]any{"Configured": fmt.Sprint(on)}
			default:
				fields["EnclaveOptions"] = map[string]any{"Enabled": fmt.Sprint(on)}
			}
			return
		}
		r.set(fields, templateFields(), key, key, v)
	default:
		r.set(fields, templateFields(), key, key, v)
	}
}

// first puts what was said about the first interface into it, and the other interfaces behind it.
func (r *fleetTemplate) first() {
	list, _ := r.data.fields["NetworkInterface"].([]any)
	for i, e := range list {
		numberInterface(e, i)
	}
	for i, e := range r.after {
		numberInterface(e, max(len(list), 1)+i)
	}
	if all := slices.Concat(list, r.after); len(all) > 0 {
		r.data.fields["NetworkInterface"] = all
	}
	if r.subnet != "" {
		r.data.SetSubnet(r.subnet)
	}
	if len(r.groups) > 0 {
		r.data.firstInterface(true)["SecurityGroupId"] = r.groups
	}
	if r.privateIP != "" {
		r.data.SetPrivateIP(r.privateIP)
	}
}

// numberInterface gives an interface its device index where the file does not.
func numberInterface(networkInterface any, index int) {
	if m, ok := networkInterface.(map[string]any); ok && m["DeviceIndex"] == nil {
		m["DeviceIndex"] = fmt.Sprint(index)
	}
}

// Short keys inside lists, to the path of EC2's own names.
var (
	interfaceKeys = map[string]string{"subnet": "SubnetId", "securityGroups": "SecurityGroupId", "privateIp": "PrivateIpAddress"}
	deviceKeys    = map[string]string{
		"device": "DeviceName", "name": "DeviceName", "size": "Ebs.VolumeSize", "sizeGiB": "Ebs.VolumeSize",
		"type": "Ebs.VolumeType", "iops": "Ebs.Iops", "throughput": "Ebs.Throughput", "encrypted": "Ebs.Encrypted",
		"kmsKey": "Ebs.KmsKeyId", "snapshot": "Ebs.SnapshotId", "deleteOnTermination": "Ebs.DeleteOnTermination",
	}
)

func (r *fleetTemplate) list(key string, v any, short map[string]string) []any {
	field := templateFields().Fields["NetworkInterface"]
	if key == "blockDevices" {
		field = templateFields().Fields["BlockDeviceMapping"]
	}
	items, ok := v.([]any)
	if !ok {
		r.complain(key, "%s must be a list", key)
		return nil
	}
	list := make([]any, 0, len(items))
	for i, item := range items {
		at := fmt.Sprintf("%s[%d]", key, i)
		given, ok := item.(map[string]any)
		if !ok {
			r.complain(at, "%s must be a mapping", at)
			continue
		}
		m := make(map[string]any)
		for _, name := range sortedKeys(given) {
			path := joinPath(at, name)
			if name == "keep" && key == "blockDevices" {
				keep, _ := given[name].(bool)
				r.set(inside(m, "Ebs"), field.Fields["Ebs"], "DeleteOnTermination", path, !keep)
				continue
			}
			own, isShort := short[name]
			if !isShort {
				own = name
			}
			if ebs, ok := strings.CutPrefix(own, "Ebs."); ok && isShort {
				r.set(inside(m, "Ebs"), field.Fields["Ebs"], ebs, path, given[name])
				continue
			}
			r.set(m, field, own, path, given[name])
		}
		list = append(list, m)
	}
	return list
}

// inside gives the structure of that name in m and makes it where it lacks.
func inside(m map[string]any, name string) map[string]any {
	c, ok := m[name].(map[string]any)
	if !ok {
		c = make(map[string]any)
		m[name] = c
	}
	return c
}

// set puts a value under one of EC2's own names, in whichever spelling.
func (r *fleetTemplate) set(m map[string]any, known *templateField, name, path string, v any) {
	if v == nil {
		return
	}
	own, ok := known.Names[strings.ToLower(name)]
	if !ok {
		if !unicode.IsUpper([]rune(name + " ")[0]) {
			r.complain(path, "%s is not known", path)
			return
		}
		m[name] = plainTree(v)
		return
	}
	f := known.Fields[own]
	switch f.Kind {
	case "object":
		given, ok := v.(map[string]any)
		if !ok {
			r.complain(path, "%s must be a mapping", path)
			return
		}
		c := inside(m, own)
		for _, key := range sortedKeys(given) {
			r.set(c, f, key, joinPath(path, key), given[key])
		}
	case "texts":
		m[own] = r.texts(path, v)
	case "objects":
		items, ok := v.([]any)
		if !ok {
			r.complain(path, "%s must be a list", path)
			return
		}
		var list []any
		for i, item := range items {
			holder := make(map[string]any)
			r.set(holder, &templateField{
				Names:  map[string]string{"item": "item"},
				Fields: map[string]*templateField{"item": {Kind: "object", Fields: f.Fields, Names: f.Names}},
			}, "item", fmt.Sprintf("%s[%d]", path, i), item)
			list = append(list, holder["item"])
		}
		m[own] = list
	case "flag":
		on, ok := v.(bool)
		if !ok {
			r.complain(path, "%s must be true or false", path)
			return
		}
		m[own] = fmt.Sprint(on)
	default:
		if own == "PrivateIpAddress" {
			m[own] = r.address(path, v)
			return
		}
		m[own] = r.text(path, v)
	}
}

func (r *fleetTemplate) tags(key, resource string, v any) {
	given, ok := v.(map[string]any)
	if !ok {
		r.complain(key, "%s must be a mapping of keys to values", key)
		return
	}
	tags := make(map[string]string, len(given))
	for name, value := range given {
		tags[name] = r.text(joinPath(key, name), value)
	}
	r.data.SetTags(resource, tags)
}

func (r *fleetTemplate) texts(path string, v any) []any {
	items, ok := v.([]any)
	if !ok {
		r.complain(path, "%s must be a list", path)
		return nil
	}
	list := make([]any, len(items))
	for i, item := range items {
		list[i] = r.text(fmt.Sprintf("%s[%d]", path, i), item)
	}
	return list
}

func (r *fleetTemplate) address(path string, v any) string {
	t := r.text(path, v)
	if a, err := netip.ParseAddr(t); err != nil || !a.Is4() {
		r.complain(path, "%s must be an IPv4 address", path)
	}
	return t
}

// text takes any scalar: YAML reads 100 as a number, and the wire knows only text.
func (r *fleetTemplate) text(path string, v any) string {
	switch v.(type) {
	case map[string]any, []any, nil:
		r.complain(path, "%s must be a single value", path)
		return ""
	}
	return fmt.Sprint(v)
}

// plainTree keeps what nobody here knows, with texts as its leaves.
func plainTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, e := range v {
			m[name] = plainTree(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = plainTree(e)
		}
		return l
	case nil:
		return nil
	}
	return fmt.Sprint(v)
}
