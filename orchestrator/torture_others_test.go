package orchestrator_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// What other parties do to the same servers, at the console or by programs of
// their own.
const (
	othersRecover   mishapKind = "somebody recovers a server"
	othersDrill     mishapKind = "somebody drills a server"
	othersTerminate mishapKind = "somebody terminates a recovery instance in DRS"
	othersKill      mishapKind = "somebody terminates an instance in EC2"
	othersEdit      mishapKind = "somebody edits launch settings"
)

// mostLag is how far lists lag behind at most.
const mostLag = 59 * time.Second

// drawOthers lets, in every second schedule, other parties work on the same
// servers, while every list lags. Launches last longer then than lists lag and
// a start takes after its last look, as DRS's do.
func (s *schedule) drawOthers(r *rand.Rand) {
	if r.IntN(2) == 0 {
		return
	}
	s.others = true
	for i := range s.more {
		s.more[i] = strings.Replace(s.more[i], "duration: 40s", "duration: 100s", 1)
	}
	for range 1 + r.IntN(5) {
		s.mishaps = append(s.mishaps, mishap{kind: pick(r, othersRecover, othersRecover, othersRecover, othersDrill, othersTerminate, othersKill, othersEdit),
			server: 1 + r.IntN(s.planned()), at: pick(r, span(r, 0, time.Minute), span(r, 0, 20*time.Minute), span(r, 0, 2*time.Hour))})
	}
	if r.IntN(3) == 0 {
		return
	}
	for _, name := range []string{simulator.LagJobList, simulator.LagInstanceList, simulator.LagServerList} {
		s.mishaps = append(s.mishaps, mishap{kind: awsFault, at: span(r, 0, time.Second),
			fault: simulator.Fault{Name: name, Duration: simulator.Duration(span(r, time.Second, mostLag))}})
	}
	if r.IntN(4) == 0 { // EC2 cannot be asked, and a server was recovered and is gone
		id, at := 1+r.IntN(s.planned()), span(r, 0, 10*time.Second)
		s.mishaps = append(s.mishaps, mishap{kind: awsFault, at: span(r, 0, time.Second),
			fault: simulator.Fault{Name: simulator.Refuse, Operation: "DescribeInstances", Code: "UnauthorizedOperation", Status: 403}},
			mishap{kind: othersRecover, server: id, at: at}, mishap{kind: othersTerminate, server: id, at: at + span(r, 9*time.Minute, 20*time.Minute)})
	}
}

// lag is how far a list of the schedule lags behind at most.
func (s *schedule) lag() (most time.Duration) {
	for _, m := range s.mishaps {
		if slices.Contains([]string{simulator.LagJobList, simulator.LagInstanceList, simulator.LagServerList}, m.fault.Name) {
			most = max(most, time.Duration(m.fault.Duration))
		}
	}
	return most
}

// interfere has another party do something.
func (st *stage) interfere(m mishap) {
	id := serverID(m.server)
	done := false
	switch m.kind {
	case othersRecover, othersDrill:
		_, done = st.ask(st.s.accountOf(id), "StartRecovery", fmt.Sprintf(`{"sourceServers":[{"sourceServerID":%q}],"isDrill":%v,"tags":{"Owner":"somebody"}}`, id, m.kind == othersDrill))
	case othersTerminate:
		if i := st.instanceOf(id); i != "" {
			_, done = st.ask(st.s.accountOf(id), "TerminateRecoveryInstances", fmt.Sprintf(`{"recoveryInstanceIDs":[%q]}`, i))
			if done {
				st.endedByOthers(i, time.Now().Add(5*time.Second)) // it shuts down
			}
		}
	case othersKill:
		if i := st.instanceOf(id); i != "" {
			done = st.askEC2(st.s.accountOf(id), url.Values{"Action": {"TerminateInstances"}, "Version": {"2016-11-15"}, "InstanceId.1": {i}})
			if done {
				st.endedByOthers(i, time.Now())
			}
		}
	case othersEdit:
		_, done = st.ask(st.s.accountOf(id), "UpdateLaunchConfiguration", fmt.Sprintf(`{"sourceServerID":%q,"copyTags":true}`, id))
	}
	if done {
		st.struck(m)
	}
}

// endedByOthers remembers when another party ended an instance.
func (st *stage) endedByOthers(instance string, at time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.killed == nil {
		st.killed = map[string]time.Time{}
	}
	if _, before := st.killed[instance]; !before {
		st.killed[instance] = at
	}
}

// instanceOf gives the recovery instance that a server has in truth; "" where it has none.
func (st *stage) instanceOf(id recovery.SourceServerID) string {
	for _, r := range st.world.Summary().Regions {
		for _, i := range r.Instances {
			if i.Server == string(id) && i.State != "TERMINATED" && i.State != "SHUTTING-DOWN" {
				return i.ID
			}
		}
	}
	return ""
}

// lives says whether a recovery instance of the server, no drill's, lives in truth now.
func (st *stage) lives(id recovery.SourceServerID) bool {
	for _, r := range st.world.Summary().Regions {
		for _, i := range r.Instances {
			if i.Server == string(id) && !i.Drill && !slices.Contains([]string{"TERMINATED", "SHUTTING-DOWN", "NOT_FOUND"}, i.State) {
				return true
			}
		}
	}
	return false
}

// askEC2 asks EC2 something as the account's own root.
func (st *stage) askEC2(account string, form url.Values) bool {
	r, err := http.NewRequest("POST", "http://ec2.us-west-2.amazonaws.com/", strings.NewReader(form.Encode()))
	if err != nil {
		st.problem("%v", err)
		return false
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/20261124/us-west-2/ec2/aws4_request, SignedHeaders=host, Signature=0", account))
	answer, err := st.world.RoundTripper().RoundTrip(r)
	return err == nil && answer.StatusCode < 300
}

// A life is the time that an instance of a recovery lived, in truth.
type life struct {
	server   recovery.SourceServerID
	instance string
	from, to time.Time // to is zero while it lives
	by       string    // the job that ended it; "" where none did
}

// biographies tells of every instance that a job in earnest made.
func (st *stage) biographies() []life {
	var all []life
	born := map[string]time.Time{}
	for _, r := range st.world.Summary().Regions {
		for _, j := range r.Jobs {
			for server := range j.Servers {
				born[j.ID+" "+server] = j.Created.Add(st.s.launchTime(recovery.SourceServerID(server)))
			}
		}
	}
	ended := map[string]life{}
	jobs := st.jobs()
	for id := range jobs {
		for _, item := range st.jobLog(id) {
			if item.Event == "CLEANUP_END" {
				at, _ := time.Parse(time.RFC3339, item.LogDateTime)
				ended[item.EventData.TargetInstanceID] = life{to: at, by: string(id)}
			}
		}
	}
	for id, j := range jobs {
		if j.InitiatedBy != "START_RECOVERY" {
			continue
		}
		for _, p := range j.ParticipatingServers {
			if p.LaunchStatus != "LAUNCHED" {
				continue
			}
			l := life{server: recovery.SourceServerID(p.SourceServerID), instance: p.RecoveryInstanceID, from: born[string(id)+" "+p.SourceServerID]}
			l.to, l.by = ended[l.instance].to, ended[l.instance].by
			if at, killed := st.killed[l.instance]; killed && (l.to.IsZero() || at.Before(l.to)) {
				l.to, l.by = at, ""
			}
			all = append(all, l)
		}
	}
	return all
}

// launchTime is how long a server's launch takes.
func (s *schedule) launchTime(id recovery.SourceServerID) time.Duration {
	for i, more := range s.more {
		if serverID(i) == id {
			_, rest, _ := strings.Cut(more, "duration: ")
			word, _, _ := strings.Cut(strings.TrimRight(rest, "}\n"), ",")
			d, _ := time.ParseDuration(word)
			return d
		}
	}
	return 0
}

type loggedItem struct {
	LogDateTime, Event string
	EventData          struct{ TargetInstanceID string }
}

func (st *stage) jobLog(id recovery.JobID) (all []loggedItem) {
	for next := ""; ; {
		ask := fmt.Sprintf(`{"jobID":%q%s}`, id, next)
		body, ok := st.ask(target, "DescribeJobLogItems", ask)
		if !ok {
			body, ok = st.ask(secondAccount, "DescribeJobLogItems", ask)
		}
		var page struct {
			Items     []loggedItem
			NextToken string
		}
		if err := json.Unmarshal(body, &page); err != nil || !ok {
			st.problem("DRS does not show the log of job %s: %s, %v", id, body, err)
			return all
		}
		all = append(all, page.Items...)
		if page.NextToken == "" {
			return all
		}
		next = fmt.Sprintf(`,"nextToken":%q`, page.NextToken)
	}
}

// judgeLives: no instance of a recovery, whoever made it, was terminated by a
// job of ours; and nobody was alarmed for nothing, or for longer than lists lag.
func (st *stage) judgeLives(events []recovery.Event) {
	lives := st.biographies()
	ours := map[string]bool{}
	for id, j := range st.jobs() {
		ours[string(id)] = j.Tags["ExecutionId"] != ""
	}
	for _, l := range lives {
		st.seen["recovery instances"]++
		if ours[l.by] {
			st.problem("instance %s of server %s, which a recovery launched, lived, and our job %s terminated it", l.instance, l.server, l.by)
		}
	}
	slack := st.s.lag() + 5*time.Second
	if st.s.slow() {
		slack += 8 * time.Minute // a look may be as old as that when it is judged
	}
	if slices.ContainsFunc(st.s.mishaps, func(m mishap) bool { return m.kind == clocksApart }) {
		slack += recovery.ClockSkew / 2 // that is when the record says that it was
	}
	for _, ev := range events {
		if ev.Kind != recovery.EventRefused && ev.Kind != recovery.EventPostponed {
			continue
		}
		for _, about := range strings.Split(ev.Message, "Server s-")[1:] {
			if !strings.Contains(about, "a live recovery instance") && !strings.Contains(about, "an instance of it may live") {
				continue
			}
			id := recovery.SourceServerID("s-" + about[:17])
			st.seen["alarmed for a live instance"]++
			if st.unsettled(about) {
				st.seen["asked whether an instance lives"]++
			}
			if !slices.ContainsFunc(lives, func(l life) bool {
				return l.server == id && l.from.Add(-time.Second).Before(ev.At.Add(slack)) && (l.to.IsZero() || l.to.Add(slack).After(ev.At))
			}) && !st.unsettled(about) {
				st.problem("event %d, after %s: server %s is said to have a live instance, and none lived within %s: %s", ev.Number, ev.At.Sub(st.began), id, slack, about)
			}
		}
	}
}

// unsettled says whether somebody is asked because EC2 cannot be.
func (st *stage) unsettled(about string) bool {
	return strings.Contains(about, "EC2 could not be asked") || strings.Contains(about, "so that EC2 cannot be asked")
}

// slow says whether a mishap makes looks old before they are judged.
func (s *schedule) slow() bool {
	return slices.ContainsFunc(s.mishaps, func(m mishap) bool {
		return m.kind == fellAsleep || slices.Contains([]string{simulator.SlowAnswers, simulator.Throttle, simulator.Error500Before, simulator.DropBefore}, m.fault.Name)
	})
}
