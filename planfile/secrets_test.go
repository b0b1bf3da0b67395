package planfile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"muster/planfile"
)

// planted are secrets, each with what may not be told of it.
var planted = []struct{ secret, never string }{
	{"Zq7PlantedExternalID", "Zq7Planted"},
	{strings.Repeat("Zq7Planted/", 20), "Zq7Planted"},
	{"Zq7 planted, \x01 \"and\" odd", "Zq7"},
	{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKE1", "wJalrXUtnFEMI"},
}

// A secret that stands as a name, a value, a key, an anchor or an alias by
// mistake, everywhere where something stands in a plan.
func TestASecretThatStandsInAWrongPlaceIsNotRepeated(t *testing.T) {
	told := 0
	check := func(what, secret, never string, plan []byte, groups string) {
		t.Helper()
		_, err := environment(map[string]string{"DR_EXTERNAL_ID": secret}).Read(planfile.Source{Name: "p.yaml", Data: plan}, planfile.Source{Name: "g.yaml", Data: []byte(groups)})
		if err == nil {
			return
		}
		told++
		if strings.Contains(err.Error(), never) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, p := range planted {
		plan := []byte(strings.Replace(whole, `"${DR_EXTERNAL_ID}"`, quoted(t, p.secret), 1))
		for i := 0; ; i++ {
			var doc yaml.Node
			if err := yaml.Unmarshal(plan, &doc); err != nil {
				t.Fatal(err)
			}
			at := scalar(&doc, i)
			if at == nil {
				break
			}
			if at.Value == p.secret || at.Value == "externalId" {
				continue
			}
			what := fmt.Sprintf("instead of %s at line %d", at.Value, at.Line)
			at.Value, at.Tag, at.Style = p.secret, "!!str", yaml.DoubleQuotedStyle
			wrong, err := yaml.Marshal(&doc)
			if err != nil {
				t.Fatal(err)
			}
			check(what, "", p.never, wrong, wholeGroups)
			// The secret is in the environment alone, or in another file.
			check(what+", known by the environment", p.secret, p.never, bytes.Replace(wrong, []byte(quoted(t, p.secret)+"}"), []byte(`"${DR_EXTERNAL_ID}"}`), 1), wholeGroups)
		}
		if word := strings.Trim(p.secret, "/"); !strings.ContainsAny(word, " \x01") {
			for _, more := range []string{"\nwaves: *" + word, "\nx: &" + word + " 1\ny: *" + word, "\n" + word + ": {", "\n? [" + word + "]\n: 1", "\n- " + word, "\n%" + word, "\n" + word + ": 1\n" + word + ": 2", "\nx: !" + word + " 1", "\n\t" + word} {
				check(fmt.Sprintf("%.12q", more), "", p.never, append(bytes.Clone(plan), more...), wholeGroups)
				check(fmt.Sprintf("groups %.12q", more), "", p.never, plan, wholeGroups+more)
			}
		}
	}
	if told < 300 {
		t.Errorf("%d documents were refused: this proves little", told)
	}
}

// quoted writes a text between quotes, as the marshaller does.
func quoted(t *testing.T, s string) string {
	t.Helper()
	n := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: s}
	out, err := yaml.Marshal(&n)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// scalar gives the nth scalar of a document, keys among them; nil: there are
// not so many.
func scalar(n *yaml.Node, nth int) *yaml.Node {
	var all []*yaml.Node
	var walk func(*yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			all = append(all, n)
		}
		for _, c := range n.Content {
			walk(c)
		}
	}
	walk(n)
	if nth >= len(all) {
		return nil
	}
	return all[nth]
}

func TestOfVeryManyProblemsTheFirstAreKeptAndTheRestCounted(t *testing.T) {
	var plan strings.Builder
	plan.WriteString("version: 1\nplan: {id: rp-1}\nwaves: []\n")
	for i := range 5000 {
		fmt.Fprintf(&plan, "k%d: 1\n", i)
	}
	_, err := planfile.Reader{}.Read(source(plan.String()))
	wrong, is := err.(*planfile.Error)
	if !is {
		t.Fatal(err)
	}
	if len(wrong.Problems) != 1000 || len(wrong.Problems)+wrong.More != 5001 || wrong.Problems[999].Line < 1000 {
		t.Errorf("%d problems are kept, and %d more counted", len(wrong.Problems), wrong.More)
	}
	if text := err.Error(); !strings.HasSuffix(text, "p.yaml: and 4981 more") || strings.Count(text, "\n") != 20 {
		t.Errorf("got %s", text)
	}
}
