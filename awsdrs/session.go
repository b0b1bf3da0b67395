package awsdrs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/drs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"muster/recovery"
)

const (
	// sessionLength is the longest that a role may be assumed for by one that
	// was itself assumed, as a Lambda's is.
	sessionLength = time.Hour
	// sessionReserve is what must be left of a session that is used again: DRS
	// works on with the caller's session long after StartRecovery has answered.
	sessionReserve = 50 * time.Minute
	// sessionName shows in the customer's CloudTrail. It is fixed: nothing that
	// an event says gets there.
	sessionName = "muster"
)

var assumeRole = operation{service: "STS", name: "AssumeRole"}

// session is one assumed role's credentials, and the clients that use them.
type session struct {
	drs     *drs.Client
	ec2     *ec2.Client
	until   time.Time
	secrets []string
}

// assumption is an AssumeRole under way that others may wait for.
type assumption struct {
	done    chan struct{}
	session *session
	err     error
}

// Assume gives the account's region as the role sees it. Sessions are used
// again while they have 50 minutes left, in any region object; the same one is
// assumed once at a time, and a failure is not remembered.
func (a *Accounts) Assume(ctx context.Context, account recovery.AccountContext) (recovery.Region, error) {
	s, err := a.session(ctx, account)
	if err != nil {
		return nil, err
	}
	return &region{accounts: a, account: account, place: place{account.AccountID, account.Region}, current: s}, nil
}

func (a *Accounts) session(ctx context.Context, account recovery.AccountContext) (*session, error) {
	for {
		a.mu.Lock()
		if s := a.sessions[account]; s != nil && time.Until(s.until) >= sessionReserve {
			a.mu.Unlock()
			return s, nil
		}
		other := a.assuming[account]
		if other == nil {
			mine := &assumption{done: make(chan struct{})}
			a.assuming[account] = mine
			a.mu.Unlock()
			a.open(ctx, account, mine)
			return mine.session, mine.err
		}
		a.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// That the other one's time ran out says nothing about ours.
		if other.err == nil || !ownReason(other.err) {
			return other.session, other.err
		}
	}
}

func (a *Accounts) open(ctx context.Context, account recovery.AccountContext, mine *assumption) {
	mine.session, mine.err = a.assume(ctx, account)
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.assuming, account)
	for key, s := range a.sessions {
		if time.Until(s.until) < sessionReserve {
			delete(a.sessions, key)
		}
	}
	if mine.err == nil {
		a.sessions[account] = mine.session
	}
	close(mine.done)
}

// drop forgets a session that AWS no longer takes.
func (a *Accounts) drop(account recovery.AccountContext, s *session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sessions[account] == s {
		delete(a.sessions, account)
	}
}

func (a *Accounts) assume(ctx context.Context, account recovery.AccountContext) (*session, error) {
	arn, err := roleARN(account)
	if err != nil {
		return nil, err
	}
	in := &sts.AssumeRoleInput{
		RoleArn:         aws.String(arn),
		RoleSessionName: aws.String(sessionName),
		DurationSeconds: aws.Int32(int32(sessionLength / time.Second)),
	}
	if !account.ExternalID.IsZero() {
		in.ExternalId = aws.String(account.ExternalID.Reveal())
	}
	client := sts.NewFromConfig(a.cfg, func(o *sts.Options) { o.Region = account.Region })
	var out *sts.AssumeRoleOutput
	err = a.try(ctx, place{account.AccountID, account.Region}, assumeRole, []string{account.ExternalID.Reveal()},
		func(ctx context.Context) (err error) {
			out, err = client.AssumeRole(ctx, in)
			return err
		})
	if err != nil {
		return nil, err
	}
	if out.Credentials == nil || aws.ToString(out.Credentials.SessionToken) == "" {
		return nil, assumeRole.garbled("the answer holds no credentials")
	}
	return a.newSession(account, *out), nil
}

func (a *Accounts) newSession(account recovery.AccountContext, out sts.AssumeRoleOutput) *session {
	id, key, token := aws.ToString(out.Credentials.AccessKeyId), aws.ToString(out.Credentials.SecretAccessKey), aws.ToString(out.Credentials.SessionToken)
	cfg := a.cfg.Copy()
	cfg.Region = account.Region
	cfg.Credentials = credentials.NewStaticCredentialsProvider(id, key, token)
	return &session{
		drs: drs.NewFromConfig(cfg),
		ec2: ec2.NewFromConfig(cfg, func(o *ec2.Options) {
			// The SDK would give ModifyLaunchTemplate a token of its own.
			o.IdempotencyTokenProvider = nil
		}),
		until:   aws.ToTime(out.Credentials.Expiration),
		secrets: []string{account.ExternalID.Reveal(), token, key, id},
	}
}

// roleARN names the role. Its parts are checked again: they came with an
// event, and this text decides whose account is touched.
func roleARN(account recovery.AccountContext) (string, error) {
	if err := recovery.CheckAccountID(account.AccountID); err != nil {
		return "", assumeRole.refuse("the account %v", err)
	}
	if err := recovery.CheckRegion(account.Region); err != nil {
		return "", assumeRole.refuse("the region %v", err)
	}
	if err := recovery.CheckRoleName(account.RoleName); err != nil {
		return "", assumeRole.refuse("the role %v", err)
	}
	return fmt.Sprintf("arn:%s:iam::%s:role/%s", partition(account.Region), account.AccountID, account.RoleName), nil
}

// partition is the part of AWS that a region belongs to. Accounts, roles and
// ARNs of one mean nothing in another.
func partition(region string) string {
	for _, p := range []struct{ prefix, name string }{
		{"cn-", "aws-cn"},
		{"us-gov-", "aws-us-gov"},
		{"us-isob-", "aws-iso-b"},
		{"us-isof-", "aws-iso-f"},
		{"eu-isoe-", "aws-iso-e"},
		{"us-iso-", "aws-iso"},
		{"eusc-", "aws-eusc"},
	} {
		if strings.HasPrefix(region, p.prefix) {
			return p.name
		}
	}
	return "aws"
}
