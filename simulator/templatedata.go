package simulator

// templateData is what a version of a launch template says about instances. It is a tree, not a struct: EC2 has some
// 180 fields here, DRS and its users care for ten, and the others must come through untouched. The keys are the names
// in requests (NetworkInterface, SecurityGroupId), the values strings as they were on the wire, []any, or such maps.
//
// A templateData that a version holds is never changed: take a clone.
type templateData struct {
	fields map[string]any
}

func newTemplateData() *templateData { return &templateData{fields: make(map[string]any)} }

func (d *templateData) clone() *templateData {
	return &templateData{fields: cloneTree(d.fields).(map[string]any)}
}

func cloneTree(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for name, e := range v {
			m[name] = cloneTree(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = cloneTree(e)
		}
		return l
	}
	return v
}

// over gives what a new version made from source holds: a parameter that d has replaces source's, whole, be it a list
// or a structure (that EC2 does not merge structures is inferred), and block devices that are inherited lose their
// snapshots, as the EC2 API reference says of SourceVersion.
func (d *templateData) over(source *templateData) *templateData {
	merged := source.clone()
	devices, _ := merged.fields["BlockDeviceMapping"].([]any)
	for _, device := range devices {
		if ebs, ok := child(device, "Ebs"); ok {
			delete(ebs, "SnapshotId")
		}
	}
	for name, v := range d.fields {
		merged.fields[name] = cloneTree(v)
	}
	return merged
}

// check refuses what EC2 refuses in a version as a whole, however its parts came together.
func (d *templateData) check() *apiError {
	_, interfaces := d.fields["NetworkInterface"]
	_, byID := d.fields["SecurityGroupId"]
	_, byName := d.fields["SecurityGroup"]
	if interfaces && (byID || byName) {
		return badRequest("InvalidParameterCombination",
			"Network interfaces and an instance-level security groups may not be specified on the same request")
	}
	if profile, ok := child(d.fields, "IamInstanceProfile"); ok && profile["Arn"] != nil && profile["Name"] != nil {
		return badRequest("InvalidParameterCombination",
			"The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'")
	}
	return nil
}

// answer is the tree as EC2 writes it.
func (d *templateData) answer() map[string]any { return answerTree(d.fields, templateFields()) }

func answerTree(m map[string]any, known *templateField) map[string]any {
	out := make(map[string]any, len(m))
	for name, v := range m {
		f := known.Fields[name]
		if f == nil { // a field of the future: spelled as EC2 mostly does
			f = newTemplateField(lowerFirst(name), "", "")
		}
		switch v := v.(type) {
		case map[string]any:
			out[f.Wire] = answerTree(v, f)
		case []any:
			l := xmlList{Element: f.Element}
			for _, e := range v {
				if m, ok := e.(map[string]any); ok {
					e = answerTree(m, f)
				}
				l.Values = append(l.Values, e)
			}
			out[f.Wire] = l
		default:
			out[f.Wire] = v
		}
	}
	return out
}

// InstanceType is empty where the template does not say.
func (d *templateData) InstanceType() string { return leaf(d.fields, "InstanceType") }

// firstInterface is the interface with device index 0: it is the instance's primary one.
func (d *templateData) firstInterface() map[string]any {
	list, _ := d.fields["NetworkInterface"].([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && (leaf(m, "DeviceIndex") == "0" || leaf(m, "DeviceIndex") == "" && len(list) == 1) {
			return m
		}
	}
	return nil
}

// Subnet is the first interface's; empty means that EC2 chooses.
func (d *templateData) Subnet() string { return leaf(d.firstInterface(), "SubnetId") }

// PrivateIP is the first interface's fixed address; empty means that EC2 chooses.
func (d *templateData) PrivateIP() string { return leaf(d.firstInterface(), "PrivateIpAddress") }

// SecurityGroups are the first interface's, or those at the top where there is no interface.
func (d *templateData) SecurityGroups() []string {
	if first := d.firstInterface(); first != nil {
		return leaves(first["SecurityGroupId"])
	}
	return leaves(d.fields["SecurityGroupId"])
}

// InstanceProfile is a name or an ARN, as the template has it; empty where it has none.
func (d *templateData) InstanceProfile() string {
	profile, _ := child(d.fields, "IamInstanceProfile")
	return leaf(profile, "Arn") + leaf(profile, "Name") // never both: see check
}

// Tags are those that a resource of the type (instance, volume, network-interface) gets at launch.
func (d *templateData) Tags(resource string) map[string]string {
	tags := make(map[string]string)
	list, _ := d.fields["TagSpecification"].([]any)
	for _, e := range list {
		spec, _ := e.(map[string]any)
		if leaf(spec, "ResourceType") != resource {
			continue
		}
		pairs, _ := spec["Tag"].([]any)
		for _, p := range pairs {
			pair, _ := p.(map[string]any)
			tags[leaf(pair, "Key")] = leaf(pair, "Value")
		}
	}
	return tags
}

func child(v any, name string) (map[string]any, bool) {
	m, _ := v.(map[string]any)
	c, ok := m[name].(map[string]any)
	return c, ok
}

func leaf(m map[string]any, name string) string {
	t, _ := m[name].(string)
	return t
}

func leaves(v any) []string {
	list, _ := v.([]any)
	var texts []string
	for _, e := range list {
		if t, ok := e.(string); ok {
			texts = append(texts, t)
		}
	}
	return texts
}
