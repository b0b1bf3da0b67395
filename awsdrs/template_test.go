package awsdrs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"muster/recovery"
	"muster/simulator"
)

// somebody is another user of the account.
func (h *house) somebody() *ec2.Client {
	return ec2.New(ec2.Options{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("123456789012", "x", ""),
		HTTPClient: &http.Client{Transport: h.world.RoundTripper()}, Retryer: aws.NopRetryer{},
	})
}

// version reads a version of the template of server n.
func (h *house) version(n int, which string) *types.ResponseLaunchTemplateData {
	h.Helper()
	out, err := h.somebody().DescribeLaunchTemplateVersions(context.Background(), &ec2.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: aws.String(templateID(n)), Versions: []string{which},
	})
	if err != nil || len(out.LaunchTemplateVersions) != 1 {
		h.Fatalf("version %s of %s: %v", which, templateID(n), err)
	}
	return out.LaunchTemplateVersions[0].LaunchTemplateData
}

func asJSON(v any) string { b, _ := json.Marshal(v); return string(b) }

func TestWhatIsNotOursSurvives(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		before := h.version(1, "1")
		if err := h.region().Configure(t.Context(), everything(t, 1)); err != nil {
			t.Fatal(err)
		}
		after := h.version(1, "$Default")
		same(t, "network interfaces", len(after.NetworkInterfaces), 2)
		same(t, "the second interface", asJSON(after.NetworkInterfaces[1]), asJSON(before.NetworkInterfaces[1]))
		same(t, "the subnet", aws.ToString(after.NetworkInterfaces[0].SubnetId), subnetB)

		before.InstanceType, before.IamInstanceProfile.Name = "r5.xlarge", aws.String("new-profile")
		before.NetworkInterfaces[0].SubnetId, before.NetworkInterfaces[0].Groups = aws.String(subnetB), []string{groupB, groupA}
		same(t, "all else", asJSON(after), asJSON(before))
	})
}

func TestTheFirstInterfaceIsOursWhereverItStands(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		other := types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{DeviceIndex: aws.Int32(1), SubnetId: aws.String(subnetB), Description: aws.String("other")}
		ours := types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{
			DeviceIndex: aws.Int32(0), SubnetId: aws.String(subnetA), DeleteOnTermination: aws.Bool(false), Description: aws.String("ours"), Groups: []string{groupA},
			PrivateIpAddresses: []types.PrivateIpAddressSpecification{{PrivateIpAddress: aws.String("10.0.1.9")}, {PrivateIpAddress: aws.String("10.0.1.8"), Primary: aws.Bool(true)}},
		}
		h.write(1, "1", &types.RequestLaunchTemplateData{NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{other, ours}})
		before := h.version(1, "$Default")
		if err := h.region().Configure(t.Context(), only(t, 1, recovery.PrivateIP, "10.0.1.77")); err != nil {
			t.Fatal(err)
		}
		before.NetworkInterfaces[1].PrivateIpAddresses[1].PrivateIpAddress = aws.String("10.0.1.77")
		same(t, "the template", asJSON(h.version(1, "$Default")), asJSON(before))
	})
}

// write makes somebody write a version of server n's template, and make it the default.
func (h *house) write(n int, source string, data *types.RequestLaunchTemplateData) {
	h.Helper()
	in := &ec2.CreateLaunchTemplateVersionInput{LaunchTemplateId: aws.String(templateID(n)), LaunchTemplateData: data}
	if source != "" {
		in.SourceVersion = aws.String(source)
	}
	made, err := h.somebody().CreateLaunchTemplateVersion(context.Background(), in)
	if err != nil {
		h.Fatal(err)
	}
	_, err = h.somebody().ModifyLaunchTemplate(context.Background(), &ec2.ModifyLaunchTemplateInput{
		LaunchTemplateId: aws.String(templateID(n)), DefaultVersion: aws.String(fmt.Sprint(*made.LaunchTemplateVersion.VersionNumber)),
	})
	if err != nil {
		h.Fatal(err)
	}
}

func TestGroupsAtTheTopMoveToAnInterface(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.write(1, "", &types.RequestLaunchTemplateData{
			InstanceType: "m5.large", SecurityGroupIds: []string{groupA}, KeyName: aws.String("key"),
			BlockDeviceMappings: []types.LaunchTemplateBlockDeviceMappingRequest{{DeviceName: aws.String("/dev/sda1"), Ebs: &types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: aws.Int32(64)}}},
			TagSpecifications:   []types.LaunchTemplateTagSpecificationRequest{{ResourceType: "instance", Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}}},
		})
		before := h.version(1, "$Default")
		if err := h.region().Configure(t.Context(), only(t, 1, recovery.Subnet, subnetB)); err != nil {
			t.Fatal(err)
		}
		before.SecurityGroupIds = nil
		before.NetworkInterfaces = []types.LaunchTemplateInstanceNetworkInterfaceSpecification{{DeviceIndex: aws.Int32(0), SubnetId: aws.String(subnetB), Groups: []string{groupA}}}
		same(t, "the template", asJSON(h.version(1, "$Default")), asJSON(before))
	})
}

func TestATemplateWithoutInterfaceGetsOne(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fleet := fleetOf(t, 1)
		bare(fleet, 1)
		h := newHouse(t, fleet, simulator.Options{})
		if err := h.region().Configure(t.Context(), only(t, 1, recovery.Subnet, subnetB, recovery.SecurityGroups, []any{groupA}, recovery.PrivateIP, "10.0.2.7")); err != nil {
			t.Fatal(err)
		}
		same(t, "interfaces", asJSON(h.version(1, "$Default").NetworkInterfaces), asJSON([]types.LaunchTemplateInstanceNetworkInterfaceSpecification{
			{DeviceIndex: aws.Int32(0), SubnetId: aws.String(subnetB), Groups: []string{groupA}, PrivateIpAddress: aws.String("10.0.2.7")}}))
	})
}

func TestAnAddressThatTheNewSubnetDoesNotHoldIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		fleet := fleetOf(t, 1)
		fleet.Accounts["123456789012"].Regions["us-east-1"].Servers[0].Template.PrivateIP = "10.0.1.7"
		h := newHouse(t, fleet, simulator.Options{})
		err := h.region().Configure(t.Context(), only(t, 1, recovery.Subnet, subnetB))
		if err == nil || !strings.Contains(err.Error(), "subnet: checking its settings: the launch template gives the address 10.0.1.7") {
			t.Errorf("got %v", err)
		}
		same(t, "writes", len(h.writes()), 0)
	})
}

func TestAnInvocationThatIsCutShortLeavesNothingToRepair(t *testing.T) {
	for _, cutAt := range []string{"UpdateLaunchConfiguration", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate", "DescribeLaunchTemplates"} {
		for _, effect := range []string{"before", "after"} {
			t.Run(effect+" "+cutAt, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					h := newHouse(t, fleetOf(t, 3), simulator.Options{})
					r, c := h.region(), everything(t, 3)
					ctx, cancel := context.WithCancel(t.Context())
					h.wire.cut = func(operation string, _ int) error {
						if operation == cutAt && effect == "before" {
							cancel()
							return context.Canceled
						}
						return nil
					}
					if effect == "after" {
						h.fault("SlowAnswers:duration=5s,operation=" + cutAt)
						c.Before = func(context.Context, []recovery.ServerChange) error {
							time.AfterFunc(3*time.Second, cancel)
							return nil
						}
					}
					if err := r.Configure(ctx, c); !errors.Is(err, context.Canceled) {
						t.Fatalf("got %v", err)
					}
					h.wire.cut = nil
					h.clearFaults()
					if err := r.Configure(t.Context(), everything(t, 3)); err != nil {
						t.Fatal(err)
					}
					for n := 1; n <= 3; n++ { // the fleet's, DRS's, ours
						out, err := h.somebody().DescribeLaunchTemplates(t.Context(), &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{templateID(n)}})
						if err != nil {
							t.Fatal(err)
						}
						same(t, "versions", fmt.Sprint(*out.LaunchTemplates[0].LatestVersionNumber, *out.LaunchTemplates[0].DefaultVersionNumber), "3 3")
					}
				})
			})
		}
	}
}

func TestDRSIsWaitedForWhereItWritesLate(t *testing.T) {
	for late, reads := range map[time.Duration]int{400 * time.Millisecond: 2, 3 * time.Second: 4, time.Minute: 5} {
		t.Run(late.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 1), simulator.Options{})
				time.Sleep(time.Minute) // the template is older than what follows
				h.fault("LateTemplateVersion:duration=" + late.String())
				if err := h.region().Configure(t.Context(), everything(t, 1)); err != nil {
					t.Fatal(err)
				}
				same(t, "reads of the template", h.calls()["DescribeLaunchTemplateVersions"], reads)
				same(t, "writes", fmt.Sprint(h.writes()), "map[CreateLaunchTemplateVersion:1 ModifyLaunchTemplate:1 UpdateLaunchConfiguration:1]")
			})
		})
	}
}

func TestADefaultThatSomebodyMovedIsPutRight(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 3), simulator.Options{})
		h.wire.cut = func(operation string, nth int) error {
			if operation == "DescribeLaunchTemplates" && nth <= 2 {
				h.write(2, "1", &types.RequestLaunchTemplateData{InstanceType: "t3.nano"})
			}
			return nil
		}
		told := announced{}
		c := everything(t, 3)
		c.Before = told.before
		if err := h.region().Configure(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		same(t, "instance type", string(h.version(2, "$Default").InstanceType), "r5.xlarge")
		same(t, "times Before was called", len(told.calls), 4)
		same(t, "servers of the last time", fmt.Sprint(len(told.calls[3]), told.calls[3][0].Server), "1s-00000000000000002")
		same(t, "confirmations", h.calls()["DescribeLaunchTemplates"], 3)
	})
}

func TestADefaultThatKeepsMovingIsSaidSo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 3), simulator.Options{})
		h.wire.cut = func(operation string, _ int) error {
			if operation == "DescribeLaunchTemplates" {
				h.write(2, "1", &types.RequestLaunchTemplateData{InstanceType: "t3.nano"})
			}
			return nil
		}
		err := h.region().Configure(t.Context(), everything(t, 3))
		var about *recovery.ConfigError
		if !errors.As(err, &about) || about.Server != serverID(2) || !strings.Contains(err.Error(), "somebody else keeps making another version the default") {
			t.Errorf("got %v", err)
		}
	})
}

func TestAVersionThatEC2DoesNotKnowYetIsTriedAgain(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.fault("Refuse:operation=ModifyLaunchTemplate,code=InvalidLaunchTemplateId.VersionNotFound,status=400,times=2")
		h.fault("Refuse:operation=UpdateLaunchConfiguration,code=ConflictException,status=409,times=2")
		if err := h.region().Configure(t.Context(), everything(t, 1)); err != nil {
			t.Fatal(err)
		}
		same(t, "writes", fmt.Sprint(h.writes()), "map[CreateLaunchTemplateVersion:1 ModifyLaunchTemplate:3 UpdateLaunchConfiguration:3]")
	})
}

func TestAFailedWriteNamesEverySettingThatWasBeingWritten(t *testing.T) {
	for operation, pairs := range map[string][]any{
		"CreateLaunchTemplateVersion": {recovery.Subnet, subnetB, recovery.InstanceType, "c5.large", recovery.RightSizing, "NONE"},
		"UpdateLaunchConfiguration":   {recovery.CopyTags, false, recovery.LaunchDisposition, "STOPPED"},
	} {
		inBubble(t, func(t *testing.T) {
			h := newHouse(t, fleetOf(t, 1), simulator.Options{})
			h.fault("Refuse:operation=" + operation + ",code=UnauthorizedOperation,status=403,message=no")
			err := h.region().Configure(t.Context(), only(t, 1, pairs...))
			if err == nil {
				t.Fatal("was not refused")
			}
			for i := 0; i < 4; i += 2 {
				if !strings.Contains(err.Error(), ", "+string(pairs[i].(recovery.Setting))) {
					t.Errorf("%s is not named: %v", pairs[i], err)
				}
			}
		})
	}
}
