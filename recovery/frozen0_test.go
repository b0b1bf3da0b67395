package recovery

import (
	"errors"
	"testing"
)

// A version from before there were documents, rolled back to, reads what this one
// froze as its own copy does here: it finds nothing whole in it, so that it starts
// nothing and looks at no job.
func TestAVersionFromBeforeDocumentsTakesNoneForAPlan(t *testing.T) {
	for name, p := range map[string]*Plan{
		"nothing but servers": {ID: "rp-1", Waves: []PlannedWave{{Wave: Wave{Number: 1, Servers: []Server{{ID: "s-1"}}}}}},
		"no wave":             {ID: "rp-1", Waves: []PlannedWave{}},
		"whole": {ID: "rp-1", Name: "Shop", Account: AccountContext{AccountID: "111122223333", Region: "us-east-1", RoleName: "Role", ExternalID: NewSecret("word")},
			Waves:  []PlannedWave{{Wave: Wave{Number: 1, Group: "pg-1"}, PauseBefore: true}},
			Groups: map[ProtectionGroupID]*ProtectionGroup{"pg-1": {LaunchConfig: LaunchConfig{InstanceType: "m5.large"}}}},
	} {
		record, err := p.Freeze()
		if err != nil {
			t.Fatal(err)
		}
		if read, err := thawPlan0(record); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: it reads %+v, %v", name, read, err)
		}
	}
	record, err := (&PlannedGroup{ProtectionGroup: ProtectionGroup{ID: "pg-1"}, Servers: []SourceServerID{"s-1"}}).Freeze()
	if err != nil {
		t.Fatal(err)
	}
	if read, err := thawGroup0(record); !errors.Is(err, ErrDamaged) {
		t.Errorf("a group: it reads %+v, %v", read, err)
	}
}
