package simulator_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"muster/simulator"
)

// busyHour does a bit of everything.
func busyHour(t *testing.T, w *simulator.World) {
	t.Helper()
	c := specClient(t, w)
	c.drs("UpdateLaunchConfiguration", `{"sourceServerID":"s-db-01","copyTags":true,"targetInstanceTypeRightSizingMethod":"BASIC"}`).must(t, 200)
	template := c.drs("GetLaunchConfiguration", `{"sourceServerID":"s-db-02"}`).must(t, 200).at(t, "ec2LaunchTemplateID").(string)
	c.query("ec2", "CreateLaunchTemplateVersion", "LaunchTemplateId", template, "SourceVersion", "1",
		"LaunchTemplateData.InstanceType", "r5.4xlarge", "ClientToken", "once").must(t, 200)
	c.query("ec2", "ModifyLaunchTemplate", "LaunchTemplateId", template, "SetDefaultVersion", "2").must(t, 200)
	c.drs("StartRecovery", start("s-db-01", "s-db-02")).must(t, 202)
	c.drs("StartRecovery", start("s-db-01")).refused(t, 409, "ConflictException")
	time.Sleep(4 * time.Minute)
	c.drs("StartRecovery", `{"sourceServers":[{"sourceServerID":"s-app-01"}],"tags":{"WaveNumber":"2"}}`).must(t, 202)
	time.Sleep(10 * time.Minute)
	inst := c.drs("DescribeRecoveryInstances", `{"filters":{"sourceServerIDs":["s-db-02"]}}`).must(t, 200).at(t, "items", 0, "recoveryInstanceID").(string)
	c.drs("TerminateRecoveryInstances", `{"recoveryInstanceIDs":["`+inst+`"]}`).must(t, 200)
	time.Sleep(30 * time.Second)
}

// told is everything that a client can see of the world.
func told(t *testing.T, w *simulator.World) string {
	t.Helper()
	c := root(t, w, specAccount, "us-east-1")
	var b strings.Builder
	for _, operation := range []string{"DescribeJobs", "DescribeSourceServers", "DescribeRecoveryInstances"} {
		b.Write(c.drs(operation, `{}`).must(t, 200).body)
	}
	for _, action := range []string{"DescribeInstances", "DescribeSubnets", "DescribeLaunchTemplates"} {
		text := string(c.query("ec2", action).must(t, 200).body)
		text = text[strings.Index(text, "</requestId>"):]
		b.WriteString(text)
	}
	s := w.Summary()
	s.ID = "" // random, and nothing else is
	summary, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	b.Write(summary)
	return b.String()
}

func TestTheSameSeedAndCallsMakeTheSameWorld(t *testing.T) {
	run := func(seed int64) (out string) {
		synctest.Test(t, func(t *testing.T) {
			w := world(t, "specification", simulator.Options{Seed: seed})
			busyHour(t, w)
			out = told(t, w)
		})
		return out
	}
	first, second := run(5), run(5)
	if first != second {
		t.Error("two runs differ")
	}
	if first == run(6) {
		t.Error("the seed makes no difference")
	}
}

func TestAJournalReplaysToTheSameWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "journal")
		first := world(t, "specification", simulator.Options{Journal: path, Speed: 2})
		busyHour(t, first)
		want := told(t, first)
		first.Close()
		again := world(t, "specification", simulator.Options{Journal: path, Speed: 2})
		if got := told(t, again); got != want {
			t.Errorf("the world came back as\n%s\nwant\n%s", got, want)
		}
		time.Sleep(time.Hour) // what was under way goes on
		for _, j := range again.Summary().Regions[0].Jobs {
			if j.Status != "COMPLETED" {
				t.Errorf("job %s is %s", j.ID, j.Status)
			}
		}
	})
}

func TestAWorldHasAnIDOfItsOwnWhichItsJournalKeeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	first := world(t, "specification", simulator.Options{Journal: path})
	want := first.Identity()
	if second := world(t, "specification", simulator.Options{Journal: path}); second.Identity() != want || second.Summary().WorldID() != want.ID {
		t.Errorf("on one journal: %+v and %+v", want, second.Identity())
	}
	a, b := world(t, "specification", simulator.Options{}), world(t, "specification", simulator.Options{})
	if a.Identity().ID == b.Identity().ID || a.Identity().ID == want.ID {
		t.Errorf("worlds apart: %+v and %+v", a.Identity(), b.Identity())
	}
	if want.Fleet != "specification" || want.Digest == "" || want.Seed == 0 {
		t.Errorf("got %+v", want)
	}
}

// A journal of before has no id, and is known by its start, also to who asks
// a server of before for its summary.
func TestAJournalWithoutAnIDIsKnownByItsStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	first := world(t, "specification", simulator.Options{Journal: path})
	started := first.Summary().Started
	first.Close()
	header, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.Replace(string(header), `,"id":"`+first.Identity().ID+`"`, "", 1)
	if err := os.WriteFile(path, []byte(older), 0o600); err != nil || older == string(header) {
		t.Fatal(err, older)
	}
	id := world(t, "specification", simulator.Options{Journal: path}).Identity().ID
	if again := world(t, "specification", simulator.Options{Journal: path}).Identity().ID; id == "" || again != id || id == first.Identity().ID {
		t.Errorf("got %q, then %q; with an id it had %q", id, again, first.Identity().ID)
	}
	if got := (simulator.Summary{Started: started}).WorldID(); got != id {
		t.Errorf("a summary of before gives %q, want %q", got, id)
	}
}

func TestASessionOutlivesItsWorld(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	first := world(t, "specification", simulator.Options{Journal: path})
	c := specClient(t, first)
	first.Close()
	second := world(t, "specification", simulator.Options{Journal: path})
	c.http = second.RoundTripper()
	c.drs("DescribeJobs", `{}`).must(t, 200)
}

func TestTheJournalHoldsNoSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	w := world(t, "specification", simulator.Options{Journal: path})
	c, r := root(t, w, "999999999999", "us-east-1").assume(specRole, "unique-external-id")
	c.drs("StartRecovery", start("s-db-01")).must(t, 202)
	seen, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	calls, _ := json.Marshal(w.Calls())
	summary, _ := json.Marshal(w.Summary())
	for name, secret := range map[string]string{
		"external id": "unique-external-id", "secret key": r.xml("SecretAccessKey"), "session token": r.xml("SessionToken"),
	} {
		if len(secret) < 10 {
			t.Fatalf("%s %q", name, secret)
		}
		if strings.Contains(string(seen)+string(calls)+string(summary), secret) {
			t.Errorf("the %s is written down", name)
		}
	}
}

func TestWorldsShareAJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	a := world(t, "specification", simulator.Options{Journal: path})
	b := world(t, "specification", simulator.Options{Journal: path})
	ca := specClient(t, a)
	cb := &client{t: t, http: b.RoundTripper(), region: ca.region, key: ca.key, token: ca.token} // a session of the other's

	job := ca.drs("StartRecovery", start("s-db-01")).must(t, 202).at(t, "job", "jobID")
	if got := cb.drs("DescribeJobs", `{}`).must(t, 200).at(t, "items", 0, "jobID"); got != job {
		t.Errorf("the other world sees %v, want %v", got, job)
	}
	cb.drs("StartRecovery", start("s-db-01")).refused(t, 409, "ConflictException")
	cb.drs("StartRecovery", start("s-db-02")).must(t, 202)
	ca.drs("StartRecovery", start("s-db-02")).refused(t, 409, "ConflictException")
	if got, want := a.Summary().Regions, b.Summary().Regions; len(got[0].Jobs) != 2 || !reflect.DeepEqual(got[0].Jobs, want[0].Jobs) {
		t.Errorf("jobs %v and %v", got[0].Jobs, want[0].Jobs)
	}
}

func TestOneStartWinsAmongWorldsThatRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	var wait sync.WaitGroup
	results := make(chan int, 8)
	for range 4 {
		c := root(t, world(t, "specification", simulator.Options{Journal: path}), specAccount, "us-east-1")
		for range 2 {
			wait.Go(func() { results <- c.drs("StartRecovery", start("s-db-01")).status })
		}
	}
	wait.Wait()
	close(results)
	won := 0
	for status := range results {
		if status == 202 {
			won++
		}
	}
	if won != 1 {
		t.Errorf("%d starts won", won)
	}
}

func TestTheFaultsCountsAreShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	fleet := many(2, "faults: [{name: Error500After, operation: StartRecovery, times: 1}, {name: Throttle, operation: DescribeJobs, after: 1, times: 1}]")
	a, b := world(t, fleet, simulator.Options{Journal: path}), world(t, fleet, simulator.Options{Journal: path})
	ca, cb := root(t, a, manyAccount, manyRegion), root(t, b, manyAccount, manyRegion)
	ca.drs("StartRecovery", start(id(0))).must(t, 500)
	cb.drs("StartRecovery", start(id(1))).must(t, 202)
	ca.drs("DescribeJobs", `{}`).must(t, 200)
	cb.drs("DescribeJobs", `{}`).must(t, 429)
	c := root(t, world(t, fleet, simulator.Options{Journal: path}), manyAccount, manyRegion)
	before, _ := os.ReadFile(path)
	if got := length(t, c.drs("DescribeJobs", `{}`)); got != 2 {
		t.Errorf("%d jobs in a third world", got)
	}
	if after, _ := os.ReadFile(path); len(after) != len(before) {
		t.Error("a spent fault still writes into the journal")
	}
}

func TestAFlagsFaultIsTheProcesssOwn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	o := simulator.Options{Journal: path, Faults: []simulator.Fault{fault(t, "FailLaunch:times=1")}}
	synctest.Test(t, func(t *testing.T) {
		w := world(t, many(2), o)
		root(t, w, manyAccount, manyRegion).drs("StartRecovery", start(id(0))).must(t, 202)
		w.Close()
		plain := world(t, many(2), simulator.Options{Journal: path})
		time.Sleep(time.Hour)
		if got := plain.Summary().Regions[0].Servers[0].LastLaunch; got != "FAILED" {
			t.Errorf("last launch %s: what a fault did stays done", got)
		}
		second := world(t, many(2), o)
		root(t, second, manyAccount, manyRegion).drs("StartRecovery", start(id(1))).must(t, 202)
		time.Sleep(time.Hour)
		if got := second.Summary().Regions[0].Servers[1].LastLaunch; got != "FAILED" {
			t.Errorf("last launch %s: a new process's flag strikes anew", got)
		}
	})
}

func TestATornLastLineIsCutOff(t *testing.T) {
	for name, torn := range map[string]string{
		"without an end": `{"at":"2025-01-31T15:30:00Z","service":"drs","oper`,
		"with one":       `{"at":"2025-01-31T15:30:00Z","service` + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal")
			w := world(t, many(3), simulator.Options{Journal: path})
			root(t, w, manyAccount, manyRegion).drs("StartRecovery", start(id(0))).must(t, 202)
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(f, torn)
			f.Close()
			// A world that lives on meets the torn line, and so does a new one.
			root(t, w, manyAccount, manyRegion).drs("StartRecovery", start(id(1))).must(t, 202)
			c := root(t, world(t, many(3), simulator.Options{Journal: path}), manyAccount, manyRegion)
			if got := length(t, c.drs("DescribeJobs", `{}`)); got != 2 {
				t.Errorf("%d jobs, want 2", got)
			}
			data, _ := os.ReadFile(path)
			if strings.Contains(string(data), "oper\n") || strings.Count(string(data), "\n") != 3 {
				t.Errorf("the journal is %s", data)
			}
		})
	}
}

func TestAJournalBelongsToOneFleetAndSeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	world(t, many(1), simulator.Options{Journal: path})
	f, err := simulator.ParseFleet("other", []byte(many(2)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := simulator.New(f, simulator.Options{Journal: path}); err == nil || !strings.Contains(err.Error(), "belongs to the fleet") {
		t.Errorf("another fleet: %v", err)
	}
	g, _ := simulator.ParseFleet("test", []byte(many(1)))
	if _, err := simulator.New(g, simulator.Options{Journal: path, Seed: 99}); err == nil {
		t.Error("another seed is taken")
	}
	if err := os.WriteFile(path, []byte("something else\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := simulator.New(g, simulator.Options{Journal: path}); err == nil || !strings.Contains(err.Error(), "is not a journal") {
		t.Errorf("not a journal: %v", err)
	}
}
