package awsdrs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/recovery"
	"muster/simulator"
)

// start starts a launch and gives its job's id.
func (h *house) start(l recovery.Launch) recovery.JobID {
	h.Helper()
	job, err := h.region().StartRecovery(within(h.T, 30*time.Second), l)
	if err != nil {
		h.Fatalf("StartRecovery: %v", err)
	}
	return job.ID
}

// job reads one job.
func (h *house) job(id recovery.JobID) recovery.Job {
	h.Helper()
	jobs, err := h.region().Jobs(h.Context(), recovery.JobQuery{IDs: []recovery.JobID{id}})
	if err != nil || len(jobs) != 1 {
		h.Fatalf("job %s: got %+v, %v", id, jobs, err)
	}
	return jobs[0]
}

// log reads a job's log, checks its order, and gives it by server: the events,
// each with what AWS says of a failure.
func (h *house) log(id recovery.JobID) map[recovery.SourceServerID]string {
	h.Helper()
	items, err := h.region().JobLog(h.Context(), id)
	if err != nil {
		h.Fatalf("JobLog: %v", err)
	}
	if !slices.IsSortedFunc(items, func(a, b recovery.JobLogItem) int { return a.At.Compare(b.At) }) || slices.ContainsFunc(items, func(i recovery.JobLogItem) bool { return i.At.IsZero() }) {
		h.Errorf("the log is not oldest first: %+v", items)
	}
	events := map[recovery.SourceServerID]string{}
	for _, i := range items {
		text := i.Event
		if i.RawError != "" {
			text += "(" + i.RawError + ")"
		}
		events[i.Server] = strings.TrimSpace(events[i.Server] + " " + text)
	}
	return events
}

func statuses(j recovery.Job) string {
	var all []string
	for _, p := range j.Participants {
		all = append(all, p.Status)
	}
	return fmt.Sprint(j.Status, all)
}

const launchEvents = "SNAPSHOT_START SNAPSHOT_END CONVERSION_START CONVERSION_END LAUNCH_START"

func TestAJobRunsToItsEnd(t *testing.T) {
	for _, kind := range []recovery.ExecutionType{recovery.Drill, recovery.Recovery} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 2), simulator.Options{})
				l := drill(2)
				l.Type = kind
				id := h.start(l)
				same(t, "at first", statuses(h.job(id)), "PENDING[PENDING PENDING]")
				time.Sleep(4 * time.Minute)
				same(t, "halfway", statuses(h.job(id)), "STARTED[IN_PROGRESS IN_PROGRESS]")
				same(t, "the log halfway", h.log(id)[serverID(1)], "SNAPSHOT_START SNAPSHOT_END CONVERSION_START")
				if p := h.job(id).Participants[0]; p.Instance != "" {
					t.Errorf("an instance before there is one: %+v", p)
				}
				time.Sleep(4 * time.Minute)
				over := h.job(id)
				same(t, "at the end", statuses(over), "COMPLETED[LAUNCHED LAUNCHED]")
				same(t, "servers", fmt.Sprint(over.Servers), fmt.Sprint(serverIDs(2)))

				instances, err := h.region().RecoveryInstances(t.Context(), serverIDs(2))
				if err != nil || len(instances) != 2 {
					t.Fatalf("instances: got %+v, %v", instances, err)
				}
				for i, n := range instances {
					p := over.Participants[i]
					if n.ID != p.Instance || n.ID.Check() != nil || n.Server != p.Server || n.JobID != id || n.EC2State != "RUNNING" || n.Live() != (kind == recovery.Recovery) {
						t.Errorf("participant %+v has instance %+v", p, n)
					}
				}
				log := h.log(id)
				same(t, "the job's log", log[""], "JOB_START JOB_END")
				same(t, "a server's log", log[serverID(2)], launchEvents)
			})
		})
	}
}

func TestWhatBecomesOfAServer(t *testing.T) {
	const noCapacity = "An error occurred (InsufficientInstanceCapacity) when calling the RunInstances operation (reached max retries: 4): " +
		"We currently do not have sufficient capacity in the Availability Zone you requested. Our system will be working on provisioning additional capacity."
	for name, tt := range map[string]struct {
		fault    string
		statuses string
		log      string
		instance bool
	}{
		"its snapshot fails": {
			fault: "FailLaunch:phase=SNAPSHOT,rawError=no snapshot", statuses: "COMPLETED[LAUNCHED FAILED]",
			log: "SNAPSHOT_START SNAPSHOT_FAIL(no snapshot)",
		},
		"its conversion fails": {
			fault: "FailLaunch:phase=CONVERSION,rawError=no conversion", statuses: "COMPLETED[LAUNCHED FAILED]",
			log: "SNAPSHOT_START SNAPSHOT_END CONVERSION_START CONVERSION_FAIL(no conversion)",
		},
		"its launch fails": {
			fault: "FailLaunch:phase=LAUNCH,rawError=no launch", statuses: "COMPLETED[LAUNCHED FAILED]",
			log: launchEvents + " LAUNCH_FAILED(no launch)",
		},
		"its conversion server does not boot": {
			fault: "FailConversion", statuses: "COMPLETED[LAUNCHED FAILED]",
			log: "SNAPSHOT_START SNAPSHOT_END CONVERSION_START CONVERSION_FAIL(Conversion server failed to boot: timed out waiting for the agent)",
		},
		"there is no capacity": {
			fault: "NoCapacity", statuses: "COMPLETED[LAUNCHED FAILED]",
			log: launchEvents + " LAUNCH_FAILED(" + noCapacity + ")",
		},
		"an older snapshot is used": {
			fault: "UsePreviousSnapshot", statuses: "COMPLETED[LAUNCHED LAUNCHED]", instance: true,
			log: "SNAPSHOT_START USING_PREVIOUS_SNAPSHOT CONVERSION_START CONVERSION_END LAUNCH_START",
		},
		"it is skipped at once": {
			fault: "SkipServer", statuses: "COMPLETED[LAUNCHED]", log: "SERVER_SKIPPED",
		},
		"it vanishes from the job": {
			fault: "SkipServer:duration=1m", statuses: "COMPLETED[LAUNCHED]", log: "SERVER_SKIPPED",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				h := newHouse(t, fleetOf(t, 2), simulator.Options{})
				line, more, _ := strings.Cut(tt.fault, ":")
				h.fault(strings.TrimSuffix(line+":servers="+string(serverID(2))+","+more, ","))
				id := h.start(drill(2))
				time.Sleep(8 * time.Minute)
				over := h.job(id)
				same(t, "statuses", statuses(over), tt.statuses)
				log := h.log(id)
				same(t, "the other's log", log[serverID(1)], launchEvents)
				same(t, "its log", log[serverID(2)], tt.log)
				has := slices.ContainsFunc(over.Participants, func(p recovery.Participant) bool { return p.Server == serverID(2) && p.Instance != "" })
				same(t, "it has an instance", has, tt.instance)
			})
		})
	}
}

func TestWhereALogNamesAnInstance(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.start(drill(1))
		time.Sleep(10 * time.Minute)
		first, err := h.region().RecoveryInstances(t.Context(), serverIDs(1))
		if err != nil || len(first) != 1 {
			t.Fatalf("got %+v, %v", first, err)
		}
		id := h.start(drill(1))
		time.Sleep(10 * time.Minute)
		items, err := h.region().JobLog(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		of := map[string]recovery.InstanceID{}
		for _, i := range items {
			of[i.Event] = i.Instance
		}
		same(t, "the one that was cleaned up", of["CLEANUP_END"], first[0].ID)
		same(t, "none before there is one", of["SNAPSHOT_START"], "")
		if c := of["CONVERSION_END"]; c.Check() != nil || c == first[0].ID || c != of["CONVERSION_START"] {
			t.Errorf("the conversion server is %q", c)
		}
	})
}

func TestAJobsLogIsReadAcrossPages(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 3, "        pageSize: 2\n"), simulator.Options{})
		id := h.start(drill(3))
		time.Sleep(10 * time.Minute)
		log := h.log(id)
		for _, server := range serverIDs(3) {
			same(t, "log", log[server], launchEvents)
		}
		same(t, "the job's log", log[""], "JOB_START JOB_END")
		same(t, "calls for 17 items", h.calls()["DescribeJobLogItems"], 9)
	})
}

func TestALogIsReadAgainWhenAWSIsBusy(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		id := h.start(drill(1))
		time.Sleep(10 * time.Minute)
		h.fault("Throttle:operation=DescribeJobLogItems,times=2")
		same(t, "log", h.log(id)[serverID(1)], launchEvents)
		same(t, "calls", h.calls()["DescribeJobLogItems"], 3)
	})
}

func TestALogShowsNoSecret(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.fault("FailLaunch:phase=SNAPSHOT,rawError=the external id " + external + " is wrong")
		id := h.start(drill(1))
		time.Sleep(10 * time.Minute)
		same(t, "log", h.log(id)[serverID(1)], "SNAPSHOT_START SNAPSHOT_FAIL(the external id [redacted] is wrong)")
	})
}

func TestTheLogOfAJobThatIsNone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		_, err := h.region().JobLog(t.Context(), "drsjob-00000000000nobody")
		refused := h.refused(err)
		same(t, "code", refused.Code, "ValidationException")
		same(t, "retryable", refused.Retryable, false)
	})
}

func TestAListThatLagsShowsAJobLater(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		h := newHouse(t, fleetOf(t, 1), simulator.Options{})
		h.fault("LagJobList:duration=40s,operation=DescribeJobs")
		h.fault("LagInstanceList:duration=40s")
		began := time.Now().UTC()
		id := h.start(drill(1))
		q := recovery.JobQuery{IDs: []recovery.JobID{id}}
		if jobs, err := h.region().Jobs(t.Context(), q); err != nil || len(jobs) != 0 {
			t.Errorf("at once: got %+v, %v; want none", jobs, err)
		}
		time.Sleep(40 * time.Second)
		same(t, "then", statuses(h.job(id)), "PENDING[PENDING]")
		time.Sleep(8*time.Minute - 40*time.Second)
		same(t, "when it is over", statuses(h.job(id)), "STARTED[IN_PROGRESS]")
		same(t, "the log, which does not lag", h.log(id)[""], "JOB_START JOB_END")
		servers, err := h.region().SourceServers(t.Context(), serverIDs(1))
		if err != nil || servers[0].LastLaunch != (recovery.LastLaunch{JobID: id, Status: "LAUNCHED", Type: "DRILL", At: began}) {
			t.Errorf("the server, which does not lag: got %+v, %v", servers, err)
		}
		if instances, err := h.region().RecoveryInstances(t.Context(), serverIDs(1)); err != nil || len(instances) != 0 {
			t.Errorf("instances: got %+v, %v; want none yet", instances, err)
		}
		time.Sleep(40 * time.Second)
		same(t, "and shown", statuses(h.job(id)), "COMPLETED[LAUNCHED]")
		if instances, err := h.region().RecoveryInstances(t.Context(), serverIDs(1)); err != nil || len(instances) != 1 {
			t.Errorf("instances: got %+v, %v; want one", instances, err)
		}
	})
}
