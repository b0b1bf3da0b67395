package recovery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"muster/recovery"
)

func TestNoMessageRepeatsASecretHoweverItIsSpelled(t *testing.T) {
	long := strings.Repeat("long-secret/", 10)
	odd := "odd\x00 \"secret\"\u202e"
	hide := func(secrets []string, message string) string {
		var s recovery.Secrets
		for _, text := range secrets {
			s.Add(text)
		}
		return s.Hide(message)
	}
	for _, c := range []struct {
		secrets       []string
		message, want string
	}{
		{nil, "nothing is secret", "nothing is secret"},
		{[]string{"", "x"}, "x is too short", "x is too short"},
		{[]string{"secret-1", "secret-12"}, `wave "secret-1" and secret-12.`, `wave "[redacted]" and [redacted].`},
		{[]string{"secret-1"}, "xsecret-1x", "x[redacted]x"},
		{[]string{"ab"}, "about ab, 'ab'", "about [redacted], '[redacted]'"},
		{[]string{long}, "is " + recovery.Quote(long), `is "[redacted]"… (120 bytes)`},
		{[]string{long}, "is long-secret/ and no more", "is long-secret/ and no more"},
		{[]string{odd}, "is " + recovery.Quote(odd), `is "[redacted]"`},
		{[]string{odd}, "is odd  \"secret\"", `is [redacted]`},
		{[]string{odd}, `is odd \"secret\"`, `is odd \"secret\"`},
		{nil, "key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE1 there", "key [redacted] there"},
		{nil, "commit 3659667000000000000000000000000000000000", "commit 3659667000000000000000000000000000000000"},
	} {
		if got := hide(c.secrets, c.message); got != c.want {
			t.Errorf("of %q: got %q, want %q", c.message, got, c.want)
		}
	}
	// Very many that begin alike, and a long message of such beginnings.
	var many []string
	for i := range 19_000 {
		many = append(many, fmt.Sprintf("%s%d", strings.Repeat("a", 60), i))
	}
	begun := time.Now()
	if got := hide(many, strings.Repeat("a", 59)+"b "+many[7]); got != "[redacted]b [redacted]" {
		t.Errorf("got %q", got)
	}
	hide(many, strings.Repeat(strings.Repeat("a", 47)+"b", 1000))
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("short-%d", i))
	}
	if got := hide(many, "anything"); got != "[redacted]" {
		t.Errorf("more than can be told apart: got %q", got)
	}
}
