package awsdrs

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/drs/types"

	"muster/recovery"
)

var (
	getLaunchConfiguration = operation{service: "DRS", name: "GetLaunchConfiguration"}
	// An update makes DRS write a version of the server's launch template, with
	// our credentials: it draws from our bucket. A conflict is another update
	// under way.
	updateLaunchConfiguration = operation{service: "DRS", name: "UpdateLaunchConfiguration", effect: true,
		draws: "CreateLaunchTemplateVersion", passing: []string{"ConflictException"}}
)

// readDRS reads DRS's own settings, and which template the server has.
func (w *configuration) readDRS(ctx context.Context, t *target) error {
	const doing = "reading its DRS launch configuration"
	out, err := call(ctx, w.region, getLaunchConfiguration, func(ctx context.Context, s *session) (*drs.GetLaunchConfigurationOutput, error) {
		return s.drs.GetLaunchConfiguration(ctx, &drs.GetLaunchConfigurationInput{SourceServerID: aws.String(string(t.id))})
	})
	if err != nil {
		return t.fail(doing, err)
	}
	t.template = aws.ToString(out.Ec2LaunchTemplateID)
	if t.template == "" && t.asks() {
		return t.fail(doing, errors.New("DRS names no launch template of the server"))
	}
	t.inDRS = t.want.Diff(drsSettings(out), recovery.InDRS)
	return nil
}

func drsSettings(out *drs.GetLaunchConfigurationOutput) recovery.LaunchConfig {
	have := recovery.LaunchConfig{}
	flag := func(s recovery.Setting, v *bool) {
		if v != nil {
			have[s] = *v
		}
	}
	word := func(s recovery.Setting, v string) {
		if v != "" {
			have[s] = v
		}
	}
	flag(recovery.CopyPrivateIP, out.CopyPrivateIp)
	flag(recovery.CopyTags, out.CopyTags)
	flag(recovery.PostLaunchEnabled, out.PostLaunchEnabled)
	if out.Licensing != nil {
		flag(recovery.OSByol, out.Licensing.OsByol)
	}
	word(recovery.LaunchDisposition, string(out.LaunchDisposition))
	word(recovery.RightSizing, string(out.TargetInstanceTypeRightSizingMethod))
	word(recovery.LaunchName, aws.ToString(out.Name))
	return have
}

// writeDRS sends the settings that differ. What is absent stays as it is.
func (w *configuration) writeDRS(ctx context.Context, t *target) error {
	in := &drs.UpdateLaunchConfigurationInput{SourceServerID: aws.String(string(t.id))}
	for _, change := range t.inDRS {
		flag, _ := change.New.(bool)
		word, _ := change.New.(string)
		switch change.Setting {
		case recovery.CopyPrivateIP:
			in.CopyPrivateIp = aws.Bool(flag)
		case recovery.CopyTags:
			in.CopyTags = aws.Bool(flag)
		case recovery.PostLaunchEnabled:
			in.PostLaunchEnabled = aws.Bool(flag)
		case recovery.OSByol:
			in.Licensing = &types.Licensing{OsByol: aws.Bool(flag)}
		case recovery.LaunchDisposition:
			in.LaunchDisposition = types.LaunchDisposition(word)
		case recovery.RightSizing:
			in.TargetInstanceTypeRightSizingMethod = types.TargetInstanceTypeRightSizingMethod(word)
		case recovery.LaunchName:
			in.Name = aws.String(word)
		default:
			return t.fail("writing its DRS launch configuration", errors.New("this setting is not known to be in DRS"), change.Setting)
		}
	}
	began := time.Now()
	out, err := call(ctx, w.region, updateLaunchConfiguration, func(ctx context.Context, s *session) (*drs.UpdateLaunchConfigurationOutput, error) {
		return s.drs.UpdateLaunchConfiguration(ctx, in)
	})
	if err != nil {
		return t.fail("writing its DRS launch configuration", err, named(t.inDRS)...)
	}
	t.told = began
	if answered, ok := middleware.GetServerTime(out.ResultMetadata); ok {
		t.told = answered.Add(-time.Since(began))
	}
	t.told = t.told.Truncate(time.Second) // AWS's times are in whole seconds
	return nil
}

// named gives the settings that were being written: an error is about all of
// them.
func named(changes []recovery.SettingChange) []recovery.Setting {
	names := make([]recovery.Setting, len(changes))
	for i, c := range changes {
		names[i] = c.Setting
	}
	return names
}
