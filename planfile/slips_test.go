package planfile_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"muster/planfile"
)

// before is the beginning of a plan, with a comment, so that nothing of it is
// where a parser begins to count.
const before = `# our shop
version: 1
plan: {id: rp-1}
accountContext: {accountId: "123456789012", region: us-west-2, roleName: R}
waves:
`

func TestASlipIsToldInOurOwnWordsWhereItStands(t *testing.T) {
	for name, c := range map[string]struct{ rest, want string }{
		"a tab before a list":                  {"\t- {waveNumber: 1}\n", "p.yaml:6:1: a tab stands before the text of this line: YAML is indented with spaces"},
		"a tab within":                         {"  - waveNumber: 1\n \tprotectionGroupId: pg-a\n", "p.yaml:7:2: a tab stands before the text"},
		"too far to the left":                  {"  - waveNumber: 1\n    waveName: a\n   onFailure: STOP\n    servers: []\n", "p.yaml:8:4: not YAML: the line is not indented as"},
		"beside the list":                      {"  - waveNumber: 1\n    waveName: a\n  onFailure: STOP\n", "p.yaml:8:3: not YAML: the line is not indented as"},
		"a bracket that is open":               {"  - {waveNumber: 1, waveName: a\n  - {waveNumber: 2}\n", "p.yaml:6:5: not YAML: a bracket that opens here is not closed, or a comma is missing"},
		"a comma that is missing":              {"  - {waveNumber: 1 waveName: a}\n", "p.yaml:6:5: not YAML: a bracket that opens here is not closed, or a comma is missing"},
		"a colon in a text":                    {"  - waveNumber: 1\n    waveName: Web: shop\n", "p.yaml:7:18: not YAML: a colon stands in a text that has no quotes"},
		"a quote that is open":                 {"  - waveNumber: 1\n    waveName: \"Web shop\n", "p.yaml:7:15: not YAML: a quotation mark opens here, and none closes"},
		"a text that begins with @":            {"  - waveNumber: 1\n    waveName: @home\n", "p.yaml:7:15: not YAML: a text that begins with one of @ ` % needs quotes"},
		"a key without a colon":                {"  - waveNumber: 1\n    waveName \n    servers: []\n", "p.yaml:7:5: not YAML: a colon and a space are missing behind a key"},
		"an alias of nothing":                  {"  - waveNumber: 1\n    servers: *all\n", "p.yaml:7:14: *all stands for a value that is named before it (with &), and none is"},
		"a variable without quotes":            {"  - {waveNumber: 1, accountContext: {externalId: ${X}}}\n", "p.yaml:6:50: not YAML: a variable between { and } needs quotes"},
		"curly quotation marks":                {"  - waveNumber: 1\n    waveName: “Web shop”\n    servers: [{serverId: s-1, launchConfig: {}}]\n", "p.yaml:7:15: waves[0].waveName: stands between curly quotation marks"},
		"a text instead of a server":           {"  - waveNumber: 1\n    servers:\n      - s-123\n", "p.yaml:8:9: waves[0].servers[0]: must be an object such as {serverId: s-0123456789abcdef0}, not a string"},
		"a text instead of one of the group's": {"  - waveNumber: 1\n    protectionGroupId: pg-a\n    servers:\n      - s-1\ngroups: {pg-a: {servers: [s-1]}}\n", "p.yaml:9:9: waves[0].servers[0]: must be an object such as {serverId: s-0123456789abcdef0}, not a string"},
		"a part of a variable": {"  - waveNumber: 1\n    servers: [{serverId: s-1, launchConfig: {}}]\n    accountContext: {accountId: \"123456789012\", region: us-west-2, roleName: R, externalId: \"pre-${X}\"}\n",
			`p.yaml:8:93: waves[0].accountContext.externalId: a variable is the whole value of an externalId, as in externalId: "${NAME}"`},
		"a variable of another key":  {"  - {waveNumber: 1, waveName: \"${X}\", servers: [{serverId: s-1, launchConfig: {}}]}\n", "p.yaml:6:31: waves[0].waveName: a variable is the whole value of an externalId"},
		"an account's id as number":  {"  - {waveNumber: 1, accountContext: {accountId: 012345678901, region: us-west-2, roleName: R}, servers: [{serverId: s-1, launchConfig: {}}]}\n", "p.yaml:6:49: waves[0].accountContext.accountId: is a number to YAML, and perhaps another than it shows"},
		"a value that is a list":     {"  - [1]\n", "p.yaml:6:5: waves[0]: must be an object, not an array"},
		"a tag":                      {"  - {waveNumber: !number 1, servers: [{serverId: s-1, launchConfig: {}}]}\n", `p.yaml:6:18: waves[0].waveNumber: tags such as "!number" are not read`},
		"what a later version knows": {"  - {waveNumber: 1, servers: [{serverId: s-1, launchConfig: {}}]}\nneeds: [steps]\n", `p.yaml:7:9: needs[0]: "steps" is nothing that this version of Muster knows`},
	} {
		t.Run(name, func(t *testing.T) { compare(t, []string{c.want}, problems(t, nil, before+c.rest)) })
	}
}

func TestWhatIsProbablyASlipIsAWarningAndThePlanIsRead(t *testing.T) {
	text := strings.Replace(before, "us-west-2", "us-wset-2", 1) + `  - {waveNumber: 1, protectionGroupId: pg-a}
groups:
  pg-a: {servers: [s-0123456789abcde], launchConfig: {instanceType: r5.xlarg}}
  pg-b: {tags: {tier: web}}
`
	others := planfile.Source{Name: "g.yaml", Data: []byte("groups: {pg-of-other-plans: {servers: [s-1]}}")}
	file, err := environment(nil).Read(source(text), others)
	if err != nil {
		t.Fatal(err)
	}
	if len(file.Doubts) != 4 || file.Plan.Waves[0].Account.Region != "us-wset-2" {
		t.Fatalf("got %v for %+v", file.Doubts, file.Plan)
	}
	compare(t, []string{
		`p.yaml:4:53: accountContext.region: "us-wset-2" is not a region that DRS is known in; did you mean us-west-2?`,
		`p.yaml:8:20: groups["pg-a"].servers[0]: s-0123456789abcde has 15 characters behind s-`,
		`p.yaml:8:69: groups["pg-a"].launchConfig.instanceType: "r5.xlarg" is not an instance type of a size that EC2 is known to have; did you mean r5.xlarge?`,
		`p.yaml:9:3: groups["pg-b"]: is a group that no wave takes`,
	}, strings.Split((&planfile.Error{Problems: file.Doubts}).Error(), "\n"))
}

// What no plan is costs what its bytes cost, and not a hundred times that.
func TestAFileThatIsNoPlanIsRefusedBeforeItIsParsed(t *testing.T) {
	fill := func(piece string) []byte { return []byte("waves: [" + strings.Repeat(piece, 10<<20/len(piece)) + "]") }
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"ten megabytes":    {fill("[],"), "the file has 10485"},
		"brackets":         {fill("[],")[:planfile.MostBytes], "p.yaml:1:1: here the file has more than 200000 values"},
		"deep brackets":    {fill("[")[:planfile.MostBytes], "more than 50 deep"},
		"a comment":        {[]byte("version: 1 # " + strings.Repeat("#", 100_000)), "p.yaml:1:1: here a comment has more than 65536 bytes in one line"},
		"many in a line":   {[]byte(strings.Repeat("# ", 50_000)), "here a comment has more than 65536 bytes"},
		"deep lines":       {[]byte(strings.Repeat("- ", 60) + "a"), "is too large, or too deep"},
		"aliases of those": {[]byte("x: &a [1,2,3,4,5,6,7,8,9]\ny: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nz: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nu: &d [*c,*c,*c,*c,*c,*c,*c,*c]\nv: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nwaves: [*e,*e,*e,*e,*e,*e]\n"), "is too large, or too deep, once aliases are unfolded"},
	} {
		t.Run(name, func(t *testing.T) {
			var start, end runtime.MemStats
			runtime.ReadMemStats(&start)
			_, err := environment(nil).Read(planfile.Source{Name: "p.yaml", Data: c.file})
			runtime.ReadMemStats(&end)
			if !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %.300v, want %s", err, c.want)
			}
			if mib := (end.TotalAlloc - start.TotalAlloc) >> 20; mib > 150 {
				t.Errorf("it took %d MiB of memory", mib)
			}
		})
	}
}

// A plan that is kept is printed in one line, and what stands there between
// quotation marks is no comment.
func TestALongLineIsReadWhateverItsTextsLookLike(t *testing.T) {
	servers := strings.Repeat(`"s-1",`, 20_000)
	text := `{"version": 1, "plan": {"id": "rp-1", "name": "Shop # 1 ["}, "waves": [], "x": [` + servers + `"s-1"]}`
	_, err := environment(nil).Read(source(text))
	if !strings.Contains(fmt.Sprint(err), "p.yaml:1:75: x: is not known here") {
		t.Errorf("got %.300v", err)
	}
}
