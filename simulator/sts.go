package simulator

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sts handles an action of STS.
func (h *handling) sts() (any, *apiError) {
	if h.request.operation == "AssumeRole" {
		return h.assumeRole()
	}
	return map[string]any{"Account": h.caller.Account, "Arn": h.caller.ARN, "UserId": h.caller.UserID}, nil
}

// assumedAccount is the account that a call to STS acts in: the role's, or the caller's own.
func assumedAccount(q *request, p principal) string {
	if parts := strings.Split(q.form.Get("RoleArn"), ":"); q.operation == "AssumeRole" && len(parts) == 6 && accountPattern.MatchString(parts[4]) {
		return parts[4]
	}
	return p.Account
}

// assumeRole hands out a session of a role. Whether the role is missing, does
// not trust the caller, or wants another external id, AWS does not tell apart.
func (h *handling) assumeRole() (any, *apiError) {
	f := h.request.form
	arn, name := f.Get("RoleArn"), f.Get("RoleSessionName")
	h.touch(arn)
	chained := h.caller.Role != ""
	seconds := int64(3600)
	if !h.replaying {
		var e *apiError
		if seconds, e = checkAssume(f, chained); e != nil {
			return nil, e
		}
	} else if n, err := strconv.ParseInt(f.Get("DurationSeconds"), 10, 64); err == nil {
		seconds = n
	}
	role := h.w.roles[h.at.account+":"+arn[strings.LastIndex(arn, "/")+1:]]
	if !h.replaying {
		if role == nil || !roleARN.MatchString(arn) || !role.lets(h.caller, f.Get("ExternalId")) || role.denies("sts:AssumeRole") || h.w.denied(h.caller, "sts:AssumeRole") {
			return nil, accessDenied(h.caller, "sts:AssumeRole", arn)
		}
		if most := int64(time.Duration(role.MaxSession).Seconds()); seconds > most {
			return nil, stsInvalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
		}
	}
	if role == nil {
		return nil, stsInvalid("the fleet has no role " + arn)
	}
	h.w.handed++
	n := strconv.Itoa(h.w.handed)
	s := &session{
		secret:  strings.ToLower(h.w.upperID("", "secret", n)) + h.w.upperID("", "secret too", n),
		token:   strings.Repeat(h.w.upperID("IQoJb3JpZ2luX2Vj", "token", n), 4),
		expires: h.now.Add(time.Duration(seconds) * time.Second),
	}
	id := h.w.upperID("AROA", h.at.account, role.Name)
	s.principal = principal{
		Account: h.at.account,
		Origin:  h.caller.Account,
		ARN:     fmt.Sprintf("arn:aws:sts::%s:assumed-role/%s/%s", h.at.account, role.Name, name),
		UserID:  id + ":" + name,
		Role:    role.Name,
		Key:     h.w.upperID("ASIA", "key", n),
	}
	h.w.sessions[s.Key] = s
	return map[string]any{
		"AssumedRoleUser": map[string]any{"Arn": s.ARN, "AssumedRoleId": s.UserID},
		"Credentials": map[string]any{
			"AccessKeyId": s.Key, "SecretAccessKey": s.secret, "SessionToken": s.token, "Expiration": s.expires,
		},
	}, nil
}

// lets says whether a role's trust policy lets a caller in.
func (r *Role) lets(p principal, externalID string) bool {
	if r.ExternalID != "" && externalID != r.ExternalID && (externalID != "" || r.ExternalIDRequired) {
		return false
	}
	return slices.ContainsFunc(r.Trusts, func(t string) bool {
		if t == p.Account {
			return true
		}
		account, rest, _ := strings.Cut(strings.TrimPrefix(t, "arn:aws:iam::"), ":role/")
		return p.Role != "" && account == p.Account && rest[strings.LastIndex(rest, "/")+1:] == p.Role
	})
}

// checkAssume checks AssumeRole's parameters as STS does.
func checkAssume(f url.Values, chained bool) (seconds int64, e *apiError) {
	asked := map[string]any{}
	for member, parameter := range map[string]string{"roleArn": "RoleArn", "roleSessionName": "RoleSessionName"} {
		if v := f.Get(parameter); v != "" {
			asked[member] = v
		}
	}
	seconds = 3600
	if t := f.Get("DurationSeconds"); t != "" {
		var err error
		if seconds, err = strconv.ParseInt(t, 10, 32); err != nil {
			return 0, &apiError{Status: 400, Code: "MalformedInput", Message: "DurationSeconds is not an integer."}
		}
		asked["durationSeconds"] = json.Number(t)
	}
	var wrong []string
	for _, p := range checkShape("AssumeRoleRequest", asked, true) {
		wrong = append(wrong, p.Message)
	}
	if x, given := f["ExternalId"]; given && (!externalID.MatchString(x[0]) || len(x[0]) > 1224) {
		wrong = append(wrong, `Value at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@:\/-]*`)
	}
	if wrong != nil {
		return 0, stsInvalid(detected(wrong))
	}
	if chained && seconds > 3600 {
		return 0, stsInvalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	for _, name := range sortedKeys(f) {
		switch {
		case slices.Contains([]string{"Action", "Version", "RoleArn", "RoleSessionName", "ExternalId", "DurationSeconds"}, name):
		case strings.HasPrefix(name, "Tags."), strings.HasPrefix(name, "TransitiveTagKeys."), name == "SourceIdentity":
			// Session tags change nothing that is simulated.
		default:
			return 0, stsInvalid("The simulator does not implement the parameter " + name + " of AssumeRole.")
		}
	}
	return seconds, nil
}

func stsInvalid(message string) *apiError {
	return &apiError{Status: 400, Code: "ValidationError", Message: message}
}
