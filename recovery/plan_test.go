package recovery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/recovery"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// waves makes a plan of lines like "2: 1" and "5 independent"; "3:" and "3"
// name no dependencies.
func waves(lines ...string) *recovery.Plan {
	p := &recovery.Plan{ID: "rp-1"}
	for _, line := range lines {
		var w recovery.PlannedWave
		number, on, _ := strings.Cut(line, ":")
		number, w.Independent = strings.CutSuffix(number, " independent")
		fmt.Sscan(number, &w.Number)
		for _, field := range strings.Fields(on) {
			var n int
			fmt.Sscan(field, &n)
			w.DependsOn = append(w.DependsOn, n)
		}
		p.Waves = append(p.Waves, w)
	}
	return p
}

func TestAWaveFollowsThoseItNamesOrElseEveryLowerOne(t *testing.T) {
	p := waves("4", "1", "3: 1 1", "2", "7 independent", "0: 4")
	for wave, want := range map[int][]int{1: {0}, 2: {0, 1}, 3: {1}, 4: {0, 1, 2, 3}, 7: nil, 0: {4}, 9: nil} {
		if got := p.Dependencies(wave); !slices.Equal(got, want) {
			t.Errorf("wave %d: got %v, want %v", wave, got, want)
		}
	}
}

func TestWhatIsWrongWithAPlansOrderIsNamed(t *testing.T) {
	const circle = "waves wait for one another in a circle, so that none of them could start: "
	for _, c := range []struct {
		name string
		plan *recovery.Plan
		want []string
	}{
		{"a line", waves("1", "2", "3"), nil},
		{"a diamond", waves("1", "2: 1", "3: 1", "4: 2 3"), nil},
		{"in any order", waves("4: 2 3", "3: 1", "2: 1", "1"), nil},
		{"twice, itself, unknown", waves("1: 1", "1: 2", "2: 1 8 9"), []string{
			"0/0 wave 1 depends on itself", "1/-1 wave 1 is there already",
			"2/1 there is no wave 8; there are 1, 2", "2/2 there is no wave 9; there are 1, 2"}},
		{"a circle", waves("1: 2", "2: 3", "3: 1"), []string{"0/0 " + circle + "1 → 3 → 2 → 1"}},
		{"a circle with a way around", waves("1: 4 2", "2: 1", "3: 1", "4: 3"), []string{"0/1 " + circle + "1 → 2 → 1"}},
		{"two circles", waves("1: 2", "2: 1", "3: 4", "4: 3"), []string{"0/0 " + circle + "1 → 2 → 1", "2/0 " + circle + "3 → 4 → 3"}},
		{"a circle over what is not named", waves("1: 3", "2", "3"), []string{
			"0/0 " + circle + "1 → 3 → 1 (wave 3 names no dependsOnWaves, so it follows every lower wave)"}},
		{"behind a circle", waves("1: 2", "2: 1", "3: 2", "4"), []string{"0/0 " + circle + "1 → 2 → 1"}},
	} {
		var got []string
		for _, p := range c.plan.Check() {
			got = append(got, fmt.Sprintf("%d/%d %s", p.Wave, p.Dependency, p.Text))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.name, diff)
		}
	}
}

func TestAPlanHasAThousandWavesAtMost(t *testing.T) {
	p := &recovery.Plan{Waves: make([]recovery.PlannedWave, recovery.MostWaves)}
	for i := range p.Waves {
		p.Waves[i].Number = i
	}
	if got := p.Check(); got != nil {
		t.Errorf("got %v", got)
	}
	p.Waves = append(p.Waves, recovery.PlannedWave{})
	if got := p.Check(); len(got) != 1 || got[0].Wave != -1 {
		t.Errorf("got %v", got)
	}
}

func TestEveryLayerLiesBelowWhatItsWavesWaitFor(t *testing.T) {
	for want, p := range map[string]*recovery.Plan{
		"[[1] [2] [3]]":       waves("1", "2", "3"),
		"[[1] [2 3] [4]]":     waves("4: 3 2", "3: 1", "2: 1", "1"),
		"[[1 9] [2] [3] [4]]": waves("1", "2", "3", "4: 3 1", "9 independent"),
		"[[1]]":               waves("1", "2: 3", "3: 2", "4: 3"),
		"[]":                  waves(),
	} {
		if got := fmt.Sprint(p.Layers()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Check finds nothing exactly where the layers hold every wave, and a circle
// that it tells is one.
func TestAPlanIsRightWhenEveryWaveCanStart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 9).Draw(t, "waves")
		p := &recovery.Plan{}
		for i := range n {
			p.Waves = append(p.Waves, recovery.PlannedWave{
				Wave:        recovery.Wave{Number: i + 1},
				DependsOn:   rapid.SliceOfN(rapid.IntRange(1, n).Filter(func(d int) bool { return d != i+1 }), 0, 3).Draw(t, "on"),
				Independent: rapid.Bool().Draw(t, "independent"),
			})
		}
		layered := 0
		for _, layer := range p.Layers() {
			layered += len(layer)
		}
		problems := p.Check()
		if (len(problems) == 0) != (layered == n) {
			t.Fatalf("%d of %d waves have a layer, and yet: %v", layered, n, problems)
		}
		for _, problem := range problems {
			_, path, _ := strings.Cut(problem.Text, "start: ")
			path, _, _ = strings.Cut(path, " (")
			words := strings.Split(path, " → ")
			for i := 1; i < len(words); i++ {
				var before, wave int
				fmt.Sscan(words[i-1], &before)
				fmt.Sscan(words[i], &wave)
				if !slices.Contains(p.Dependencies(wave), before) {
					t.Fatalf("%s: wave %d does not wait for %d", problem.Text, wave, before)
				}
			}
			if words[0] != words[len(words)-1] || len(words) < 3 || problem.Dependency < 0 {
				t.Fatalf("%+v is no circle", problem)
			}
		}
	})
}

func TestAWaveHasTwoHoursUnlessItSaysOtherwise(t *testing.T) {
	if got := (&recovery.PlannedWave{}).TimeLimit(); got != 2*time.Hour {
		t.Errorf("got %v", got)
	}
	if got := (&recovery.PlannedWave{Timeout: time.Minute}).TimeLimit(); got != time.Minute {
		t.Errorf("got %v", got)
	}
	for timeout, ok := range map[time.Duration]bool{0: false, -time.Minute: false, time.Second: false, time.Minute: true, 168 * time.Hour: true, 169 * time.Hour: false} {
		if err := recovery.CheckWaveTimeout(timeout); (err == nil) != ok {
			t.Errorf("%v: got %v", timeout, err)
		}
	}
}

func TestWhatIsWrongWithTheServersOfAPlanIsNamed(t *testing.T) {
	servers := func(ids ...string) (s []recovery.Server) {
		for _, id := range ids {
			s = append(s, recovery.Server{ID: recovery.SourceServerID(id)})
		}
		return s
	}
	p := waves("1", "2", "3", "4", "5")
	p.Waves[0].Servers = servers("s-1", "s-2", "s-3", "s-4", "s-5")
	p.Waves[1].Servers = servers("s-6", "s-6", "s-2")
	p.Waves[2].Servers = servers("s-5", "s-4", "s-3", "s-1")
	p.Waves[3].Tags = map[string]string{"Tier": "web"}
	var many []string
	for i := range recovery.MostServers + 1 {
		many = append(many, fmt.Sprintf("s-m%d", i))
	}
	p.Waves = append(p.Waves, recovery.PlannedWave{Wave: recovery.Wave{Number: 6, Servers: servers(many...)}})
	var got []string
	for _, p := range p.CheckServers() {
		got = append(got, fmt.Sprintf("%d/%d %s", p.Wave, p.Server, p.Text))
	}
	want := []string{
		"1/2 s-2 is in wave 1 too", "1/1 s-6 is named twice",
		"2/0 s-5, s-4, s-3 and 1 more: each of them is in wave 1 too",
		"4/-1 has no servers",
		"5/-1 has 101 servers, and DRS takes at most 100 in one job: split it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTheServersThatDRSFindsByTagsFillAWave(t *testing.T) {
	wave := func(ids ...string) *recovery.PlannedWave {
		w := &recovery.PlannedWave{
			Wave: recovery.Wave{Number: 2, Group: "pg-web", Account: recovery.AccountContext{AccountID: "111122223333", Region: "us-east-1"}},
			Tags: map[string]string{"Tier": "web", "Application": "shop"},
		}
		for _, id := range ids {
			w.Servers = append(w.Servers, recovery.Server{ID: recovery.SourceServerID(id), Impact: recovery.Optional})
		}
		return w
	}
	found := []recovery.SourceServer{{ID: "s-3", Hostname: "web-1"}, {ID: "s-1", Hostname: "web-2"}, {ID: "s-2", Hostname: "web-2"}}
	const about = `wave 2, protection group pg-web by the tags "Application"="shop", "Tier"="web" in account 111122223333, us-east-1: `
	for _, c := range []struct {
		name  string
		wave  *recovery.PlannedWave
		found []recovery.SourceServer
		want  string
	}{
		{"all of them, by name", wave(), found, "s-3 web-1, s-1 web-2, s-2 web-2"},
		{"those that are listed", wave("s-2", "s-3"), found, "s-2 web-2 OPTIONAL, s-3 web-1 OPTIONAL"},
		{"none", wave(), nil, about + "no source server has them"},
		{"others", wave("s-2", "s-8", "s-9"), found, about + "the wave lists servers that do not have them: s-8, s-9"},
	} {
		var got []string
		if err := c.wave.Fill(c.found); err != nil {
			got = []string{err.(*recovery.Error).Message}
		} else {
			for _, s := range c.wave.Servers {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", s.ID, s.Hostname, s.Impact)))
			}
			if c.wave.Tags != nil {
				t.Errorf("%s: the wave is still to be filled", c.name)
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, strings.Join(got, ", "), c.want)
		}
	}
}

func TestWhatIsRightBeforeAWave(t *testing.T) {
	for want, p := range map[string]*recovery.Plan{
		"map[1:[] 2:[1] 3:[2]]":              waves("1", "2", "3"),
		"map[1:[] 2:[1] 3:[1] 4:[2 3]]":      waves("1", "2: 1", "3: 1", "4"),
		"map[1:[] 2:[1] 3:[2] 4:[3]]":        waves("4: 1 2 3", "1", "2: 1", "3: 1 2"),
		"map[1:[] 2:[] 3:[1] 4:[2] 5:[2 3]]": waves("1", "2 independent", "3: 1", "4: 2", "5: 1 2 3"),
		"map[1:[]]":                          waves("1", "2: 3", "3: 2"),
	} {
		if got := fmt.Sprint(p.RightBefore()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
