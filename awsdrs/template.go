package awsdrs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"muster/recovery"
)

// mostTemplateIDs is how many ids one DescribeLaunchTemplates takes.
const mostTemplateIDs = 200

var (
	describeVersions  = operation{service: "EC2", name: "DescribeLaunchTemplateVersions", draws: "DescribeLaunchTemplateVersions"}
	describeTemplates = operation{service: "EC2", name: "DescribeLaunchTemplates", draws: "DescribeLaunchTemplates"}
	createVersion     = operation{service: "EC2", name: "CreateLaunchTemplateVersion", draws: "CreateLaunchTemplateVersion", effect: true}
	// A version that was just made may not have reached all of EC2.
	modifyTemplate = operation{service: "EC2", name: "ModifyLaunchTemplate", draws: "ModifyLaunchTemplate", effect: true,
		passing: []string{"InvalidLaunchTemplateId.VersionNotFound"}}
)

func number(version int64) string { return strconv.FormatInt(version, 10) }

// drsWrites is how long DRS is waited for that was told to write a template
// and has not, in pauses that double.
const (
	drsWritesFirst = 500 * time.Millisecond
	drsWritesLast  = 4 * time.Second
)

// readTemplate reads the default version of the server's launch template, and
// sees what differs. After a change in DRS it waits for the version that DRS
// writes: one written after ours would undo ours. DRS is not waited for long;
// a version that comes later than that is found when all is confirmed, if at
// all (see late).
func (w *configuration) readTemplate(ctx context.Context, t *target) error {
	for pause := drsWritesFirst; ; pause *= 2 {
		made, err := w.readVersion(ctx, t)
		if err != nil {
			return err
		}
		if !made.Before(t.told) || pause > drsWritesLast || !endsBefore(ctx, pause+w.region.accounts.opts.LeastTime) {
			t.told = time.Time{}
			return nil
		}
		if err := sleep(ctx, pause); err != nil {
			return t.fail("waiting for DRS to write its launch template "+t.template, err)
		}
	}
}

// readVersion reads the default version once, and gives when it was made.
func (w *configuration) readVersion(ctx context.Context, t *target) (made time.Time, err error) {
	doing := "reading its launch template " + t.template
	out, err := call(ctx, w.region, describeVersions, func(ctx context.Context, s *session) (*ec2.DescribeLaunchTemplateVersionsOutput, error) {
		return s.ec2.DescribeLaunchTemplateVersions(ctx, &ec2.DescribeLaunchTemplateVersionsInput{
			LaunchTemplateId: aws.String(t.template), Versions: []string{"$Default"},
		})
	})
	if err != nil {
		return made, t.fail(doing, err)
	}
	if len(out.LaunchTemplateVersions) != 1 || out.LaunchTemplateVersions[0].LaunchTemplateData == nil || aws.ToInt64(out.LaunchTemplateVersions[0].VersionNumber) == 0 {
		return made, t.fail(doing, errors.New("EC2 shows no default version of it"))
	}
	v := out.LaunchTemplateVersions[0]
	t.version, t.data = *v.VersionNumber, v.LaunchTemplateData
	have := templateSettings(t.data)
	if asked := t.want.Text(recovery.InstanceProfile); sameProfile(asked, have.Text(recovery.InstanceProfile)) {
		have[recovery.InstanceProfile] = asked
	}
	t.inTemplate = t.want.Diff(have, recovery.InTemplate)
	return aws.ToTime(v.CreateTime), nil
}

// writeTemplate makes a version that is right, and makes it the default: by
// its number, for $Latest moves under us.
func (w *configuration) writeTemplate(ctx context.Context, t *target) error {
	in, err := t.newVersion(w.Key)
	if err != nil {
		return t.fail("preparing a version of its launch template", err, named(t.inTemplate)...)
	}
	made, err := call(ctx, w.region, createVersion, func(ctx context.Context, s *session) (*ec2.CreateLaunchTemplateVersionOutput, error) {
		return s.ec2.CreateLaunchTemplateVersion(ctx, in)
	})
	if err != nil {
		return t.fail("making a version of its launch template "+t.template, err, named(t.inTemplate)...)
	}
	if made.LaunchTemplateVersion == nil || aws.ToInt64(made.LaunchTemplateVersion.VersionNumber) == 0 {
		return t.fail("making a version of its launch template "+t.template, errors.New("EC2's answer does not say which version it made"))
	}
	t.version = *made.LaunchTemplateVersion.VersionNumber
	// Without a client token: one that is replayed answers success and does
	// nothing. Whether the version is the default now is confirmed for all
	// templates together, see late.
	_, err = call(ctx, w.region, modifyTemplate, func(ctx context.Context, s *session) (*ec2.ModifyLaunchTemplateOutput, error) {
		return s.ec2.ModifyLaunchTemplate(ctx, &ec2.ModifyLaunchTemplateInput{
			LaunchTemplateId: aws.String(t.template), DefaultVersion: aws.String(number(t.version)),
		})
	})
	if err != nil {
		return t.fail("making version "+number(t.version)+" the default of its launch template "+t.template, err, named(t.inTemplate)...)
	}
	return nil
}

// late gives the targets whose template's default version is no longer the one
// that they know to be right: DRS writes versions, and sometimes late.
func (w *configuration) late(ctx context.Context, targets []*target) ([]*target, error) {
	if len(targets) == 0 {
		return nil, nil
	}
	ids := make([]string, len(targets))
	for i, t := range targets {
		ids[i] = t.template
	}
	found, err := inChunks(ids, mostTemplateIDs, func(ids []string) ([]types.LaunchTemplate, error) {
		return pages(ctx, w.region, describeTemplates, func(ctx context.Context, s *session, token *string) (*ec2.DescribeLaunchTemplatesOutput, error) {
			return s.ec2.DescribeLaunchTemplates(ctx, &ec2.DescribeLaunchTemplatesInput{LaunchTemplateIds: ids, NextToken: token})
		}, func(out *ec2.DescribeLaunchTemplatesOutput) ([]types.LaunchTemplate, *string, error) {
			return out.LaunchTemplates, out.NextToken, nil
		})
	})
	if err != nil {
		return nil, w.all(targets, func(t *target) error { return t.fail("confirming its launch template "+t.template, err) })
	}
	defaults := make(map[string]int64, len(found))
	for _, template := range found {
		defaults[aws.ToString(template.LaunchTemplateId)] = aws.ToInt64(template.DefaultVersionNumber)
	}
	var late []*target
	for _, t := range targets {
		if defaults[t.template] != t.version {
			late = append(late, t)
		}
	}
	return late, nil
}

// newVersion is the version that is right, made from the one that is not, so
// that what is not ours (disks, tags, metadata options) survives.
func (t *target) newVersion(key recovery.AttemptKey) (*ec2.CreateLaunchTemplateVersionInput, error) {
	in := &ec2.CreateLaunchTemplateVersionInput{
		LaunchTemplateId:   aws.String(t.template),
		SourceVersion:      aws.String(number(t.version)),
		VersionDescription: aws.String(fmt.Sprintf("Muster, execution %s, wave %d", key.Execution, key.Wave)),
		LaunchTemplateData: &types.RequestLaunchTemplateData{},
	}
	if t.movesGroups() {
		whole, err := convert[types.RequestLaunchTemplateData](t.data)
		if err != nil {
			return nil, err
		}
		whole.SecurityGroupIds, whole.SecurityGroups = nil, nil
		in.SourceVersion, in.LaunchTemplateData = nil, &whole
	}
	if err := t.apply(in.LaunchTemplateData); err != nil {
		return nil, err
	}
	content, err := json.Marshal([]any{in.SourceVersion, in.LaunchTemplateData})
	if err != nil {
		return nil, err
	}
	in.ClientToken = aws.String(token(fmt.Sprint(key.Execution), fmt.Sprint(key.Wave), fmt.Sprint(key.Attempt), string(t.id), number(t.version), string(content)))
	return in, nil
}

// token is the same whenever the same version is made for the same attempt, so
// that an invocation that repeats another's work makes no second version.
func token(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
