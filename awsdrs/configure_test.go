package awsdrs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// everything asks for every kind of setting, all of which differ.
func everything(t *testing.T, n int) recovery.Configuration {
	c := recovery.Configuration{
		Key:    recovery.AttemptKey{Execution: "exec-1", Wave: 1, Attempt: 1},
		Want:   map[recovery.SourceServerID]recovery.Resolved{},
		Before: func(context.Context, []recovery.ServerChange) error { return nil },
	}
	for _, id := range serverIDs(n) {
		c.Want[id] = want(t, id,
			recovery.InstanceType, "r5.xlarge", recovery.Subnet, subnetB, recovery.SecurityGroups, []any{groupB, groupA},
			recovery.InstanceProfile, "new-profile", recovery.CopyTags, false, recovery.LaunchDisposition, "STOPPED")
	}
	return c
}

// only asks one server for some settings.
func only(t *testing.T, n int, pairs ...any) recovery.Configuration {
	c := everything(t, 0)
	c.Want[serverID(n)] = want(t, serverID(n), pairs...)
	return c
}

// announced collects what Before is told.
type announced struct {
	mu    sync.Mutex
	calls [][]recovery.ServerChange
	err   error
}

func (a *announced) before(_ context.Context, changes []recovery.ServerChange) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, changes)
	return a.err
}

func TestAWaveThatIsRightIsNotWritten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 100), simulator.Options{Latency: 30 * time.Millisecond})
		r, c := h.region(), everything(t, 100)
		if err := r.Configure(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		same(t, "writes", fmt.Sprint(h.writes()), "map[CreateLaunchTemplateVersion:100 ModifyLaunchTemplate:100 UpdateLaunchConfiguration:100]")
		one := h.server(serverID(7))
		same(t, "settings", fmt.Sprint(one.InstanceType, one.Subnet, one.SecurityGroups, one.InstanceProfile, one.Disposition, one.TemplateVersion),
			fmt.Sprint("r5.xlarge", subnetB, []string{groupB, groupA}, "new-profile", "STOPPED", 3))

		c.Before = func(context.Context, []recovery.ServerChange) error { t.Error("Before was called"); return nil }
		before, start := h.calls(), time.Now()
		if err := r.Configure(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		same(t, "writes in all", fmt.Sprint(h.writes()), "map[CreateLaunchTemplateVersion:100 ModifyLaunchTemplate:100 UpdateLaunchConfiguration:100]")
		same(t, "confirmations", h.calls()["DescribeLaunchTemplates"], before["DescribeLaunchTemplates"])
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestOneWrongSettingIsTheOnlyOneWritten(t *testing.T) {
	for name, tt := range map[string]struct {
		pairs []any
		sent  map[string]string // operation: what its body must hold
		not   []string          // what no body may hold
	}{
		"in DRS": {
			pairs: []any{recovery.CopyTags, false, recovery.LaunchDisposition, "STARTED", recovery.Subnet, subnetA},
			sent:  map[string]string{"UpdateLaunchConfiguration": `{"copyTags":false,"sourceServerID":"s-00000000000000003"}`},
		},
		"an instance type": {
			pairs: []any{recovery.InstanceType, "r5.xlarge", recovery.Subnet, subnetA},
			sent: map[string]string{
				"CreateLaunchTemplateVersion": "LaunchTemplateData.InstanceType=r5.xlarge&LaunchTemplateId=lt-00000000000000003&SourceVersion=1&",
				"ModifyLaunchTemplate":        "SetDefaultVersion=2"},
			not: []string{"NetworkInterface", "BlockDevice", "IamInstanceProfile", "$Latest"},
		},
		"an instance profile": {
			pairs: []any{recovery.InstanceProfile, "arn:aws:iam::123456789012:instance-profile/path/new"},
			sent:  map[string]string{"CreateLaunchTemplateVersion": "IamInstanceProfile.Arn=arn", "ModifyLaunchTemplate": "SetDefaultVersion=2"},
			not:   []string{"NetworkInterface", "InstanceType", "IamInstanceProfile.Name"},
		},
		"the subnet": {
			pairs: []any{recovery.Subnet, subnetB, recovery.SecurityGroups, []any{groupA}, recovery.InstanceProfile, "old-profile"},
			sent:  map[string]string{"CreateLaunchTemplateVersion": "NetworkInterface.1.SubnetId=" + subnetB, "ModifyLaunchTemplate": "SetDefaultVersion=2"},
			not:   []string{"InstanceType", "IamInstanceProfile"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 5), simulator.Options{})
				c, told := everything(t, 0), announced{}
				for _, id := range serverIDs(5) {
					c.Want[id] = want(t, id, recovery.LaunchDisposition, "STARTED", recovery.Subnet, subnetA, recovery.InstanceProfile, "arn:aws:iam::123456789012:instance-profile/old-profile")
				}
				c.Want[serverID(3)] = want(t, serverID(3), tt.pairs...)
				c.Before = told.before
				if err := h.region().Configure(t.Context(), c); err != nil {
					t.Fatal(err)
				}
				wantWrites := map[string]int{}
				for operation, part := range tt.sent {
					wantWrites[operation] = 1
					if sent := h.wire.sent(operation); len(sent) != 1 || !strings.Contains(sent[0], part) {
						t.Errorf("%s: sent %s, want %s", operation, sent, part)
					}
					for _, part := range tt.not {
						if strings.Contains(strings.Join(h.wire.sent(operation), " "), part) {
							t.Errorf("%s: sent %s, want no %s", operation, h.wire.sent(operation), part)
						}
					}
				}
				same(t, "writes", fmt.Sprint(h.writes()), fmt.Sprint(wantWrites))
				if len(told.calls) != 1 || len(told.calls[0]) != 1 || len(told.calls[0][0].Changes) != 1 {
					t.Errorf("announced %+v", told.calls)
				}
				if sent := strings.Join(h.wire.sent("ModifyLaunchTemplate"), ""); strings.Contains(sent, "ClientToken") {
					t.Errorf("ModifyLaunchTemplate carries a client token: %s", sent)
				}
			})
		})
	}
}

func TestWhatIsAnnouncedIsEnoughToPutItBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 2), simulator.Options{})
		told := announced{}
		c := everything(t, 2)
		c.Before = func(ctx context.Context, changes []recovery.ServerChange) error {
			if h.calls()["CreateLaunchTemplateVersion"]+h.calls()["ModifyLaunchTemplate"] > 0 {
				t.Error("a template was written before that was announced")
			}
			if len(told.calls) == 0 && h.calls()["UpdateLaunchConfiguration"] > 0 {
				t.Error("DRS was written before that was announced")
			}
			return told.before(ctx, changes)
		}
		if err := h.region().Configure(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if len(told.calls) != 2 {
			t.Fatalf("Before was called %d times, want once for DRS and once for templates", len(told.calls))
		}
		same(t, "in DRS", fmt.Sprint(told.calls[0]), "["+
			"{s-00000000000000001 lt-00000000000000001 0 [{copyTags true false server} {launchDisposition STARTED STOPPED server}]} "+
			"{s-00000000000000002 lt-00000000000000002 0 [{copyTags true false server} {launchDisposition STARTED STOPPED server}]}]")
		same(t, "in the template", fmt.Sprint(told.calls[1][0]), "{s-00000000000000001 lt-00000000000000001 2 ["+
			"{instanceProfile old-profile new-profile server} {instanceType m5.large r5.xlarge server} "+
			"{securityGroups ["+groupA+"] ["+groupB+" "+groupA+"] server} {subnet "+subnetA+" "+subnetB+" server}]}")
	})
}

func TestNothingIsWrittenThatWasNotLet(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 3), simulator.Options{})
		told := announced{err: errors.New("the record cannot be written")}
		c := everything(t, 3)
		c.Before = told.before
		if err := h.region().Configure(t.Context(), c); !errors.Is(err, told.err) {
			t.Errorf("got %v", err)
		}
		same(t, "writes", len(h.writes()), 0)

		c = only(t, 1, recovery.Subnet, subnetB)
		c.Before = told.before
		if err := h.region().Configure(t.Context(), c); !errors.Is(err, told.err) {
			t.Errorf("got %v", err)
		}
		same(t, "writes", len(h.writes()), 0)
	})
}

func TestWhatCannotWorkIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	const missing = "subnet-0000000000000000f"
	for name, tt := range map[string]struct {
		pairs   []any
		setting recovery.Setting
		says    string
	}{
		"an unknown subnet":                  {[]any{recovery.Subnet, missing, recovery.CopyTags, false}, recovery.Subnet, missing + " does not exist in account 123456789012, us-east-1"},
		"unknown security groups":            {[]any{recovery.SecurityGroups, []any{"sg-0000000000000000e", groupA, "sg-0000000000000000f"}}, recovery.SecurityGroups, "sg-0000000000000000e, sg-0000000000000000f"},
		"a security group of another VPC":    {[]any{recovery.Subnet, subnetB, recovery.SecurityGroups, []any{groupC}}, recovery.SecurityGroups, "belongs to vpc-0000000000000000c"},
		"an address outside the subnet":      {[]any{recovery.Subnet, subnetB, recovery.PrivateIP, "10.0.1.7", recovery.CopyTags, false}, recovery.PrivateIP, "10.0.1.7 does not lie in " + subnetB},
		"an address outside its own subnet":  {[]any{recovery.PrivateIP, "10.0.2.7", recovery.CopyTags, false}, recovery.PrivateIP, "10.0.2.7 does not lie in " + subnetA},
		"security groups without any subnet": {[]any{recovery.SecurityGroups, []any{groupA}, recovery.CopyTags, false}, recovery.SecurityGroups, "security groups need a subnet"},
		"an address without any subnet":      {[]any{recovery.PrivateIP, "10.0.2.7", recovery.CopyTags, false}, recovery.PrivateIP, "needs a subnet"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				fleet := fleetOf(t, 3)
				if strings.Contains(name, "without any subnet") {
					bare(fleet, 2)
				}
				h := newHouse(t, fleet, simulator.Options{})
				c := everything(t, 3)
				c.Want[serverID(2)] = want(t, serverID(2), tt.pairs...)
				err := h.region().Configure(t.Context(), c)
				var about *recovery.ConfigError
				if !errors.As(err, &about) || about.Server != serverID(2) || !slices.Equal(about.Settings, []recovery.Setting{tt.setting}) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want %s", err, tt.says)
				}
				same(t, "writes", len(h.writes()), 0)
			})
		})
	}
}

// bare takes the network interfaces out of a server's template.
func bare(f *simulator.Fleet, n int) {
	t := &f.Accounts["123456789012"].Regions["us-east-1"].Servers[n-1].Template
	t.Subnet, t.SecurityGroups, t.Interfaces = "", nil, nil
}

func TestEveryServerThatFailsIsNamed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 5), simulator.Options{})
		h.fault("Refuse:operation=UpdateLaunchConfiguration,code=ValidationException,status=400,message=no,servers=" + string(serverID(2)) + "+" + string(serverID(4)))
		err := h.region().Configure(t.Context(), everything(t, 5))
		for _, id := range serverIDs(5) {
			same(t, string(id)+" is named", strings.Contains(fmt.Sprint(err), string(id)), id == serverID(2) || id == serverID(4))
		}
		if !strings.Contains(fmt.Sprint(err), "server s-00000000000000002, copyTags, launchDisposition: writing its DRS launch configuration: DRS UpdateLaunchConfiguration: ValidationException - no") {
			t.Errorf("got %v", err)
		}
		// The others finished what was under way, and no more was begun.
		same(t, "writes", fmt.Sprint(h.writes()), "map[UpdateLaunchConfiguration:5]")
		same(t, "reads of templates", h.calls()["DescribeLaunchTemplateVersions"], 3)
	})
}

func TestADeniedWriteIsSaidSo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		r, err := h.accounts.Assume(t.Context(), with(func(a *recovery.AccountContext) { a.RoleName, a.ExternalID = "ReadOnly", recovery.Secret{} }))
		if err != nil {
			t.Fatal(err)
		}
		var refused *recovery.ServiceError
		err = r.Configure(t.Context(), only(t, 1, recovery.CopyTags, false))
		if !errors.As(err, &refused) || refused.Code != "AccessDeniedException" || refused.Retryable || !strings.Contains(refused.Message, "drs:UpdateLaunchConfiguration") {
			t.Errorf("got %v", err)
		}
		err = r.Configure(t.Context(), only(t, 1, recovery.Subnet, subnetB))
		if !errors.As(err, &refused) || refused.Code != "UnauthorizedOperation" || refused.Retryable || !strings.Contains(err.Error(), "server s-00000000000000001, subnet: making a version") {
			t.Errorf("got %v", err)
		}
	})
}

func TestEverySettingOfDRSIsWritten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		told := announced{}
		c := only(t, 1, recovery.CopyPrivateIP, true, recovery.CopyTags, false, recovery.LaunchDisposition, "STOPPED", recovery.OSByol, true,
			recovery.RightSizing, "BASIC", recovery.PostLaunchEnabled, true, recovery.LaunchName, "another")
		c.Before = told.before
		r := h.region()
		if err := r.Configure(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		same(t, "changes announced", len(told.calls[0][0].Changes), 7)
		if err := r.Configure(t.Context(), c); err != nil || len(told.calls) != 1 {
			t.Errorf("a second time: %v, announced %v", err, told.calls)
		}
		same(t, "templates read", h.calls()["DescribeLaunchTemplateVersions"], 0) // nothing is asked of them
	})
}

func TestWritesWhoseAnswerIsLostAreRepeatedWithoutHarm(t *testing.T) {
	for _, operation := range []string{"UpdateLaunchConfiguration", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"} {
		for _, fault := range []string{"DropAnswerAfter", "Error500After", "Throttle", "DropBefore"} {
			t.Run(fault+" "+operation, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					h := newHouse(t, fleetOf(t, 1), simulator.Options{})
					h.fault(fault + ":times=1,operation=" + operation)
					if err := h.region().Configure(t.Context(), everything(t, 1)); err != nil {
						t.Fatal(err)
					}
					versions := int64(3) // the fleet's, DRS's, ours
					if operation == "UpdateLaunchConfiguration" && strings.HasSuffix(fault, "After") {
						versions = 4 // DRS's, twice
					}
					same(t, "version", h.server(serverID(1)).TemplateVersion, versions)
					same(t, "times sent", h.calls()[operation], 2)
				})
			})
		}
	}
}

func TestConfigureRefusesNoServers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		if err := h.region().Configure(t.Context(), recovery.Configuration{}); err == nil {
			t.Error("no error")
		}
		same(t, "calls", len(h.world.Calls()), 1)
	})
}
