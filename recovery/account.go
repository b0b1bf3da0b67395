package recovery

import (
	"errors"
	"fmt"
	"regexp"
	"unique"
)

// Secret is text that must not reach a log, an error, a record or a report.
// However it is formatted or marshalled it shows as [redacted]; Reveal is the
// one way to read it. Two secrets of the same text are equal.
//
// It holds its text behind a pointer, because package fmt does not ask a value
// how it wants to be shown when it lies in an unexported field, and prints what
// it finds there: an address.
type Secret struct{ text unique.Handle[string] }

const redacted = "[redacted]"

// NewSecret hides a text; "" is no secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{unique.Make(text)}
}

// IsZero says whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Equal says whether both hide the same text.
func (s Secret) Equal(other Secret) bool { return s == other }

// Reveal gives the text itself, for the one call that needs it.
func (s Secret) Reveal() string {
	if s.IsZero() {
		return ""
	}
	return s.text.Value()
}

// Format implements fmt.Formatter, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// String gives [redacted], or nothing when there is no secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// MarshalText implements encoding.TextMarshaler, so JSON and structured logs
// are redacted too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// AccountContext says where a wave is recovered, and as whom.
type AccountContext struct {
	AccountID  string // 12 digits
	Region     string // AWS region, e.g. us-east-1
	RoleName   string // IAM role to assume in that account
	ExternalID Secret `json:"-"` // optional
}

// Place is where the account's quotas are counted.
func (c AccountContext) Place() Place { return Place{c.AccountID, c.Region} }

var (
	accountID  = regexp.MustCompile(`^[0-9]{12}$`)
	region     = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$`)
	roleName   = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)
	externalID = regexp.MustCompile(`^[A-Za-z0-9_+=,.@:/-]{2,}$`)
)

// CheckAccountID reports what is wrong with an AWS account's id, or nil.
func CheckAccountID(s string) error {
	return match(accountID, s, "an AWS account id: 12 digits")
}

// CheckRegion reports what is wrong with an AWS region's name, or nil.
func CheckRegion(s string) error {
	return match(region, s, "an AWS region such as us-east-1")
}

// CheckRoleName reports what is wrong with an IAM role's name, or nil. A path
// is not part of a name.
func CheckRoleName(s string) error {
	return match(roleName, s, "an IAM role name: 1 to 64 letters, digits and _ + = , . @ -")
}

// CheckExternalID reports what is wrong with an external id, or nil, without
// repeating it.
func CheckExternalID(s string) error {
	if len(s) <= 1224 && externalID.MatchString(s) { // RE2 repeats at most 1000 times
		return nil
	}
	return errors.New("is not an external id: 2 to 1224 letters, digits and _ + = , . @ : / -")
}

func match(re *regexp.Regexp, s, what string) error {
	if re.MatchString(s) {
		return nil
	}
	if s == "" {
		return fmt.Errorf("is empty; it must be %s", what)
	}
	return fmt.Errorf("%s is not %s", Quote(s), what)
}
