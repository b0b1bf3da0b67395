package event_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"muster/event"
)

var jsonString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// A secret of the event that stands as a name, a value or a key by mistake,
// everywhere where a text stands in an event, and as the alias it was called
// by.
func TestASecretThatStandsInAWrongPlaceOfAnEventIsNotRepeated(t *testing.T) {
	events := []string{fixture(t, "start-wave-1.json"), fixture(t, "merge-server-override.json"),
		op("put_plan", `"plan": `+shop, byMe), op("put_group", `"group": `+databases, byMe),
		op("start_execution", `"plan": `+alone, `"executionType": "DRILL"`, byMe, `"replaceLiveInstances": ["i-1"]`),
		op("decide", exec1, `"choice": "skip"`, byMe, `"excludeServers": ["s-1"]`, `"taskToken": "x"`),
	}
	told := 0
	for _, secret := range []string{"Zq7PlantedSecret", strings.Repeat("Zq7Planted/", 100), "Zq7 \x01 \"odd\" \u202e", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE1"} {
		never := secret[:min(len(secret), 13)]
		if strings.HasPrefix(secret, "Zq7") {
			never = "Zq7"
		}
		quoted, _ := json.Marshal(secret)
		for _, payload := range events {
			payload = regexp.MustCompile(`"(externalId|taskToken)":\s*"[^"]*"`).ReplaceAllStringFunc(payload, func(s string) string { return s[:strings.Index(s, ":")+1] + string(quoted) })
			if !strings.Contains(payload, string(quoted)) {
				payload = payload[:len(payload)-1] + `, "externalId": ` + string(quoted) + "}"
			}
			h := newHub(t).handler()
			for _, at := range jsonString.FindAllStringIndex(payload, -1) {
				if payload[at[0]:at[1]] == string(quoted) || payload[at[0]:at[1]] == `"externalId"` || payload[at[0]:at[1]] == `"taskToken"` {
					continue
				}
				h.Caller.Alias = event.Alias([]string{"", secret, "orchestrate"}[told%3])
				answer, err := h.Invoke(t.Context(), []byte(payload[:at[0]]+string(quoted)+payload[at[1]:]))
				if err != nil {
					t.Fatal(err)
				}
				var f failure
				if err := json.Unmarshal(answer, &f); err != nil {
					t.Fatal(err)
				}
				if f.Message == "" {
					continue
				}
				told++
				if strings.Contains(f.Message, never) {
					t.Errorf("instead of %s, by the alias %.10q: %s", payload[at[0]:at[1]], h.Caller.Alias, f.Message)
				}
			}
		}
	}
	if told < 300 {
		t.Errorf("%d events were refused: this proves little", told)
	}
}

func TestAnAliasThatIsNoneIsNotRepeatedWithoutEnd(t *testing.T) {
	h := newHub(t).handler()
	h.Caller.Alias = event.Alias(strings.Repeat("x", 1<<20))
	answer, err := h.Invoke(t.Context(), []byte(op("list_plans")))
	if err != nil || len(answer) > 500 {
		t.Errorf("%d bytes, %v", len(answer), err)
	}
	if f := failed(t, answer); f.Error != "NOT_ALLOWED" {
		t.Errorf("got %+v", f)
	}
}

func TestWhatIsUnknownBesideThoseThatAreToldIsCounted(t *testing.T) {
	var more []string
	for i := range 25 {
		more = append(more, fmt.Sprintf(`"x%d": 1`, i))
	}
	if f := failed(t, newHub(t).ask(op("list_plans", more...))); !strings.Contains(f.Message, "x9 and 15 more are not known here") {
		t.Errorf("got %s", f.Message)
	}
}
