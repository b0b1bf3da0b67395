package simulator

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// principal is who makes a call.
type principal struct {
	Account string `json:"account"`           // in which the call acts
	Origin  string `json:"origin"`            // from which the session was assumed; for a root, its own
	ARN     string `json:"arn"`               // root, or assumed-role with role and session
	UserID  string `json:"userId"`            // as GetCallerIdentity shows it
	Role    string `json:"role,omitempty"`    // the assumed role's name
	Key     string `json:"key"`               // the access key's id, which is no secret
	Expires int64  `json:"expires,omitempty"` // Unix seconds; 0 never
}

// session is what AssumeRole handed out.
type session struct {
	principal
	secret, token string
	expires       time.Time
	expired       bool // by a fault, before its time
}

// scope is what a signature of version 4 says about a request.
type scope struct{ key, region, service string }

// readScope reads the credential scope of an Authorization header. The
// signature itself is not checked: a 12-digit key has no secret.
func readScope(h http.Header) (scope, *apiError) {
	auth := h.Get("Authorization")
	if auth == "" {
		return scope{}, &apiError{Status: http.StatusForbidden, Code: "MissingAuthenticationTokenException",
			Message: "Missing Authentication Token"}
	}
	incomplete := &apiError{Status: http.StatusForbidden, Code: "IncompleteSignatureException",
		Message: "The Authorization header must be AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…, Signature=…"}
	rest, ok := strings.CutPrefix(auth, "AWS4-HMAC-SHA256 ")
	if !ok {
		return scope{}, incomplete
	}
	var credential string
	for _, part := range strings.Split(rest, ",") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), "Credential="); ok {
			credential = v
		}
	}
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[4] != "aws4_request" || slices.Contains(parts, "") {
		return scope{}, incomplete
	}
	return scope{key: parts[0], region: parts[2], service: parts[3]}, nil
}

// identify finds out who has an access key.
func (w *World) identify(key, token, service string, now time.Time) (principal, *apiError) {
	if accountPattern.MatchString(key) {
		return principal{
			Account: key, Origin: key, Key: key, UserID: key,
			ARN: "arn:aws:iam::" + key + ":root",
		}, nil
	}
	s := w.sessions[key]
	if s == nil || s.token != token {
		return principal{}, unknownKey(service)
	}
	if s.expired || !now.Before(s.expires) {
		return principal{}, expiredKey(service)
	}
	return s.principal, nil
}

func unknownKey(service string) *apiError {
	switch service {
	case serviceSTS:
		return &apiError{Status: 403, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	case serviceEC2:
		return &apiError{Status: 401, Code: "AuthFailure", Message: "AWS was not able to validate the provided access credentials"}
	}
	return &apiError{Status: 403, Code: "UnrecognizedClientException", Message: "The security token included in the request is invalid."}
}

// expiredKey is worded, and coded, by each service in its own way.
func expiredKey(service string) *apiError {
	switch service {
	case serviceSTS:
		return &apiError{Status: 403, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	case serviceEC2:
		return &apiError{Status: 400, Code: "RequestExpired", Message: "Request has expired."}
	}
	return &apiError{Status: 403, Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
}

// denied says whether the caller's role must not take an action (drs:TagResource).
func (w *World) denied(p principal, action string) bool {
	role := w.roles[p.Account+":"+p.Role]
	return p.Role != "" && role != nil && role.denies(action)
}

func (r *Role) denies(action string) bool {
	action = strings.ToLower(action) // case does not matter to IAM
	return slices.ContainsFunc(r.Deny, func(pattern string) bool { return wildcard(strings.ToLower(pattern), action) })
}

// accessDenied is DRS's refusal, and STS's, in IAM's words.
func accessDenied(p principal, action, resource string) *apiError {
	message := "User: " + p.ARN + " is not authorized to perform: " + action
	if resource != "" {
		message += " on resource: " + resource
	}
	service, _, _ := strings.Cut(action, ":")
	switch service {
	case serviceSTS:
		return &apiError{Status: 403, Code: "AccessDenied", Message: message}
	case serviceEC2:
		return &apiError{Status: 403, Code: "UnauthorizedOperation",
			Message: "You are not authorized to perform this operation. " + message + " with an explicit deny in an identity-based policy"}
	}
	return &apiError{Status: 403, Code: "AccessDeniedException", Message: message + " with an explicit deny in an identity-based policy"}
}
