package simulator

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestFormsReadListsInTheOrderOfTheirNumbers(t *testing.T) {
	f := newForm(url.Values{"Id.10": {"c"}, "Id.2": {"b"}, "Id.1": {"a"}, "Tags.member.1.Key": {"k"}, "Tags.member.1.Value": {"v"}})
	if got := f.list("Id"); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("got %q", got)
	}
	starts := f.prefixes("Tags.member")
	if !slices.Equal(starts, []string{"Tags.member.1."}) || f.text(starts[0]+"Key") != "k" || f.text(starts[0]+"Value") != "v" {
		t.Errorf("got %q", starts)
	}
	if err := f.finish(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestFormsRefuseWhatNobodyReads(t *testing.T) {
	tests := []struct{ name, form, code, names string }{
		{"nothing wrong", "Action=X&Version=1&Id.1=a&N=5&B=true", "", ""},
		{"an unknown parameter", "Id.1=a&Surprise=1", "UnknownParameter", "Surprise"},
		{"a number from 0", "Id.0=a", "UnknownParameter", "Id.0"},
		{"a number with a leading zero", "Id.01=a", "UnknownParameter", "Id.01"},
		{"a negative number", "Id.-1=a", "UnknownParameter", "Id.-1"},
		{"a structure for a text", "Id.1.Name=a", "UnknownParameter", "Id.1.Name"},
		{"a parameter twice", "N=1&N=2", "InvalidParameter", "N"},
		{"no integer", "N=five", "InvalidParameterValue", "N"},
		{"no boolean", "B=yes", "InvalidParameterValue", "B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			values, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			f := newForm(values)
			f.list("Id")
			f.integer("N")
			f.boolean("B")
			got := f.finish()
			if tt.code == "" {
				if got != nil {
					t.Errorf("got %v", got)
				}
				return
			}
			if got == nil || got.Code != tt.code || !strings.Contains(got.Message, tt.names) {
				t.Errorf("got %v, want %s about %s", got, tt.code, tt.names)
			}
		})
	}
}

// FuzzTemplateForm: whatever a client sends, a template is either refused with a code or holds every value that was
// sent, and the same form always means the same template.
func FuzzTemplateForm(f *testing.F) {
	for _, seed := range []string{
		"LaunchTemplateData.InstanceType=m5.large",
		"LaunchTemplateData.NetworkInterface.2.SecurityGroupId.1=sg-2&LaunchTemplateData.NetworkInterface.1.DeviceIndex=0",
		"LaunchTemplateData.BlockDeviceMapping.1.Ebs.VolumeSize=100&LaunchTemplateData.BlockDeviceMapping.1.DeviceName=/dev/sda1",
		"LaunchTemplateData.TagSpecification.1.Tag.3.Key=a&LaunchTemplateData.TagSpecification.1.Tag.1.Key=b",
		"LaunchTemplateData.SecurityGroupId=sg-1&LaunchTemplateData.SecurityGroupId.1=sg-2",
		"LaunchTemplateData.Monitoring=true&LaunchTemplateData.Monitoring.Enabled=true",
		"LaunchTemplateData.=x&LaunchTemplateData..InstanceType=y&LaunchTemplateData.Ebs.0=z",
		"LaunchTemplateData.InstanceType.1=x&LaunchTemplateData.TagSpecification.1=x&LaunchTemplateData.UserData=%00%ff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		read := func() (*templateData, *apiError) {
			form := newForm(values)
			return readTemplateData(form, "LaunchTemplateData"), form.finish()
		}
		data, refused := read()
		again, refusedAgain := read()
		if refused != nil {
			if refused.Code == "" || refusedAgain == nil || refused.Message != refusedAgain.Message {
				t.Fatalf("refused with %v, then with %v", refused, refusedAgain)
			}
			return
		}
		kept := leavesOf(data.fields)
		var sent []string
		for key := range values {
			if strings.HasPrefix(key, "LaunchTemplateData.") {
				sent = append(sent, values.Get(key))
			}
		}
		slices.Sort(kept)
		slices.Sort(sent)
		if !slices.Equal(kept, sent) {
			t.Fatalf("sent %q, kept %q", sent, kept)
		}
		if a, b := leavesOf(data.answer()), leavesOf(again.answer()); len(a) != len(sent) || len(a) != len(b) {
			t.Fatalf("sent %q, answered %q and %q", sent, a, b)
		}
	})
}

// leavesOf gives the leaves of a tree.
func leavesOf(v any) []string {
	var all []string
	switch v := v.(type) {
	case string:
		return []string{v}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			all = append(all, leavesOf(v[name])...)
		}
	case []any:
		for _, e := range v {
			all = append(all, leavesOf(e)...)
		}
	case xmlList:
		return leavesOf(v.Values)
	}
	return all
}
