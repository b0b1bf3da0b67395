package orchestrator_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"muster/event"
	"muster/recovery"
	"muster/simulator"
)

// A schedule is one whole execution and all that disturbs it: a function of
// its seed alone.
type schedule struct {
	seed    uint64
	plan    *recovery.Plan
	kind    recovery.ExecutionType
	servers int            // of the fleet
	more    map[int]string // what the fleet says about some of them
	extra   string         // what it says of the region
	poll    time.Duration  // between two looks; 0: by the age of the jobs
	lambda  time.Duration  // how long an invocation may take
	store   string         // in which store
	others  bool           // other parties work on the same servers
	crowd   int            // jobs that others run there at first
	mishaps []mishap       // the disturbances, each of which can be left out
}

// A mishap is one disturbance of an execution. Which of the fields count says
// its kind.
type mishap struct {
	kind     mishapKind
	who      string        // the actor that it happens to
	nth      int           // its call, the invocation
	after    bool          // of a driver's kill: the invocation was made
	at       time.Duration // since the beginning; or after which a duplicate is delivered
	lasts    time.Duration
	times    int
	fault    simulator.Fault
	choice   recovery.Choice
	question recovery.QuestionID       // as it was seen; "": whatever is there to be seen when it is said
	wave     *int                      // nil: none is named
	gone     []recovery.SourceServerID // in doubt, and gone in truth
	server   int                       // of another party's job; to be left out of a retry, 0: none
	twice    twice
}

type mishapKind string

// What may happen, beside what the simulated AWS does.
const (
	deadBefore  mishapKind = "killed before a call"
	deadAfter   mishapKind = "killed after a call took effect"
	lostAnswer  mishapKind = "answer lost"
	notReached  mishapKind = "not reached" // AWS breaks the connection, the store throttles; nothing happened
	fellAsleep  mishapKind = "machine asleep"
	duplicate   mishapKind = "delivered again"
	driverDies  mishapKind = "driver killed"
	driverTaken mishapKind = "driver taken over"
	clocksApart mishapKind = "clocks two minutes apart"
	awsFault    mishapKind = "fault"
	decided     mishapKind = "decided unasked"
	pauseAsked  mishapKind = "pause asked for"
	othersStart mishapKind = "another party's job"
	intruder    mishapKind = "another execution of the plan"

	permissionTaken mishapKind = "permission taken away"
)

// twice says how often a person says the same thing.
type twice string

const (
	once        twice = ""
	afterwards  twice = ", and again"
	atOnce      twice = ", two at once"
	differently twice = ", while another one decides to cancel"
	late        twice = ", and again up to two hours later"
)

func (m mishap) String() string {
	switch m.kind {
	case deadBefore, deadAfter, lostAnswer, notReached:
		return fmt.Sprintf("%s: %s, call %d", m.who, m.kind, m.nth)
	case fellAsleep:
		return fmt.Sprintf("%s: %s for %s before call %d", m.who, m.kind, m.lasts, m.nth)
	case duplicate:
		return fmt.Sprintf("invocation %d: %s %d× after %s", m.nth, m.kind, m.times, m.at)
	case driverDies:
		return fmt.Sprintf("%s at entry %d, which is kept: %v; the next one comes after %s", m.kind, m.nth, m.after, m.lasts)
	case driverTaken, intruder:
		return fmt.Sprintf("%s after %s (%s)", m.kind, m.at, m.who)
	case permissionTaken:
		return fmt.Sprintf("%s for %s from %s on: %s", m.kind, m.lasts, m.at, m.fault)
	case awsFault:
		return fmt.Sprintf("fault from %s on: %s", m.at, m.fault)
	case decided:
		which := "no wave named"
		if m.wave != nil {
			which = fmt.Sprintf("wave %d", *m.wave)
		}
		return fmt.Sprintf("%s after %s: %s, %s, without server %d%s", m.kind, m.at, m.choice, which, m.server, m.twice)
	case pauseAsked:
		return fmt.Sprintf("%s after %s%s", m.kind, m.at, m.twice)
	case othersRecover, othersDrill, othersTerminate, othersKill, othersEdit:
		return fmt.Sprintf("%s: %d, after %s", m.kind, m.server, m.at)
	case othersStart:
		return fmt.Sprintf("%s with server %d after %s", m.kind, m.server, m.at)
	}
	return string(m.kind)
}

// scheduleOf draws the schedule of a seed.
func scheduleOf(seed uint64) schedule {
	r := rand.New(rand.NewPCG(mixed(seed), mixed(^seed)))
	s := schedule{seed: seed, kind: recovery.Drill, more: map[int]string{}, store: "memory",
		poll:   pick(r, 0, 15*time.Second, 30*time.Second, time.Minute, 2*time.Minute),
		lambda: pick(r, 15*time.Minute, 15*time.Minute, 5*time.Minute, 100*time.Second),
	}
	if r.IntN(4) == 0 {
		s.kind = recovery.Recovery
	}
	s.drawPlan(r)
	s.drawFleet(r)
	for range r.IntN(14) {
		s.mishaps = append(s.mishaps, s.strikeActor(r))
	}
	for range r.IntN(6) {
		s.mishaps = append(s.mishaps, s.fault(r))
	}
	for range r.IntN(5) {
		s.mishaps = append(s.mishaps, mishap{kind: duplicate, nth: 1 + r.IntN(30), times: 1 + r.IntN(2),
			at: pick(r, span(r, 0, 2*time.Second), span(r, 0, time.Minute), span(r, 0, 10*time.Minute), span(r, 0, 5*time.Hour))})
	}
	for range r.IntN(4) {
		m := s.act(r)
		s.mishaps = append(s.mishaps, m)
		if m.kind == pauseAsked && r.IntN(2) == 0 { // somebody means to skip the pause
			s.mishaps = append(s.mishaps, mishap{kind: decided, choice: recovery.Skip, at: m.at + span(r, time.Second, time.Minute)})
		}
	}
	for range r.IntN(3) {
		s.mishaps = append(s.mishaps, mishap{kind: driverDies, nth: 1 + r.IntN(25), after: r.IntN(2) == 0, lasts: span(r, time.Second, 10*time.Minute)})
	}
	switch r.IntN(8) {
	case 0:
		s.mishaps = append(s.mishaps, mishap{kind: driverTaken, who: "another driver", at: span(r, 0, 20*time.Minute)})
	case 1:
		s.mishaps = append(s.mishaps, mishap{kind: intruder, who: string(pick(r, recovery.Drill, recovery.Recovery)), at: span(r, time.Minute, 30*time.Minute)})
	case 2, 3:
		s.mishaps = append(s.mishaps, mishap{kind: othersStart, server: 1 + r.IntN(s.planned()), at: span(r, 0, 20*time.Minute)})
	}
	if r.IntN(2) == 0 {
		s.mishaps = append(s.mishaps, mishap{kind: clocksApart})
	}
	s.drawOthers(r)
	s.drawApart(rand.New(rand.NewPCG(mixed(seed+1), mixed(^seed-1))))
	switch seed % 50 {
	case 0:
		s.store = "sqlite"
	case 25:
		s.store = "dynamo"
	}
	return s
}

// drawPlan makes one to four waves of one to three servers, in one order or
// another. In every second schedule there is a wave 0: the first, or more often
// the last, behind a gate.
func (s *schedule) drawPlan(r *rand.Rand) {
	account := recovery.AccountContext{AccountID: target, Region: "us-west-2", RoleName: "Recoverer", ExternalID: recovery.NewSecret("a-secret-word")}
	s.plan = &recovery.Plan{ID: "rp-1", Account: account}
	waves, most := 1+r.IntN(4), pick(r, 1, 3, 3)
	zeroFirst, zeroLast := s.seed%8 == 1, slices.Contains([]uint64{2, 3, 6}, s.seed%8)
	if zeroLast {
		waves = max(waves, 2)
	}
	var numbers []int
	for n := 1; n <= waves; n++ {
		number := n
		switch {
		case zeroFirst:
			number = n - 1
		case zeroLast:
			number = n % waves
		}
		w := recovery.PlannedWave{Wave: recovery.Wave{Number: number, Name: fmt.Sprintf("Wave %d", n), Account: account}}
		for range 1 + r.IntN(most) {
			s.servers++
			server := recovery.Server{ID: serverID(s.servers), LaunchConfig: recovery.LaunchConfig{}}
			if r.IntN(3) == 0 {
				server.LaunchConfig[recovery.InstanceType] = "r5.xlarge"
			}
			if r.IntN(5) == 0 {
				server.Impact = recovery.Optional
			}
			w.Servers = append(w.Servers, server)
		}
		switch {
		case n > 1 && r.IntN(3) == 0:
			w.DependsOn = []int{numbers[r.IntN(n-1)]}
		case r.IntN(4) == 0:
			w.Independent = true
		case zeroLast: // a lower number is not what comes before
			w.DependsOn, w.Independent = slices.Clone(numbers), n == 1
		}
		numbers = append(numbers, number)
		w.PauseBefore = r.IntN(5) == 0 || zeroLast && n == waves
		w.OnFailure = pick(r, recovery.PauseOnFailure, recovery.PauseOnFailure, recovery.StopOnFailure, recovery.ContinueOnFailure)
		w.Timeout = pick(r, 0, 0, 0, 4*time.Minute, 20*time.Minute)
		s.plan.Waves = append(s.plan.Waves, w)
	}
}

// drawFleet says how long launches take and which of them go wrong.
func (s *schedule) drawFleet(r *rand.Rand) {
	for i := 1; i <= s.servers; i++ {
		fate := ""
		switch r.IntN(24) {
		case 0:
			fate = ", fate: FAILED, phase: " + pick(r, "SNAPSHOT", "CONVERSION", "LAUNCH")
		case 1:
			fate = ", fate: SKIPPED"
		}
		s.more[i] = fmt.Sprintf("            launches: {duration: %s%s}\n", pick(r, 40*time.Second, 2*time.Minute, 8*time.Minute), fate)
	}
	switch r.IntN(24) {
	case 0:
		s.extra = "        quotas: {jobs: 1, serversInJobs: 500, serversPerJob: 100}\n"
	case 1:
		s.crowd = recovery.MostJobs - r.IntN(2)
		for i := range s.crowd {
			s.more[s.servers+1+i] = "            launches: {duration: 12m}\n"
		}
	}
}

// drawApart has every third schedule recover some of its waves in a second
// account, and takes away, in every third, a permission in one account for a
// while: where that is one to look, perhaps from a start on whose answer is lost.
func (s *schedule) drawApart(r *rand.Rand) {
	if r.IntN(3) == 0 {
		for i := range s.plan.Waves {
			if r.IntN(2) == 0 {
				s.plan.Waves[i].Account.AccountID = secondAccount
			}
		}
	}
	if r.IntN(3) != 0 {
		return
	}
	m := mishap{kind: permissionTaken, at: pick(r, 0, span(r, 0, 10*time.Minute), span(r, 0, time.Hour)), lasts: pick(r, span(r, time.Minute, 10*time.Minute), span(r, 0, 2*time.Hour))}
	m.fault = simulator.Fault{Name: simulator.Refuse, Code: "AccessDeniedException", Status: 403, Account: s.plan.Waves[r.IntN(len(s.plan.Waves))].Account.AccountID,
		Operation: pick(r, "DescribeJobs", "DescribeJobs", "DescribeJobs", "DescribeJobLogItems", "DescribeSourceServers", "StartRecovery", "AssumeRole")}
	s.mishaps = append(s.mishaps, m)
	if m.at == 0 && m.fault.Operation == "DescribeJobs" {
		s.mishaps = append(s.mishaps, mishap{kind: awsFault, fault: simulator.Fault{Name: simulator.DropAnswerAfter, Operation: "StartRecovery", Times: 1}})
	}
}

// accountOf is where a server is recovered; the crowd's are in the first account.
func (s *schedule) accountOf(id recovery.SourceServerID) string {
	for i := range s.plan.Waves {
		if slices.Contains(s.plan.Waves[i].ServerIDs(), id) {
			return s.plan.Waves[i].Account.AccountID
		}
	}
	return target
}

// fleet is what there is.
func (s *schedule) fleet() string {
	in := map[string][]int{}
	for i := 1; i <= s.servers+s.crowd; i++ {
		in[s.accountOf(serverID(i))] = append(in[s.accountOf(serverID(i))], i)
	}
	text := fleetHead
	for _, id := range []string{target, secondAccount} {
		text += account(id, in[id], s.extra, s.more)
	}
	return text
}

// planned is how many servers the plan has; the fleet's others are the crowd's.
func (s *schedule) planned() int { return s.servers }

// strikeActor disturbs a call of an invocation, or of somebody's command.
func (s *schedule) strikeActor(r *rand.Rand) mishap {
	m := mishap{
		kind: pick(r, deadBefore, deadAfter, deadAfter, lostAnswer, lostAnswer, notReached, notReached, fellAsleep),
		who:  fmt.Sprintf("invocation %d", 1+r.IntN(1+r.IntN(40))),
		nth:  1 + r.IntN(1+r.IntN(30)),
	}
	switch r.IntN(8) {
	case 0:
		m.who = fmt.Sprintf("desk %d", 1+r.IntN(6))
		m.nth = 1 + r.IntN(5)
	case 1:
		m.who += ", again 1"
	case 2: // by operations
		m.who = pick(r, "begin 1", "driver 1, try 2, told of", "driver 1, try 2, resumed", "driver 1, try 2, resumed", "driver 2, try 1, resumed")
		m.nth = 1 + r.IntN(6)
	}
	if m.kind == fellAsleep {
		m.lasts = pick(r, span(r, time.Second, 40*time.Second), span(r, time.Minute, 6*time.Minute))
	}
	return m
}

// fault has AWS misbehave: always for a limited number of times, so that once
// faults stop the execution has to come to its end.
func (s *schedule) fault(r *rand.Rand) mishap {
	f := simulator.Fault{Times: 1 + r.IntN(5)}
	f.Name = pick(r, simulator.DropAnswerAfter, simulator.DropBefore, simulator.Error500Before, simulator.Error500After, simulator.Throttle,
		simulator.LagJobList, simulator.LagInstanceList, simulator.FailLaunch, simulator.NoCapacity, simulator.FailConversion, simulator.SkipServer,
		simulator.UsePreviousSnapshot, simulator.DenyTagging, simulator.LateTemplateVersion, simulator.SlowAnswers, simulator.ExpireSessions, simulator.Refuse)
	anywhere := []string{"", "StartRecovery", "StartRecovery", "DescribeJobs", "DescribeSourceServers", "AssumeRole", "DescribeJobLogItems", "CreateLaunchTemplateVersion", "UpdateLaunchConfiguration"}
	switch f.Name {
	case simulator.LagJobList, simulator.LagInstanceList:
		f.Times, f.Duration = 1+r.IntN(12), simulator.Duration(span(r, time.Second, 55*time.Second))
	case simulator.SlowAnswers:
		f.Operation, f.Duration = pick(r, anywhere...), simulator.Duration(span(r, time.Second, 45*time.Second))
	case simulator.LateTemplateVersion:
		f.Duration = simulator.Duration(span(r, 100*time.Millisecond, 6*time.Second))
	case simulator.FailLaunch:
		f.Phase = pick(r, "SNAPSHOT", "CONVERSION", "LAUNCH")
	case simulator.SkipServer:
		if r.IntN(2) == 0 {
			f.Duration = simulator.Duration(span(r, time.Second, 2*time.Minute))
		}
	case simulator.Refuse:
		f.Operation = pick(r, "StartRecovery", "DescribeJobs", "AssumeRole", "UpdateLaunchConfiguration", "DescribeInstances")
		f.Code = pick(r, "AccessDeniedException", "ServiceQuotaExceededException", "ValidationException", "ConflictException")
	case simulator.Throttle:
		f.Operation, f.After = pick(r, anywhere...), r.IntN(4)
		if !s.single() {
			// Servers whose settings are written queue behind a throttled call in
			// whatever order they come: another run would go another way.
			f.Operation = pick(r, "StartRecovery", "StartRecovery", "DescribeJobs", "DescribeSourceServers", "AssumeRole", "DescribeJobLogItems")
		}
	case simulator.DropAnswerAfter, simulator.DropBefore, simulator.Error500Before, simulator.Error500After, simulator.ExpireSessions:
		f.Operation, f.After = pick(r, anywhere...), r.IntN(4)
	}
	if s.fatal(f) && r.IntN(2) == 0 {
		f.Servers = []string{string(serverID(1 + r.IntN(s.planned())))}
	}
	return mishap{kind: awsFault, at: span(r, 0, 15*time.Minute), fault: f}
}

// single says whether no wave has more than one server.
func (s *schedule) single() bool {
	return s.servers == len(s.plan.Waves)
}

// fatal says whether the fault is one of a server's launch.
func (s *schedule) fatal(f simulator.Fault) bool {
	return slices.Contains([]string{simulator.FailLaunch, simulator.NoCapacity, simulator.FailConversion, simulator.SkipServer, simulator.UsePreviousSnapshot}, f.Name)
}

// act has somebody say something that was not asked for.
func (s *schedule) act(r *rand.Rand) mishap {
	m := mishap{kind: decided, at: span(r, 0, pick(r, 5*time.Minute, time.Hour)), twice: pick(r, once, once, afterwards, atOnce, differently, late, late), wave: &s.plan.Waves[r.IntN(len(s.plan.Waves))].Number}
	m.choice = pick(r, recovery.Resume, recovery.Retry, recovery.Skip, recovery.CancelAll, recovery.Resume, recovery.Retry)
	if m.choice == recovery.CancelAll || r.IntN(3) == 0 {
		m.wave = nil
	}
	if m.choice == recovery.Retry && r.IntN(2) == 0 {
		m.server = 1 + r.IntN(s.planned())
	}
	if r.IntN(3) == 0 {
		return mishap{kind: pauseAsked, at: m.at, twice: pick(r, once, atOnce)}
	}
	return m
}

// state is what the execution begins with.
func (s *schedule) state() []byte {
	state := event.StateOf(event.Opening{Plan: s.plan, Execution: "exec-1", Type: s.kind, InitiatedBy: "ops@example.com", StartTime: "2026-11-24T03:00:00Z"})
	if s.poll == 0 {
		return state
	}
	return []byte(strings.Replace(string(state), "{", fmt.Sprintf(`{"pollSeconds":%d,`, int(s.poll.Seconds())), 1))
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// span draws a time to the nanosecond, so that nothing begins when anything
// else does.
func span(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}
