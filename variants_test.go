//go:build broken

package muster_test

// The proofs.
var (
	crashProof    = proof{room: "orchestrator", test: "TestDisturbedAtAnyCallEveryActionEndsAsIfNothingHadBeen"}
	tortureProof  = proof{room: "orchestrator", test: "TestRandomSchedulesKeepEveryPromise", args: []string{"-torture.seeds=500"}}
	fileProof     = proof{room: "sqlite", test: "TestKeepsThePromisesOfAnExecutionStore"}
	tableProof    = proof{room: "dynamo", test: "TestExecutions"}
	guardProof    = proof{room: "orchestrator", test: "TestALiveInstanceThatListsDoNotShowYetIsNotTerminated"}
	againProof    = proof{room: "orchestrator", test: "TestWhatIsRecoveredWhileWeWaitToSendAgainIsNotTerminated"}
	pauseProof    = proof{room: "orchestrator", test: "TestNothingIsSentAfterAPause"}
	unsentProof   = proof{room: "orchestrator", test: "TestWhatWasSentAndLeftNoJobStaysUnsentWhilePaused"}
	witnessProof  = proof{room: "recovery", test: "TestWitnessesThatDisagreeAreSettledOrAskedAbout"}
	goneProof     = proof{room: "orchestrator", test: "TestWhatEC2KnowsToBeGoneHoldsNothingUp"}
	doorProof     = proof{room: "cmd/muster", test: "TestDoors"}
	borrowProof   = proof{room: "event", test: "TestACallersOwnPlanTakesAStoredGroupsAccountWithTheGroupsSettingsAlone"}
	ownerProof    = proof{room: "sqlite", test: "TestAFileOfOursThatOthersMayUseIsTakenFromThem"}
	worldProof    = proof{room: "orchestrator", test: "TestAnExecutionOfAnotherWorldIsRefusedBeforeAnythingIsDone"}
	boundProof    = proof{room: "orchestrator", test: "TestAnExecutionOfBeforeIsBoundWhereItsJobsAreKnown"}
	adoptProof    = proof{room: "orchestrator", test: "TestARestoredCopyIsDrivenFromOnceItIsAdoptedAndTheOtherIsFenced"}
	fenceProof    = proof{room: "orchestrator", test: "TestAStartIsNotSentFromARecordThatWasTakenOverMeanwhile"}
	meantProof    = proof{room: "event", test: "TestARecoveryThatNobodyDrivesGoesOnOnlyWhenThatIsConfirmed"}
	apartProof    = proof{room: "orchestrator", test: "TestAnAccountThatRefusesToBeLookedAtHoldsUpItsOwnWavesAlone"}
	againstProof  = proof{room: "recovery", test: "TestWhatCannotBeLookedAtIsLookedAtAgainAndThenAskedAbout"}
	nextLookProof = proof{room: "recovery", test: "TestTheAnswerToLookAgainIsNoAnswerToTheNextQuestion"}
	skippedProof  = proof{room: "recovery", test: "TestNothingIsSentForAWaveThatWasSkippedNorAfterTheEnd"}
	cleanProof    = proof{room: "orchestrator", test: "TestAnAccountThatRefusesKeepsNoOtherFromBeingCleanedUp"}
	olderProof    = proof{room: "event", test: "TestATaskOfARunThatWasTakenOverLeavesTheNewestRunItsToken"}
	retriedProof  = proof{room: "event", test: "TestARefusalThatIsToldAfterTheRetryWasDecidedSaysNothingOfIt"}
	laterProof    = proof{room: "client", test: "TestAResumptionThatComesLateLiftsNoLaterPause"}
	seatProof     = proof{room: "cmd/muster", test: "TestASeatIsTakenFromNobodyWhoIsAtWork"}
	askedProof    = proof{room: "driver", test: "TestADriverDoesWhatIsNextAndWaitsAsItIsTold"}
	replacedProof = proof{room: "driver", test: "TestADriverThatIsReplacedStopsAtOnceAndSaysByWhom"}
	needsProof    = proof{room: "orchestrator", test: "TestAnExecutionThatIsNotUnderstoodIsLookedAtAndNotActedOn"}
	keptProof     = proof{room: "sqlite", test: "TestKeepsThePromisesOfAPlanStore"}
	paceProof     = proof{room: "cmd/muster", test: "TestACleanUpAsksAgainAtItsPaceHoweverLongItTakes"}
	unlookedProof = proof{room: "orchestrator", test: "TestAStartThatCannotBeLookedForIsLookedForAfterWaitsThatGrow"}
	lostProof     = proof{room: "dynamo", test: "TestAWriteWhoseAnswerWasLostIsKnownByItsMark"}
)

var variants = []variant{
	{"the SDK's retries are on for StartRecovery", "awsdrs/call.go", []string{
		"	case op.once:\n		return 0, false\n", "",
	}, crashProof},
	{"StartRecovery is called before the claim is marked SENT", "orchestrator/send.go", []string{
		"	now := c.o.now()\n	until := looked.Add(recovery.SendTimeout)\n",
		"	now := c.o.now()\n	until := looked.Add(recovery.SendTimeout)\n" +
			"	early, stop := context.WithTimeout(context.WithoutCancel(ctx), recovery.SendTimeout)\n	defer stop()\n" +
			"	job, sendErr := region.StartRecovery(early, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})\n",
		"	return region.StartRecovery(call, recovery.Launch{Type: c.w.Type, Servers: c.w.Wave.Servers, Tags: c.tags()})\n",
		"	_ = call\n	return job, sendErr\n",
	}, crashProof},
	{"a job is adopted without a look at its tags", "recovery/job.go", []string{
		"		return sameTags(j.Tags, want)\n", "		return true\n",
	}, crashProof},
	{"a claim is written without its condition", "sqlite/commit.go", []string{
		"WHERE id = ?1 AND version = ?6", "WHERE id = ?1",
		"INSERT INTO events", "INSERT OR REPLACE INTO events",
	}, crashProof},
	{"there is no grace after the deadline of the sending", "recovery/attempt.go", []string{
		"	Grace         = ClockSkew + JobVisibility", "	Grace         = 0 * time.Second",
	}, crashProof},
	{"a duplicate of a retry raises the attempt", "recovery/decide.go", []string{
		"before != nil {\n", "before != nil && d.Choice != Retry {\n",
		"	q := e.question(d.Question, now)\n", "	q := e.question(d.Question, now)\n" +
			"	if w, _, is := d.Question.about(); is && q == nil && d.Choice == Retry {\n		q = &Question{Reason: WaveFailed, Wave: &w, Choices: WaveFailed.Choices()}\n	}\n",
	}, crashProof},
	{"a decision is applied twice", "recovery/decide.go", []string{
		"before != nil {\n", "before != nil && d.Choice != Approve {\n",
		"	q := e.question(d.Question, now)\n", "	q := e.question(d.Question, now)\n" +
			"	if w, _, is := d.Question.about(); is && q == nil && d.Choice == Approve {\n		q = &Question{Reason: PauseBeforeWave, Wave: &w, Choices: PauseBeforeWave.Choices()}\n	}\n",
	}, crashProof},
	{"a late duplicate of a decision answers the next question", "recovery/decide.go", []string{
		"before != nil {\n", "before != nil && e.Cancel != nil {\n",
		"	q := e.question(d.Question, now)\n", "	q := e.question(d.Question, now)\n" +
			"	for _, next := range e.Answerable(now) {\n		if q == nil && slices.Contains(next.Choices, d.Choice) {\n			q = &next\n			d.Wave = q.Wave\n		}\n	}\n",
	}, tortureProof},
	{"the lock of a plan is never released", "sqlite/commit.go", []string{
		"	if e.Ended == nil {\n", "	if true {\n",
	}, crashProof},
	{"a clean-up does not say what it is about to terminate", "orchestrator/cleanup.go", []string{
		"len(ids), ids)})\n		return &c, nil\n", "len(ids), ids)})\n		_ = c\n		return nil, nil\n",
	}, crashProof},
	{"a transaction without its version condition, in the file", "sqlite/commit.go", []string{
		"WHERE id = ?1 AND version = ?6", "WHERE id = ?1",
		"INSERT INTO events", "INSERT OR REPLACE INTO events",
	}, fileProof},
	{"a plan that is held is given to a second execution", "sqlite/commit.go", []string{
		"		if by != e.ID {\n", "		if false {\n",
	}, fileProof},
	{"a transaction without its version condition, in the table", "dynamo/header.go", []string{
		"\"#\"+attrVersion+\" = :was\", values", "\"#\"+attrVersion+\" >= :was\", values",
	}, tableProof},
	{"a write whose answer was lost does not know itself again", "dynamo/header.go", []string{
		"	case textOf(found, attrWrite) == token:\n", "	case false:\n",
	}, lostProof},
	{"a poll trusts the job's status", "recovery/poll.go", []string{
		"	i := slices.IndexFunc(s.Job.Participants, func(p Participant) bool { return p.Server == o.Server })\n",
		"	if s.Job.Over() {\n		o.Status = \"LAUNCHED\"\n		return o\n	}\n" +
			"	i := slices.IndexFunc(s.Job.Participants, func(p Participant) bool { return p.Server == o.Server })\n",
	}, tortureProof},
	{"a retry includes the servers that were launched", "recovery/decide.go", []string{
		"		case o.Launched():\n			o.Earlier = true\n			next.Outcomes = append(next.Outcomes, o)\n", "",
	}, tortureProof},
	{"a wave starts before what it depends on", "recovery/next.go", []string{
		"s.status[w.Number] == StatusPending && s.ready(w) && ", "s.status[w.Number] == StatusPending && ",
	}, tortureProof},
	{"wave 0 is taken for no wave", "recovery/decide.go", []string{
		"		d.Question = GateID(*d.Wave)\n", "		if d.Question = GateID(*d.Wave); *d.Wave == 0 {\n			d.Question, d.Wave = \"pause-1\", nil\n		}\n",
	}, tortureProof},
	{"whatever is to be left out of a retry is recorded as left out", "recovery/decide.go", []string{
		"	if err := last.mayExclude(d.Exclude); err != nil {\n		return err\n	}\n", "",
	}, tortureProof},
	{"an answer that is not clear is taken for a refusal", "orchestrator/send.go", []string{
		"		case refused.Ambiguous:\n", "		case false:\n",
	}, tortureProof},
	{"what a list does not show is taken to be gone", "recovery/trace.go", []string{
		"func (s Standing) traces(id SourceServerID) []Trace {\n", "func (s Standing) traces(id SourceServerID) []Trace {\n	if true {\n		return nil\n	}\n",
	}, guardProof},
	{"what a list does not show is taken to be gone, in whole executions", "recovery/trace.go", []string{
		"func (s Standing) traces(id SourceServerID) []Trace {\n", "func (s Standing) traces(id SourceServerID) []Trace {\n	if true {\n		return nil\n	}\n",
	}, tortureProof},
	{"an instance that is said to live is not looked for in EC2", "recovery/stakes.go", []string{
		"		for _, t := range s.traces(id) {\n			add(t.Instance)\n		}\n", "",
	}, goneProof},
	{"a recovery that seems to be under way is left to DRS to refuse", "recovery/stakes.go", []string{
		"			all = append(s.underWay(known, false), all...)\n", "			_ = known\n",
	}, witnessProof},
	{"a start is sent again without another look at what lives", "orchestrator/send.go", []string{
		"		if try > 1 || c.o.now().Sub(looked) > freshLook {\n", "		if false {\n",
		"	until := looked.Add(recovery.SendTimeout)\n", "	until := now.Add(recovery.SendTimeout)\n",
	}, againProof},
	{"a start is marked as sent after a pause", "recovery/admit.go", []string{
		"	case e.Pause != nil:\n		return &Error{", "	case false:\n		return &Error{",
	}, pauseProof},
	{"a start is marked as sent after a pause, in whole executions", "recovery/admit.go", []string{
		"	case e.Pause != nil:\n		return &Error{", "	case false:\n		return &Error{",
	}, tortureProof},
	{"what was sent and left no job is sent again while paused", "orchestrator/start.go", []string{
		"		if err := c.forbidden(); err != nil {\n			return c.settle(ctx, nil, err)\n		}\n", "",
		"	looked, job, err := c.guard(work, region) // right before it is sent\n", "	c.exec.Pause = nil\n	looked, job, err := c.guard(work, region)\n",
	}, unsentProof},
	{"a look that one account refuses ends the poll", "orchestrator/poll.go", []string{
		"	if failure != nil && (!is || l.plan == nil) {\n", "	if failure != nil {\n		_ = is\n",
	}, apartProof},
	{"a look that one account refuses interrupts the execution", "event/poll.go", []string{
		"	case failure != nil && !opened && (exec == nil || !failure.Retryable):\n", "	case failure != nil:\n",
	}, tortureProof},
	{"what cannot be looked at is looked at again without a pause", "recovery/unseen.go", []string{
		"now.Add(retryWait(u.Looks))", "now",
	}, againstProof},
	{"the next question about a look has the id of the one before", "recovery/unseen.go", []string{
		"a.Wave, a.Attempt, a.UnseenBefore+1)), Reason", "a.Wave, a.Attempt, 1)), Reason",
	}, nextLookProof},
	{"a start that cannot be looked for is sent, though its wave was skipped", "recovery/admit.go", []string{
		"	case w != nil && w.Skipped:\n", "	case false && w.Skipped:\n",
	}, skippedProof},
	{"a start that cannot be looked for goes on after the end", "recovery/admit.go", []string{
		"a.MayHaveJob() && e.Ended == nil)", "a.MayHaveJob())",
	}, skippedProof},
	{"an account that refuses keeps the others from being cleaned up", "orchestrator/cleanup.go", []string{
		"		if err != nil {\n			refused = append(refused, err)\n", "		if err != nil {\n			return done, err\n",
	}, cleanProof},
	{"the Host of a request is not looked at", "cmd/muster/door.go", []string{
		"	if !d.hosts.allow(r.Host) {\n", "	if false {\n",
	}, doorProof},
	{"who says nothing keeps his place", "cmd/muster/visitors.go", []string{
		"	if len(v.open) <= v.most {\n", "	if true {\n",
	}, doorProof},
	{"a caller's own plan brings settings into a stored group's account", "event/startexecution.go", []string{
		"	if o.plan != nil {\n		if err := plan.CheckBorrowed", "	if false {\n		if err := plan.CheckBorrowed",
	}, borrowProof},
	{"a record that others may write is left to them", "sqlite/owner.go", []string{
		"mode&0o077 != 0", "false",
	}, ownerProof},
	{"an execution of another world is driven", "orchestrator/world.go", []string{
		"	case !i.Owns(e.World, aws):\n", "	case false:\n",
	}, worldProof},
	{"an execution of before is bound wherever it is acted on first", "orchestrator/world.go", []string{
		"		if len(known) > 0 {\n			return fmt.Sprintf(\"its job %s is known there\", known[0].ID), nil\n		}\n", "		_ = known\n		return \"it is acted on here\", nil\n",
	}, boundProof},
	{"a restored copy is taken for the record itself", "orchestrator/home.go", []string{
		"		if same {\n			return nil, i.Copied(here)\n		}\n", "		_ = same\n",
	}, adoptProof},
	{"a record that was taken over is driven from", "orchestrator/home.go", []string{
		"	case i.Fenced != nil:\n		return nil, i.Closed()\n", "",
	}, adoptProof},
	{"a start is sent without another look at whose the record is", "orchestrator/guard.go", []string{
		"return c.o.mayStillAct(ctx, exec) })", "_ = exec; return nil })",
	}, fenceProof},
	{"a recovery that nobody drives goes on without a confirmation", "event/decisions.go", []string{
		" && confirm != string(e.Plan):\n", " && false:\n		_ = confirm\n",
	}, meantProof},
	{"the task of an older run takes the place of the newest run's", "orchestrator/decide.go", []string{
		"	late := run > 0 && run < e.NewestRun()\n", "	const late = false\n",
	}, olderProof},
	{"a task of another run is woken when its token gives way", "orchestrator/decide.go", []string{
		"		if !token.IsZero() && e.TaskRun == run {\n", "		if !token.IsZero() {\n",
	}, olderProof},
	{"a late refusal counts against the retry that was decided since", "orchestrator/decide.go", []string{
		" || r.Attempt > 0 && r.Attempt < a.Attempt:\n", ":\n",
	}, retriedProof},
	{"a resumption that names what it answers lifts whatever stands", "event/decisions.go", []string{
		"	case named == nil:\n", "	case true:\n",
	}, laterProof},
	{"a seat is taken from a driver that is at work", "cmd/muster/seat.go", []string{
		"		if e.Driver.Drives(time.Now()) && !processGone(*e.Driver) {\n", "		if false {\n",
	}, seatProof},
	{"a driver that was replaced drives on", "driver/driver.go", []string{
		"				stop(replaced)\n", "				_ = replaced\n",
	}, replacedProof},
	{"a driver writes itself down over whoever drives, in the file", "sqlite/driver.go", []string{
		" AND coalesce(driver ->> '$.id', '') IN (?, ?)", " AND ? <> ? || 'x'",
	}, fileProof},
	{"a driver writes itself down over whoever drives, in the table", "dynamo/driver.go", []string{
		"\" = :me OR \" + condition", "\" = :me OR attribute_exists(#\" + attrPK + \") OR \" + condition",
	}, tableProof},
	{"the loop has people asked what they are first asked, and nothing after", "driver/driver.go", []string{
		"slices.Equal(a.questions(), said.questions())", "len(a.questions()) >= 0 && len(said.questions()) >= 0",
		"	\"slices\"\n", "",
	}, askedProof},
	{"what a plan needs is not looked at", "recovery/frozen.go", []string{
		"		if !slices.Contains(understood, need) {\n", "		if !slices.Contains(understood, need) && need == \"\" {\n",
	}, needsProof},
	{"a plan that is put once more makes a version", "recovery/planstore.go", []string{
		"	case same && (p.Replaces", "	case false && (p.Replaces",
	}, keptProof},
	{"a clean-up's pauses double without an end", "cmd/muster/cleanup.go", []string{
		"pause = min(2*pause, time.Minute) {\n", "pause = 2 * pause {\n",
	}, paceProof},
	{"a start that cannot be looked for is looked for without a pause", "recovery/unseen.go", []string{
		"now.Add(retryWait(u.Looks))", "now",
	}, unlookedProof},
	{"each of two resumptions at once makes a run of its own", "orchestrator/runs.go", []string{
		"		if e.NewestRun() != after {\n", "		if false {\n",
	}, crashProof},
	{"the end of an older run, told late, interrupts the execution", "orchestrator/runs.go", []string{
		" || e.Ended != nil || run < e.NewestRun() {\n", " || e.Ended != nil {\n",
	}, crashProof},
}
