package recovery_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"muster/recovery"
)

const planted = "hunter2-external-id"

func TestASecretShowsNowhere(t *testing.T) {
	account := recovery.AccountContext{AccountID: "123456789012", Region: "us-east-1", RoleName: "R", ExternalID: recovery.NewSecret(planted)}
	hidden := struct{ account recovery.AccountContext }{account}
	start := &recovery.WaveStart{Wave: recovery.Wave{Account: account}}

	var shown strings.Builder
	for _, verb := range "bcdeEfFgGoOpqsStTUvxX" {
		for _, flags := range []string{"", "+", "#", "-40", "010", " "} {
			for _, v := range []any{account.ExternalID, &account.ExternalID, account, &account, []recovery.Secret{account.ExternalID}, map[recovery.Secret]int{account.ExternalID: 1}, hidden, &hidden, start, *start} {
				fmt.Fprintf(&shown, "%"+flags+string(verb)+"\n", v)
			}
		}
	}
	fmt.Fprintln(&shown, account.ExternalID, account, hidden)
	fmt.Fprintln(&shown, fmt.Errorf("assuming %v: %w", account, errors.New(account.ExternalID.String())))
	fmt.Fprintln(&shown, recovery.Errorf(recovery.CrossAccountError, "assuming %+v", account))
	for _, v := range []any{account.ExternalID, account, start, map[string]any{"id": account.ExternalID}, map[recovery.Secret]int{account.ExternalID: 1}} {
		body, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
		}
		shown.Write(body)
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Error("assuming", "id", account.ExternalID, "account", account, "at", &account, "hidden", hidden, "start", start, "err", fmt.Errorf("%v", account))
	}
	shown.Write(log.Bytes())

	if i := strings.Index(shown.String(), "hunter2"); i >= 0 {
		t.Errorf("it shows: …%.120s", shown.String()[max(0, i-60):])
	}
	// hexadecimal, as %x gives it
	if i := strings.Index(strings.ToLower(shown.String()), fmt.Sprintf("%x", "hunter2")); i >= 0 {
		t.Errorf("it shows in hexadecimal: …%.120s", shown.String()[max(0, i-60):])
	}
	if !strings.Contains(shown.String(), "[redacted]") {
		t.Error("nothing says that there is a secret")
	}
}

func TestASecretIsReadOnPurpose(t *testing.T) {
	s := recovery.NewSecret(planted)
	if s.Reveal() != planted {
		t.Errorf("got %q", s.Reveal())
	}
	if got := fmt.Sprint(recovery.NewSecret("")); got != "" {
		t.Errorf("no secret shows as %q, want nothing", got)
	}
}

// Sessions are kept by account context, so equal ones must be equal.
func TestSecretsOfOneTextAreEqual(t *testing.T) {
	a, b := recovery.NewSecret(planted), recovery.NewSecret(strings.Clone(planted))
	if a != b || !a.Equal(b) || a.IsZero() {
		t.Error("two secrets of one text differ")
	}
	if c := recovery.NewSecret("another"); a == c || a.Equal(c) {
		t.Error("secrets of two texts are equal")
	}
	if none := recovery.NewSecret(""); !none.IsZero() || none.Reveal() != "" || none == a {
		t.Error("no text is a secret")
	}
}

func TestWhatAnAccountContextTakes(t *testing.T) {
	for name, c := range map[string]struct {
		check     func(string) error
		ok, wrong []string
	}{
		"account": {recovery.CheckAccountID, []string{"123456789012", "000000000000"}, []string{"", "12345678901", "1234567890123", "12345678901a", "123456789012\n", "١٢٣٤٥٦٧٨٩٠١٢"}},
		"region":  {recovery.CheckRegion, []string{"us-east-1", "ap-southeast-4", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1", "mx-central-1"}, []string{"", "us-east", "US-EAST-1", "us-east-1.evil.example", "us_east_1", "us-east-1\n", "a-b-c-d-e-1"}},
		"role":    {recovery.CheckRoleName, []string{"DRSOrchestrationRole", "a", "a+=,.@-_1", strings.Repeat("r", 64)}, []string{"", strings.Repeat("r", 65), "team/Role", "arn:aws:iam::1:role/R", "Role\n", "Rôle"}},
		"external id": {recovery.CheckExternalID, []string{"ab", "unique-external-id", "a+=,.@:/-_1", strings.Repeat("e", 1224)},
			[]string{"", "a", strings.Repeat("e", 1225), "hunter2 with space", "hunter2\n"}},
	} {
		for _, s := range c.ok {
			if err := c.check(s); err != nil {
				t.Errorf("%s %q: got %v", name, s, err)
			}
		}
		for _, s := range c.wrong {
			err := c.check(s)
			if err == nil {
				t.Errorf("%s takes %q", name, s)
			} else if name == "external id" && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats the external id: %v", err)
			}
		}
	}
}
